"""The words of a condition, with their places."""

import math
import re
from dataclasses import dataclass
from typing import Literal

from fusion.knowledge.language import NUMBER, ConditionError

MAX_LENGTH = 4000

QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "`": "`"}
"""Opening mark -> closing mark. Text copied from a word processor has curved ones. Backquotes
surround a column's name.
"""

SIGNS = {
    "==": "=",
    "<>": "!=",
    "≠": "!=",
    "≤": "<=",
    "≥": ">=",
    "，": ",",
    "（": "(",
    "）": ")",
} | {sign: sign for sign in ("<=", ">=", "!=", "=", "<", ">", "(", ")", "[", "]", ",")}
BY_LENGTH = sorted(SIGNS, key=len, reverse=True)
FOREIGN = {"&": "and", "|": "or", "!": "not", "~": "matches", "；": "and", ";": "and"}
"""Signs of other languages -> the word used here."""

WORD = re.compile(r"[\w.-]+")

Kind = Literal["word", "column", "text", "number", "sign", "end"]


@dataclass(frozen=True)
class Token:
    """text: what it means (without quotes, signs in one spelling); at, end: where it stands."""

    kind: Kind
    text: str
    at: int
    end: int

    def __str__(self) -> str:
        shown = self.text if len(self.text) <= 40 else f"{self.text[:39]}…"
        return {"end": "end of rule", "text": f'"{shown}"'}.get(self.kind, shown)


def tokenize(text: str) -> list[Token]:
    """The tokens and one that marks the end. Raises ConditionError."""
    if len(text) > MAX_LENGTH:
        raise ConditionError(
            f"the condition is {len(text)} characters long; it may have {MAX_LENGTH}"
        )
    if (nul := text.find("\0")) >= 0:
        raise ConditionError("a NUL character stands here, which no text may have", text, nul)
    tokens, at = [], 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        tokens.append(token_at(text, at))
        at = tokens[-1].end
    return [*tokens, Token("end", "", len(text.rstrip()), len(text))]


def token_at(text: str, at: int) -> Token:
    if text[at] in QUOTES:
        return quoted_at(text, at)
    for sign in BY_LENGTH:
        if text.startswith(sign, at):
            return Token("sign", SIGNS[sign], at, at + len(sign))
    if found := number_at(text, at):
        return found
    if word := WORD.match(text, at):
        return Token("word", word.group(), at, word.end())
    hint = f"; write {FOREIGN[text[at]]}" if text[at] in FOREIGN else ""
    raise ConditionError(f"{text[at]} has no meaning here{hint}", text, at)


def quoted_at(text: str, at: int) -> Token:
    """From the opening mark to the closing one; two closing marks in a row stand for one inside."""
    closing, parts, begun = QUOTES[text[at]], [], at + 1
    while (end := text.find(closing, begun)) >= 0:
        parts.append(text[begun:end])
        if not text.startswith(closing, end + 1):
            return Token("column" if closing == "`" else "text", closing.join(parts), at, end + 1)
        begun = end + 2
    raise ConditionError(
        f"what begins with {text[at]} here has no closing {closing}", text, at, len(text) - at
    )


def number_at(text: str, at: int) -> Token | None:
    """A number that does not go on as a name: 2024-data.age is a column."""
    found = NUMBER.match(text, at)
    if not found or WORD.match(text, found.end()):
        return None
    if not math.isfinite(float(found.group())):
        raise ConditionError("this number is too large", text, at, found.end() - at)
    return Token("number", found.group(), at, found.end())
