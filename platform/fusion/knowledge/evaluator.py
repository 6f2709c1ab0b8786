"""Evaluate a condition for each sample, on plain Python values.

A test of a missing value is unknown (None), and so is one that does not fit the value: a text
compared with a number, or a number stored as text that is none. Unknown spreads as in SQL (Kleene):
`not`, `and`, `or` of something unknown stay unknown unless the other part decides. A rule fires
only where its condition is True.
"""

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from fusion.knowledge.column_names import resolve
from fusion.knowledge.conditions import (
    NUMBER,
    And,
    Compare,
    Condition,
    Find,
    Not,
    OneOf,
    Or,
    Presence,
    Test,
    Value,
)
from fusion.knowledge.patterns import matching_texts

Truth = bool | None
Columns = Mapping[str, Sequence[Any]]
Kinds = Mapping[str, str]

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"
TIME = re.compile(
    r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}"
    rf"([ T]{CLOCK}(:[0-5][0-9](\.[0-9]{{1,6}})?)?(Z|[+-]{CLOCK})?)?"
)
"""A day, or a day and a time, as ISO 8601 writes them."""


def holds(condition: Condition, columns: Columns, kinds: Kinds | None = None) -> list[Truth]:
    """Return True, False or None (unknown) for each sample.

    columns: dataset.column -> values, all of one length: numbers, texts, lists of texts (tags),
    None or NaN where missing. kinds: column -> its kind; only `time` changes what is done (points
    in time instead of texts are compared). Raises ConditionError for a column that is not there.
    """
    return evaluate(resolve(condition, columns), columns, kinds or {})


def evaluate(condition: Condition, columns: Columns, kinds: Kinds) -> list[Truth]:
    match condition:
        case And(parts):
            return [all_of(row) for row in zip(*(evaluate(part, columns, kinds) for part in parts))]
        case Or(parts):
            return [any_of(row) for row in zip(*(evaluate(part, columns, kinds) for part in parts))]
        case Not(part):
            return [negation(truth) for truth in evaluate(part, columns, kinds)]
        case test:
            return evaluate_test(test, columns[test.column.name], kinds.get(test.column.name, ""))


def all_of(row: Sequence[Truth]) -> Truth:
    return False if False in row else None if None in row else True


def any_of(row: Sequence[Truth]) -> Truth:
    return True if True in row else None if None in row else False


def negation(truth: Truth) -> Truth:
    return None if truth is None else not truth


def is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def is_numeric(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def evaluate_test(test: Test, values: Sequence[Any], kind: str) -> list[Truth]:
    match test:
        case Presence(_, present):
            return [is_missing(value) != present for value in values]
        case Find(_, "matches", pattern):
            return match_pattern(values, pattern)
        case Find(_, how, text):
            return [search(value, how, folded(text)) for value in values]
        case OneOf(_, options):
            return [compare(value, "=", options, kind) for value in values]
        case Compare(_, op, literal):
            return [compare(value, op, (literal,), kind) for value in values]


def compare(value: Any, op: str, literals: Sequence[Value], kind: str) -> Truth:
    """Compare the value with each literal; True if one comparison holds. Of tags, `=` asks for a
    tag that equals a literal; tags have no order.
    """
    if is_missing(value):
        return None
    if isinstance(value, list | tuple):
        return compare_tags(value, op, literals)
    left = as_number(value) if is_numeric(literals[0]) else as_text(value, kind)
    rights = [as_time(text) if kind == "time" else text for text in literals]
    if left is None:
        return None
    return any_of([None if right is None else OPERATORS[op](left, right) for right in rights])


def compare_tags(tags: Sequence[Any], op: str, literals: Sequence[Value]) -> Truth:
    if op not in ("=", "!=") or is_numeric(literals[0]):
        return None
    return any(tag in literals for tag in tags) == (op == "=")


def as_number(value: Any) -> float | None:
    """Return a number, also one stored as text; None for anything else."""
    if is_numeric(value):
        return float(value)
    number = float(value) if isinstance(value, str) and NUMBER.fullmatch(value) else math.inf
    return number if math.isfinite(number) else None


def as_text(value: Any, kind: str) -> Any:
    if is_numeric(value):
        return None
    return as_time(value) if kind == "time" else str(value)


def as_time(value: Any) -> datetime | None:
    """Return a point in time without a zone; one with a zone is put in UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value) if TIME.fullmatch(value) else None
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value


def search(value: Any, how: str, text: str) -> Truth:
    """Search the value for the folded text. `contains` asks for a whole tag among tags."""
    if is_missing(value) or is_numeric(value):
        return None
    if how == "starts with":
        candidates = value if isinstance(value, list | tuple) else (value,)
        return any(folded(candidate).startswith(text) for candidate in candidates)
    if isinstance(value, list | tuple):
        return any(folded(tag) == text for tag in value)
    return text in folded(value)


def folded(value: Any) -> str:
    """Return the text in small letters, character by character: no final sigma, and one character
    for İ, so that a part of a text folds as the whole does.
    """
    text = str(value)
    return text.lower() if text.isascii() else "".join(character.lower()[0] for character in text)


def texts_of(value: Any) -> list[str] | None:
    """Return the tags, or the one text; None where there is no text."""
    if is_missing(value) or is_numeric(value):
        return None
    return [str(tag) for tag in value] if isinstance(value, list | tuple) else [str(value)]


def match_pattern(values: Sequence[Any], pattern: str) -> list[Truth]:
    """Ask RE2 once about all texts; tags match when one of them does."""
    rows = [texts_of(value) for value in values]
    matches = matching_texts({text for texts in rows for text in texts or ()}, pattern)
    return [None if texts is None else not matches.isdisjoint(texts) for texts in rows]
