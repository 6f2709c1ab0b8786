"""Conditions on samples as data; `str` of a condition is its canonical form."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

Value = str | float
Comparison = Literal["=", "!=", "<", "<=", ">", ">="]
Search = Literal["contains", "starts with", "matches"]

COMPARISONS: tuple[Comparison, ...] = ("=", "!=", "<", "<=", ">", ">=")
KEYWORDS = frozenset(
    ("and", "or", "not", "in", "is", "missing", "present", "contains", "starts", "with", "matches")
)

PLAIN_NAME = re.compile(r"\w[\w-]*(?:\.[\w-]+)*")
NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


class ConditionError(ValueError):
    """A condition cannot be used.

    message: what is wrong and what to write instead; position: place of the first character
    concerned, counted from 1, 0 where none is; length: how many characters are concerned.
    """

    def __init__(
        self, message: str, text: str = "", start: int | None = None, length: int = 1
    ) -> None:
        self.message, self.text, self.length = message, text, length
        self.position = 0 if start is None else start + 1
        super().__init__(f"{self.place()}{message}")

    def place(self) -> str:
        """Return "column 14: ", or "line 2, column 3: " in a text of several lines."""
        if not self.position:
            return ""
        before = self.text[: self.position - 1].split("\n")
        line = f"line {len(before)}, " if "\n" in self.text else ""
        return f"{line}column {len(before[-1]) + 1}: "


@dataclass(frozen=True)
class ColumnRef:
    """A column named by a condition. name: dataset.column; start: its place in the text."""

    name: str
    start: int = field(default=0, compare=False)

    def __str__(self) -> str:
        plain = (
            PLAIN_NAME.fullmatch(self.name)
            and not NUMBER.fullmatch(self.name)
            and self.name.lower() not in KEYWORDS
        )
        return self.name if plain else quoted(self.name, "`")


@dataclass(frozen=True)
class Compare:
    """`column > 0.75`: a number is compared with numbers, a text with texts (by code point) or
    points in time.
    """

    column: ColumnRef
    op: Comparison
    value: Value

    def __str__(self) -> str:
        return f"{self.column} {self.op} {literal(self.value)}"


@dataclass(frozen=True)
class Find:
    """`column contains "pair"`, `starts with` (both ignore case) or `matches` (RE2, anywhere in the
    text, case counts).
    """

    column: ColumnRef
    how: Search
    text: str

    def __str__(self) -> str:
        return f"{self.column} {self.how} {literal(self.text)}"


@dataclass(frozen=True)
class OneOf:
    """`column in ["a", "b"]`; the values are all numbers or all texts."""

    column: ColumnRef
    values: tuple[Value, ...]

    def __str__(self) -> str:
        return f"{self.column} in [{', '.join(map(literal, self.values))}]"


@dataclass(frozen=True)
class Presence:
    """`column is present` or `column is missing`."""

    column: ColumnRef
    present: bool

    def __str__(self) -> str:
        return f"{self.column} is {'present' if self.present else 'missing'}"


@dataclass(frozen=True)
class Not:
    part: "Condition"

    def __str__(self) -> str:
        return f"not {bracketed(self.part, (And, Or))}"


@dataclass(frozen=True)
class And:
    parts: tuple["Condition", ...]

    def __str__(self) -> str:
        return " and ".join(bracketed(part, (Or,)) for part in self.parts)


@dataclass(frozen=True)
class Or:
    parts: tuple["Condition", ...]

    def __str__(self) -> str:
        return " or ".join(map(str, self.parts))


Test = Compare | Find | OneOf | Presence
Condition = Test | Not | And | Or


def joined(kind: type[And] | type[Or], parts: Iterable[Condition]) -> Condition:
    """Join the parts by one `and` or `or`; those of the same kind are taken apart, and a single
    part stays as it is.
    """
    flat: list[Condition] = []
    for part in parts:
        flat += part.parts if isinstance(part, kind) else [part]
    return flat[0] if len(flat) == 1 else kind(tuple(flat))


def tests(condition: Condition) -> Iterator[Test]:
    """Yield every test of the condition, from left to right."""
    match condition:
        case And(parts) | Or(parts):
            for part in parts:
                yield from tests(part)
        case Not(part):
            yield from tests(part)
        case _:
            yield condition


def literals(test: Test) -> tuple[Value, ...]:
    """Return the values that the test compares with; none for presence."""
    match test:
        case Compare(_, _, value) | Find(_, _, value):
            return (value,)
        case OneOf(_, values):
            return values
        case _:
            return ()


def columns(condition: Condition) -> list[str]:
    """Return the names of the columns in the condition, without repetition, in their order."""
    return list(dict.fromkeys(test.column.name for test in tests(condition)))


def quoted(text: str, mark: str) -> str:
    """Quote the text. A mark inside is written twice; nothing else is special, so that patterns
    need no second escape.
    """
    return f"{mark}{text.replace(mark, mark * 2)}{mark}"


def literal(value: Value) -> str:
    return quoted(value, '"') if isinstance(value, str) else number(value)


def number(value: float) -> str:
    """Write whole numbers without a point: 3, not 3.0."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def bracketed(part: Condition, kinds: tuple[type, ...]) -> str:
    return f"({part})" if isinstance(part, kinds) else str(part)


def listed(words: Sequence[str], comma: str = ", ", last: str = " or ") -> str:
    """Return "a, b or c"."""
    return last.join([comma.join(words[:-1]), words[-1]] if len(words) > 1 else words)
