"""Whether a condition holds, sample by sample, on plain Python values.

The answers are those of `sql.to_sql`. A test on a missing value is unknown (None), and so is one
that does not fit the value: a text compared with a number, or a number stored as text that is none.
Unknown spreads as in SQL (Kleene): `not`, `and`, `or` of something unknown stay unknown unless the
other part decides. A rule fires only where its condition is True.
"""

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from fusion.knowledge import patterns
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
from fusion.knowledge.names import resolve

Answers = list[bool | None]
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
    rf"[12][0-9]{{3}}-[0-9]{{2}}-[0-9]{{2}}([ T]{CLOCK}(:[0-5][0-9](\.[0-9]{{1,6}})?)?(Z|[+-]{CLOCK})?)?"
)
"""A day, or a day and a time, as ISO 8601 writes them."""


def holds(condition: Condition, columns: Columns, kinds: Kinds | None = None) -> Answers:
    """True, False or None (unknown) for each sample.

    columns: dataset.column -> values, all of one length: numbers, texts, lists of texts (tags),
    None or NaN where missing. kinds: column -> its kind; only `time` changes what is done (points
    in time instead of texts are compared). Raises ConditionError for a column that is not there.
    """
    return evaluate(resolve(condition, columns), columns, kinds or {})


def evaluate(condition: Condition, columns: Columns, kinds: Kinds) -> Answers:
    match condition:
        case And(parts):
            return [all_of(row) for row in zip(*(evaluate(part, columns, kinds) for part in parts))]
        case Or(parts):
            return [any_of(row) for row in zip(*(evaluate(part, columns, kinds) for part in parts))]
        case Not(part):
            return [negation(answer) for answer in evaluate(part, columns, kinds)]
        case test:
            return answers(test, columns[test.column.name], kinds.get(test.column.name, ""))


def all_of(row: Sequence[bool | None]) -> bool | None:
    return False if False in row else None if None in row else True


def any_of(row: Sequence[bool | None]) -> bool | None:
    return True if True in row else None if None in row else False


def negation(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def answers(test: Test, values: Sequence[Any], kind: str) -> Answers:
    match test:
        case Known(_, present):
            return [is_missing(value) != present for value in values]
        case Find(_, "matches", pattern):
            return matching(values, pattern)
        case Find(_, how, text):
            return [found(value, how, folded(text)) for value in values]
        case OneOf(_, wanted):
            return [compared(value, "=", wanted, kind) for value in values]
        case Compare(_, op, wanted_one):
            return [compared(value, op, (wanted_one,), kind) for value in values]


def compared(value: Any, op: str, wanted: Sequence[Value], kind: str) -> bool | None:
    """Whether the value stands in this relation to one of those wanted. Of tags, `=` asks whether
    one of them is it; tags have no order.
    """
    if is_missing(value):
        return None
    if isinstance(value, list | tuple):
        return tags_compared(value, op, wanted)
    left = as_number(value) if is_number(wanted[0]) else as_text(value, kind)
    rights = [as_time(text) if kind == "time" else text for text in wanted]
    if left is None:
        return None
    return any_of([None if right is None else OPERATORS[op](left, right) for right in rights])


def tags_compared(tags: Sequence[Any], op: str, wanted: Sequence[Value]) -> bool | None:
    if op not in ("=", "!=") or is_number(wanted[0]):
        return None
    return any(tag in wanted for tag in tags) == (op == "=")


def as_number(value: Any) -> float | None:
    """A number stored as text is read; anything else is none."""
    if is_number(value):
        return float(value)
    number = float(value) if isinstance(value, str) and NUMBER.fullmatch(value) else math.inf
    return number if math.isfinite(number) else None


def as_text(value: Any, kind: str) -> Any:
    if is_number(value):
        return None
    return as_time(value) if kind == "time" else str(value)


def as_time(value: Any) -> datetime | None:
    """A point in time without a zone; one with a zone is put in UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value) if TIME.fullmatch(value) else None
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value


def found(value: Any, how: str, text: str) -> bool | None:
    """Whether the text (folded) stands in the value, or begins it; among tags: whether one of them
    is it, or begins with it.
    """
    if is_missing(value) or is_number(value):
        return None
    if isinstance(value, list | tuple):
        return any(
            folded(tag) == text if how == "contains" else folded(tag).startswith(text)
            for tag in value
        )
    return text in folded(value) if how == "contains" else folded(value).startswith(text)


def folded(text: Any) -> str:
    """In small letters, character by character as DuckDB's lower() does it: no final sigma, and one
    character for İ.
    """
    text = str(text)
    return text.lower() if text.isascii() else "".join(character.lower()[0] for character in text)


def matching(values: Sequence[Any], pattern: str) -> Answers:
    """One question to RE2 for all texts; tags match when one of them does."""
    texts: list[str | None] = []
    places: list[list[int] | int | None] = []
    for value in values:
        if is_missing(value) or is_number(value):
            places.append(None)
        elif isinstance(value, list | tuple):
            places.append(list(range(len(texts), len(texts) + len(value))))
            texts += map(str, value)
        else:
            places.append(len(texts))
            texts.append(str(value))
    hits = patterns.found(texts, pattern)
    return [
        None if p is None else hits[p] if isinstance(p, int) else any(hits[i] for i in p)
        for p in places
    ]
