"""Read a condition from a text, by a grammar for Lark.

A column is `dataset.column`, or in backquotes where its name holds spaces; a text stands in double
or single quotes, a quote inside it is written twice. Words may be written in capitals.
"""

import math
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

from fusion.knowledge.column_names import resolve
from fusion.knowledge.conditions import (
    NUMBER,
    And,
    ColumnRef,
    Compare,
    Condition,
    ConditionError,
    Find,
    Not,
    OneOf,
    Or,
    Presence,
    Value,
    joined,
)
from fusion.knowledge.patterns import check_pattern

if TYPE_CHECKING:
    from lark import Lark, Token
    from lark.parsers.lalr_interactive_parser import InteractiveParser

MAX_LENGTH = 4000
MAX_DEPTH = 40
MAX_VALUES = 500

# Each lookahead ends a word: `android` does not begin with `and`, 2024-data.age is a column.
GRAMMAR = rf"""
?start:   conjunction (_OR conjunction)*              -> disjunction
conjunction: part (_AND part)*
?part:    NOT part                                    -> negation
        | _OPEN start _CLOSE
        | column COMPARISON value                     -> compare
        | column NOT? SEARCH TEXT                     -> find
        | column NOT? _IN values                      -> one_of
        | column _IS NOT? STATE                       -> presence
column:   WORD | QUOTED
value:    TEXT | NUMBER
values:   BEGIN value (_COMMA value)* _STOP

_OR.1:    /or(?![\w.-])/i
_AND.1:   /and(?![\w.-])/i
NOT.1:    /not(?![\w.-])/i
_IN.1:    /in(?![\w.-])/i
_IS.1:    /is(?![\w.-])/i
SEARCH.1: /(contains|starts\s+with|matches)(?![\w.-])/i
STATE.1:  /(missing|present)(?![\w.-])/i
COMPARISON: /==|!=|<>|≠|<=|≤|>=|≥|=|<|>/
_OPEN:    "(" | "（"
_CLOSE:   ")" | "）"
BEGIN:    "["
_STOP:    "]"
_COMMA:   "," | "，"
TEXT:     /"(""|[^"])*"(?!")/ | /'(''|[^'])*'(?!')/ | /“(””|[^”])*”(?!”)/ | /‘(’’|[^’])*’(?!’)/
QUOTED:   /`(``|[^`])*`(?!`)/
NUMBER:   /{NUMBER.pattern}(?![\w.-])/
WORD:     /(?!{NUMBER.pattern}(?![\w.-]))[\w.-]+/
%ignore   /\s+/
"""

SPELLINGS: dict[str, Any] = {"==": "=", "<>": "!=", "≠": "!=", "≤": "<=", "≥": ">="}
CLOSING = {'"': '"', "'": "'", "“": "”", "‘": "’", "`": "`"}
FOREIGN = {"&": "and", "|": "or", "!": "not", "~": "matches", "；": "and", ";": "and"}
"""Signs of other languages -> the word used here."""

COMPARISON_FORMS = (
    "=, !=, <, <=, >, >=, contains, starts with, matches, in [...], is missing or is present"
)
EXPECTED = {
    "WORD": "a column",
    "NUMBER": "a value after {before}",
    "TEXT": "a text in quotes after {before}",
    "COMPARISON": f"a comparison after {{before}} ({COMPARISON_FORMS})",
    "SEARCH": "contains, starts with, matches or in [...] after not",
    "STATE": "missing or present after is",
    "BEGIN": "[ after in",
    "_STOP": "] after the last value (or a comma before the next)",
    "_CLOSE": ") after the condition in brackets",
    "$END": "and, or, or the end of the rule",
}
"""The first terminal of the grammar that may come next -> what is expected."""
HINTS = {
    "WORD": "; the column comes first, for instance recordings.seconds > 0.75",
    "STATE": "; to compare with a value write =",
}


def parse(text: str, known: Iterable[str] | None = None) -> Condition:
    """Return the condition that the text describes. Raises ConditionError with the position.

    known: the columns that there are; then a column may be named without its data set where only
    one data set has it, and an unknown one is refused. Without it any name is taken as it stands.
    """
    if len(text) > MAX_LENGTH:
        raise ConditionError(
            f"the condition is {len(text)} characters long; it may have {MAX_LENGTH}"
        )
    if (nul := text.find("\0")) >= 0:
        raise ConditionError("a NUL character stands here, which no text may have", text, nul)
    if not text.strip():
        raise ConditionError(
            "the condition is empty; write for instance: "
            'recordings.seconds > 0.75 and clues.clue contains "pair"'
        )
    condition = read(text)
    return condition if known is None else resolve(condition, known, text)


def read(text: str) -> Condition:
    from lark.exceptions import UnexpectedCharacters, UnexpectedToken

    parser, before = lark_parser().parse_interactive(text), ""
    try:
        for token in parser.iter_parse():
            check_depth(parser, token)
            before = token
        return parser.feed_eof()
    except UnexpectedCharacters as error:
        raise unreadable(text, error.pos_in_stream or 0) from None
    except UnexpectedToken as error:
        raise unexpected(text, error.token, before, parser.accepts()) from None
    except ConditionError as error:
        raise ConditionError(error.message, text, error.position - 1, error.length) from None


@cache
def lark_parser() -> "Lark":
    from lark import Lark

    return Lark(GRAMMAR, parser="lalr", transformer=ConditionBuilder())


class ConditionBuilder:
    """Make conditions while Lark parses, by one method for each rule of the grammar."""

    def disjunction(self, parts: list[Condition]) -> Condition:
        return joined(Or, parts)

    def conjunction(self, parts: list[Condition]) -> Condition:
        return joined(And, parts)

    def negation(self, parts: list[Any]) -> Condition:
        return Not(parts[1])

    def compare(self, parts: list[Any]) -> Condition:
        column, sign, value = parts
        return Compare(column, SPELLINGS.get(sign, str(sign)), value)

    def find(self, parts: list[Any]) -> Condition:
        column, *negation, search, text = parts
        how: Any = " ".join(search.lower().split())
        if not (wanted := unquoted(text)):
            raise fault("expected some text between the quotes", text)
        if how == "matches" and (problem := check_pattern(wanted)):
            raise fault(f"this pattern cannot be used: {problem}", text)
        test = Find(column, how, wanted)
        return Not(test) if negation else test

    def one_of(self, parts: list[Any]) -> Condition:
        column, *negation, values = parts
        test = OneOf(column, values)
        return Not(test) if negation else test

    def presence(self, parts: list[Any]) -> Condition:
        column, *negation, state = parts
        return Presence(column, present=(state.lower() == "present") != bool(negation))

    def column(self, parts: list["Token"]) -> ColumnRef:
        [token] = parts
        name = unquoted(token) if token.type == "QUOTED" else str(token)
        if not name.strip():
            raise fault("expected the name of a column between the backquotes", token)
        return ColumnRef(name, token.start_pos or 0)

    def value(self, parts: list["Token"]) -> Value:
        [token] = parts
        if token.type == "NUMBER":
            if not math.isfinite(float(token)):
                raise fault("this number is too large", token)
            return float(token)
        if not (text := unquoted(token)):
            raise fault("an empty cell is a missing one; write is missing or is present", token)
        return text

    def values(self, parts: list[Any]) -> tuple[Value, ...]:
        begin, *values = parts
        if len({type(value) for value in values}) > 1:
            raise ConditionError(
                "a list holds either numbers or texts, not both", start=begin.end_pos
            )
        if len(values) > MAX_VALUES:
            raise ConditionError(
                f"a list may hold {MAX_VALUES} values, this one holds {len(values)}",
                start=begin.end_pos,
            )
        return tuple(dict.fromkeys(values))


def unquoted(token: "Token") -> str:
    """Return what stands between the marks; two closing marks in a row stand for one inside."""
    closing = CLOSING[token[0]]
    return token[1:-1].replace(closing * 2, closing)


def fault(message: str, token: "Token") -> ConditionError:
    return ConditionError(message, start=token.start_pos, length=len(token))


def check_depth(parser: "InteractiveParser", token: "Token") -> None:
    """Refuse deep nesting, which functions on conditions follow by recursion."""
    if token.type not in ("WORD", "QUOTED"):
        return
    stack = parser.parser_state.value_stack
    if sum(getattr(value, "type", "") in ("NOT", "_OPEN") for value in stack) > MAX_DEPTH:
        raise fault(f"brackets and not are nested more than {MAX_DEPTH} deep", token)


def unreadable(text: str, start: int) -> ConditionError:
    character = text[start]
    if closing := CLOSING.get(character):
        message = f"what begins with {character} here has no closing {closing}"
        return ConditionError(message, text, start, len(text) - start)
    hint = f"; write {FOREIGN[character]}" if character in FOREIGN else ""
    return ConditionError(f"{character} has no meaning here{hint}", text, start)


def unexpected(text: str, token: "Token", before: str, accepted: set[str]) -> ConditionError:
    """Word what is expected in place of the token, which comes after the token `before`."""
    terminal = next((name for name in EXPECTED if name in accepted), "$END")
    expected = EXPECTED[terminal].format(before="the comma" if before in (",", "，") else before)
    at_end = token.type == "$END"
    hint = HINTS.get(terminal, "")
    if terminal == "NUMBER" and (token.type == "WORD" or token.isalpha()):
        hint = f'; a text stands in quotes: "{token}"'
    shown = "end of rule" if at_end else token if len(token) <= 40 else f"{token[:39]}…"
    return ConditionError(
        f"expected {expected}, found {shown}{'' if at_end else hint}",
        text,
        len(text.rstrip()) if at_end else token.start_pos,
        len(token) or 1,
    )
