"""From a text to a condition, by recursive descent.

    condition = all { "or" all }
    all       = part { "and" part }
    part      = "not" part | "(" condition ")" | test
    test      = column ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) value
              | column [ "not" ] ( "contains" | "starts" "with" | "matches" ) text
              | column [ "not" ] "in" "[" value { "," value } "]"
              | column "is" [ "not" ] ( "missing" | "present" )

A column is `dataset.column`, or in backquotes where its name holds spaces; a text stands in double
or single quotes, a quote inside it is written twice. Words may be written in capitals.
"""

from collections.abc import Iterable
from typing import cast

from fusion.knowledge.language import (
    COMPARISONS,
    And,
    Column,
    Compare,
    Comparison,
    Condition,
    ConditionError,
    Find,
    Known,
    Not,
    OneOf,
    Or,
    Search,
    Value,
    joined,
)
from fusion.knowledge.names import resolve
from fusion.knowledge.patterns import check_pattern
from fusion.knowledge.tokens import Token, tokenize

MAX_DEPTH = 40
MAX_VALUES = 500
AFTER_A_COLUMN = (
    "=, !=, <, <=, >, >=, contains, starts with, matches, in [...], is missing or is present"
)


def parse(text: str, known: Iterable[str] | None = None) -> Condition:
    """The condition that the text describes. Raises ConditionError with the position.

    known: the columns that there are; then a column may be named without its data set where only
    one data set has it, and an unknown one is refused. Without it any name is taken as it stands.
    """
    condition = Parser(text).whole()
    return condition if known is None else resolve(condition, known, text)


class Parser:
    def __init__(self, text: str) -> None:
        self.text, self.tokens, self.place, self.depth = text, tokenize(text), 0, 0

    @property
    def next(self) -> Token:
        return self.tokens[self.place]

    def take(self) -> Token:
        token = self.next
        self.place += token.kind != "end"
        return token

    def sees(self, *words: str) -> bool:
        """Whether the next token is one of these signs or words."""
        return self.next.kind in ("word", "sign") and self.next.text.lower() in words

    def accept(self, word: str) -> bool:
        found = self.sees(word)
        self.place += found
        return found

    def fail(self, expected: str, hint: str = "") -> ConditionError:
        token = self.next
        return ConditionError(
            f"expected {expected}, found {token}{hint}",
            self.text,
            token.at,
            max(1, token.end - token.at),
        )

    def expect(self, word: str, after: str) -> None:
        if not self.accept(word):
            raise self.fail(f"{word} after {after}")

    def whole(self) -> Condition:
        if self.next.kind == "end":
            raise ConditionError(
                'the condition is empty; write for instance: recordings.seconds > 0.75 and clues.clue contains "pair"'
            )
        condition = self.any()
        if self.next.kind != "end":
            raise self.fail("and, or, or the end of the rule")
        return condition

    def any(self) -> Condition:
        parts = [self.all()]
        while self.accept("or"):
            parts.append(self.all())
        return joined(Or, parts)

    def all(self) -> Condition:
        parts = [self.part()]
        while self.accept("and"):
            parts.append(self.part())
        return joined(And, parts)

    def part(self) -> Condition:
        if not self.sees("not", "("):
            return self.test()
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ConditionError(
                f"brackets and not are nested more than {MAX_DEPTH} deep", self.text, self.next.at
            )
        inner: Condition
        if self.accept("not"):
            inner = Not(self.part())
        else:
            self.take()
            inner = self.any()
            self.expect(")", "the condition in brackets")
        self.depth -= 1
        return inner

    def test(self) -> Condition:
        column = self.column()
        if self.sees(*COMPARISONS):
            op = cast(Comparison, self.take().text)
            return Compare(column, op, self.value(op))
        if self.accept("is"):
            return self.known(column)
        negated = self.accept("not")
        found = self.search(column)
        return Not(found) if negated else found

    def column(self) -> Column:
        token = self.next
        if token.kind not in ("word", "column") or not token.text.strip():
            raise self.fail(
                "a column",
                "; the column comes first, for instance recordings.seconds > 0.75"
                if token.kind != "end"
                else "",
            )
        self.take()
        return Column(token.text, token.at)

    def search(self, column: Column) -> Condition:
        if self.accept("in"):
            return OneOf(column, self.values())
        for word, how in (
            ("contains", "contains"),
            ("starts", "starts with"),
            ("matches", "matches"),
        ):
            if self.accept(word):
                if word == "starts":
                    self.expect("with", "starts")
                return Find(column, cast(Search, how), self.words(how))
        raise self.fail(f"a comparison after {column} ({AFTER_A_COLUMN})")

    def known(self, column: Column) -> Condition:
        negated = self.accept("not")
        for word in ("missing", "present"):
            if self.accept(word):
                return Known(column, present=(word == "present") != negated)
        raise self.fail("missing or present after is", "; to compare with a value write =")

    def words(self, how: str) -> str:
        """A text in quotes that is not empty; a pattern must be one that RE2 reads."""
        token = self.next
        if token.kind != "text":
            raise self.fail(f"a text in quotes after {how}")
        if not token.text:
            raise ConditionError("expected some text between the quotes", self.text, token.at, 2)
        if how == "matches" and (problem := check_pattern(token.text)):
            raise ConditionError(
                f"this pattern cannot be used: {problem}", self.text, token.at, token.end - token.at
            )
        return self.take().text

    def value(self, after: str) -> Value:
        token = self.next
        if token.kind == "word":
            raise self.fail(f"a value after {after}", f'; a text stands in quotes: "{token.text}"')
        if token.kind not in ("text", "number"):
            raise self.fail(f"a value after {after}")
        if token.kind == "text" and not token.text:
            raise ConditionError(
                "an empty cell is a missing one; write is missing or is present",
                self.text,
                token.at,
                2,
            )
        self.take()
        return token.text if token.kind == "text" else float(token.text)

    def values(self) -> tuple[Value, ...]:
        self.expect("[", "in")
        first = self.next.at
        found = [self.value("[")]
        while self.accept(","):
            found.append(self.value("the comma"))
        self.expect("]", "the last value (or a comma before the next)")
        if len({type(value) for value in found}) > 1:
            raise ConditionError("a list holds either numbers or texts, not both", self.text, first)
        if len(found) > MAX_VALUES:
            raise ConditionError(
                f"a list may hold {MAX_VALUES} values, this one holds {len(found)}",
                self.text,
                first,
            )
        return tuple(dict.fromkeys(found))
