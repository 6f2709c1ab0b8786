"""A condition as an SQL expression of DuckDB: values bound as parameters, columns quoted by the
caller.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from fusion.knowledge.language import (
    NUMBER,
    And,
    Compare,
    Condition,
    Find,
    Known,
    Not,
    OneOf,
    Or,
    Test,
    Value,
)
from fusion.knowledge.values import TIME, as_time

Quote = Callable[[str], str]
Parameter = Value | datetime | None
Sql = tuple[str, Sequence[Parameter]]

UNKNOWN = "CAST(NULL AS BOOLEAN)"


def identifier(name: str) -> str:
    """The name as it stands, quoted."""
    return '"' + name.replace('"', '""') + '"'


def to_sql(
    condition: Condition, quote: Quote = identifier, kinds: Mapping[str, str] | None = None
) -> Sql:
    """An expression of type BOOLEAN (NULL where unknown, see `values`) and its parameters in the
    order of their `?`.

    quote: dataset.column -> the SQL identifier of the column; it alone decides what of the name
    reaches the SQL. kinds: column -> its kind (`number`, `tags`, `time`, `image` ...); a column
    without one is taken for text. The condition must bear full names: `parse(text, known)` or
    `resolve`.
    """
    kinds = kinds or {}
    match condition:
        case And(parts):
            return chained(" AND ", [to_sql(part, quote, kinds) for part in parts])
        case Or(parts):
            return chained(" OR ", [to_sql(part, quote, kinds) for part in parts])
        case Not(part):
            sql, parameters = to_sql(part, quote, kinds)
            return f"(NOT {sql})", parameters
        case test:
            return test_sql(test, quote(test.column.name), kinds.get(test.column.name, "text"))


def chained(word: str, parts: list[Sql]) -> Sql:
    return f"({word.join(sql for sql, _ in parts)})", [
        value for _, values in parts for value in values
    ]


def test_sql(test: Test, column: str, kind: str) -> Sql:
    match test:
        case Known(_, present):
            return known_sql(column, kind, present), []
        case Find(_, how, text):
            return find_sql(column, kind, how, text)
        case OneOf(_, values):
            return compare_sql(column, kind, "=", list(values))
        case Compare(_, op, value):
            return compare_sql(column, kind, op, [value])


def known_sql(column: str, kind: str, present: bool) -> str:
    """NaN and infinity count as missing."""
    there = f"{column} IS NOT NULL" + (
        f" AND isfinite(CAST({column} AS DOUBLE))" if kind == "number" else ""
    )
    return f"({there})" if present else f"(NOT ({there}))"


def find_sql(column: str, kind: str, how: str, text: str) -> Sql:
    if kind == "number":
        return UNKNOWN, []
    one = {
        "contains": "lower({x}) = lower(?)" if kind == "tags" else "contains(lower({x}), lower(?))",
        "starts with": "starts_with(lower({x}), lower(?))",
        "matches": "regexp_matches({x}, ?)",
    }[how]
    if kind == "tags":
        return some_tag(column, one.format(x="x")), [text]
    return f"({one.format(x=f'CAST({column} AS VARCHAR)')})", [text]


def some_tag(column: str, test: str) -> str:
    return f"(len(list_filter({column}, lambda x: {test})) > 0)"


def compare_sql(column: str, kind: str, op: str, values: list[Value]) -> Sql:
    op = "<>" if op == "!=" else op
    is_number = not isinstance(values[0], str)
    if (kind == "tags" and (is_number or op not in ("=", "<>"))) or (
        kind == "number" and not is_number
    ):
        return UNKNOWN, []
    if kind == "tags":
        return tags_sql(column, op, len(values)), values
    left, right = operands(column, kind, is_number)
    bound = [as_time(value) for value in values] if kind == "time" and not is_number else values
    return "(" + " OR ".join(f"{left} {op} {right}" for _ in values) + ")", bound


def operands(column: str, kind: str, is_number: bool) -> tuple[str, str]:
    """What is compared, read as the literal wants it: as a number, a point in time or a text."""
    if is_number:
        return number_sql(column, kind), "?"
    if kind != "time":
        return f"CAST({column} AS VARCHAR)", "?"
    readable = f"regexp_full_match(CAST({column} AS VARCHAR), '{TIME.pattern}')"
    return (
        f"(CASE WHEN {readable} THEN TRY_CAST({column} AS TIMESTAMP) END)",
        "CAST(? AS TIMESTAMP)",
    )


def tags_sql(column: str, op: str, count: int) -> str:
    some = some_tag(column, f"x IN ({', '.join('?' * count)})")
    return some if op == "=" else f"(NOT {some})"


def number_sql(column: str, kind: str) -> str:
    """The column as a finite number, NULL where it is none; texts are read only where they look
    like a number.
    """
    number = f"TRY_CAST({column} AS DOUBLE)"
    readable = f"isfinite({number})"
    if kind != "number":
        readable = (
            f"regexp_full_match(CAST({column} AS VARCHAR), '{NUMBER.pattern}') AND {readable}"
        )
    return f"(CASE WHEN {readable} THEN {number} END)"
