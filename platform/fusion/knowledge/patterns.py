"""Regular expressions, always by RE2 as DuckDB has it: its time grows with the length of the text,
whatever the pattern.
"""

from collections.abc import Sequence
from functools import lru_cache

MAX_PATTERN = 300


@lru_cache(maxsize=1000)
def check_pattern(pattern: str) -> str | None:
    """What is wrong with the pattern, None if nothing is."""
    import duckdb

    if len(pattern) > MAX_PATTERN:
        return f"it has {len(pattern)} characters, {MAX_PATTERN} are allowed"
    try:
        found([""], pattern)
    except duckdb.Error as error:
        return str(error).splitlines()[0].removeprefix("Invalid Input Error: ")
    return None


def found(texts: Sequence[str | None], pattern: str) -> list[bool | None]:
    """Whether the pattern occurs in each text; None where there is none."""
    import duckdb

    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        sql = "SELECT list_transform(?::VARCHAR[], lambda x: regexp_matches(x, ?))"
        [(answers,)] = connection.execute(sql, [list(texts), pattern]).fetchall()
    return list(answers)
