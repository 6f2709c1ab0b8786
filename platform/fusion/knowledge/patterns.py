"""Regular expressions, always by RE2 as DuckDB has it: its time grows with the length of the text,
whatever the pattern.
"""

from collections.abc import Iterable
from functools import lru_cache

MAX_PATTERN = 300


@lru_cache(maxsize=1000)
def check_pattern(pattern: str) -> str | None:
    """Return why the pattern cannot be used, or None if it can."""
    import duckdb

    if len(pattern) > MAX_PATTERN:
        return f"it has {len(pattern)} characters, {MAX_PATTERN} are allowed"
    try:
        matching_texts([""], pattern)
    except duckdb.Error as error:
        return str(error).splitlines()[0].removeprefix("Invalid Input Error: ")
    return None


def matching_texts(texts: Iterable[str], pattern: str) -> set[str]:
    """Return the texts in which the pattern occurs."""
    import duckdb

    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        sql = "SELECT list_filter(?::VARCHAR[], lambda x: regexp_matches(x, ?))"
        [(matches,)] = connection.execute(sql, [list(texts), pattern]).fetchall()
    return set(matches)
