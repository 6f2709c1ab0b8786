"""Kinds of columns, and the value of one cell in each kind. Light: no numpy."""

import json
import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

Kind = Literal[
    "image", "audio", "text", "number", "category", "label", "group", "series", "tags", "id", "time"
]
KINDS: tuple[str, ...] = get_args(Kind)
MEDIA_KINDS = ("image", "audio")
VALUE_WORDS = frozenset({"na", "n/a", "null", "none"})
"""Words that often mean "unknown" and that may as well be the name of a class."""
MISSING_MARKS = frozenset({"", "nan", "-", "?"}) | VALUE_WORDS
WORDS_ARE_VALUES = ("label", "category")
"""Kinds whose cells keep `VALUE_WORDS` as values."""
INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\u180e\ufeff\u00ad]")
UNUSABLE = re.compile("[\0\ud800-\udfff]")
"""Characters that no text may have: NUL, and halves of a pair of UTF-16."""
WHOLE = re.compile(r"([+-]?\d+)\.0+")
TRUTH_VALUES = ("True", "TRUE", "False", "FALSE")
SPACES = " \u00a0\u202f'’"
IN_THOUSANDS = {
    ",": re.compile(rf"[+-]?([1-9]\d{{0,2}}([,{SPACES}]\d{{3}})+|\d*)(\.\d*)?([eE][+-]?\d+)?"),
    ".": re.compile(rf"[+-]?([1-9]\d{{0,2}}([.{SPACES}]\d{{3}})+|\d*)(,\d*)?([eE][+-]?\d+)?"),
}
"""Numbers by their mark of thousands, which stands before every group of three and nowhere else."""
DATE_ORDERS = {"year, month, day": "ymd", "day, month, year": "dmy", "month, day, year": "mdy"}
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DATE = re.compile(
    r"(\w{1,9})\.?[\s./年-]\s*(\w{1,9})\.?[\s,./月-]\s*(\d{1,4})日?"
    r"(?:[ T]+(\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d+)?)?)?"
)


class BadCell(ValueError):
    """A value that is not of its column's kind; the message continues the sentence
    "column C: ...".
    """


@dataclass(frozen=True)
class Writing:
    """The way the texts of a column are written. decimal and thousands: marks in numbers; tags: the
    characters that tags are split at; dates: a key of `DATE_ORDERS`, "" for ISO 8601 alone.
    """

    decimal: str = "."
    thousands: str = ""
    tags: str = ";|"
    dates: str = ""


USUAL = Writing()


def missing(value: Any, kind: str = "") -> bool:
    """Return whether a cell is empty or says "unknown" by one of the usual marks; a text may be any
    words, and a label or category may be called None.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return True
    if not isinstance(value, str):
        return False
    word = value.strip().lower()
    if kind == "text":
        return not word
    return word in MISSING_MARKS and not (kind in WORDS_ARE_VALUES and word in VALUE_WORDS)


def to_number(value: Any, writing: Writing = USUAL) -> float:
    """Return a finite number, its thousands in groups of three; raises BadCell."""
    text = value
    if isinstance(value, str):
        text = value.strip()
        form = IN_THOUSANDS.get(writing.thousands[:1])
        if form and not form.fullmatch(text):
            raise BadCell(f"{text[:40]!r} is not written as the numbers of this column")
        for mark in writing.thousands:
            text = text.replace(mark, "")
        if writing.decimal != ".":
            text = text.replace(writing.decimal, ".")
    try:
        number = math.nan if isinstance(text, str) and "_" in text else float(text)
    except (TypeError, ValueError) as error:
        raise BadCell(
            f"{str(value)[:40]!r} is no number; leave the cell empty where it is unknown"
        ) from error
    if not math.isfinite(number):
        raise BadCell(f"{value!r} is no finite number")
    return number


def to_tags(value: Any, writing: Writing = USUAL) -> list[str]:
    """Return the tags of a cell, each once, in the order of the cell; a JSON list is one too."""
    parts = value
    if isinstance(value, str):
        parts = json_list(value)
        if parts is None:
            parts = re.split(f"[{re.escape(writing.tags)}]", value)
    elif not isinstance(value, list | tuple):
        parts = [value]
    tags = [to_text(part) for part in parts if part is not None]
    if any(map(UNUSABLE.search, tags)):
        raise BadCell("a tag holds a character that no text may have")
    return list(dict.fromkeys(filter(None, tags)))


def json_list(text: str) -> list[Any] | None:
    """Return the list that a text such as `["a", "b"]` writes out; None for any other text."""
    if not text.lstrip().startswith("["):
        return None
    try:
        parts = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return parts if isinstance(parts, list) else None


def to_text(value: Any) -> str:
    """Return a value as a name, the same whether it came as a number, a truth value or a text:
    whole numbers without their .0, true and false in small letters, Unicode composed (NFC), without
    invisible characters, with single spaces.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = " ".join(INVISIBLE.sub("", unicodedata.normalize("NFC", str(value))).split())
    if whole := WHOLE.fullmatch(text):
        return whole.group(1)
    return text.lower() if text in TRUTH_VALUES else text


def to_time(value: Any, writing: Writing = USUAL) -> str:
    """Return a moment in ISO 8601, in UTC where it has a zone; raises BadCell."""
    text = str(value).strip()
    moment = iso_moment(text) or dated(text, writing.dates)
    if moment is None:
        raise BadCell(f"{text[:40]!r} is no time; write it as 2026-11-24 or 2026-11-24T09:30")
    try:
        moment = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except OverflowError as error:
        raise BadCell(f"{text[:40]!r} is before the year 1 or after 9999 in UTC") from error
    return moment.isoformat()


def iso_moment(text: str) -> datetime | None:
    if not re.match(r"\d{4}-\d\d", text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def dated(text: str, order: str) -> datetime | None:
    """Return the moment of a date as people write it (3.11.2026, Nov 3, 2026), None where it is
    none in this order of day, month and year.
    """
    match = DATE.fullmatch(text) if order else None
    if match is None:
        return None
    parts = dict(zip(DATE_ORDERS[order], match.groups()))
    named = str(parts["m"])[:3].lower()
    month = str(MONTHS.index(named) + 1) if named in MONTHS else parts["m"]
    year = f"20{parts['y']}" if len(parts["y"]) == 2 else parts["y"]
    try:
        hour, minute, second = (int(part or 0) for part in match.groups()[3:])
        return datetime(int(year), int(month), int(parts["d"]), hour, minute, second)
    except ValueError:
        return None


def to_written(value: Any, writing: Writing = USUAL) -> Any:
    """Return a list of numbers as it is, and anything else as the text in the cell."""
    return list(value) if isinstance(value, list | tuple) else str(value).strip()


def to_name(value: Any, writing: Writing = USUAL) -> str:
    return to_text(value)


READERS: dict[str, Callable[[Any, Writing], Any]] = {
    "number": to_number,
    "tags": to_tags,
    "series": to_written,
    "image": to_written,
    "audio": to_written,
    "text": to_written,
    "time": to_time,
}


def value_of(raw: Any, kind: str, writing: Writing = USUAL) -> Any:
    """Return one cell in its column's kind, None where it is missing; raises BadCell."""
    return None if missing(raw, kind) else READERS.get(kind, to_name)(raw, writing)


def is_number(value: Any) -> bool:
    try:
        to_number(value)
    except BadCell:
        return False
    return True


def is_time(text: str) -> bool:
    return iso_moment(text) is not None
