"""Kinds of columns, and the values of a cell in each kind. Light: no numpy."""

import math
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal, get_args

Kind = Literal[
    "image", "audio", "text", "number", "category", "label", "group", "series", "tags", "id", "time"
]


KINDS: tuple[str, ...] = get_args(Kind)


MEDIA_KINDS = ("image", "audio")


MISSING_MARKS = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "?"})


class BadCell(ValueError):
    """A value that is not of its column's kind; the message continues the sentence "column C: ..."."""


def missing(value: Any) -> bool:
    """Empty, or one of the usual marks for "unknown"."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return True
    return isinstance(value, str) and value.strip().lower() in MISSING_MARKS


def to_number(value: Any) -> float:
    """A finite number; raises BadCell."""
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise BadCell(
            f"{str(value)[:40]!r} is no number; leave the cell empty where it is unknown"
        ) from error
    if not math.isfinite(number):
        raise BadCell(f"{value!r} is no finite number")
    return number


def to_tags(value: Any) -> list[str]:
    parts = value if isinstance(value, list | tuple) else re.split(r"[;|,]", str(value))
    return [str(part).strip() for part in parts if str(part).strip()]


def to_text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def to_series(value: Any) -> Any:
    """A list of numbers stays one; anything else is a path or a text that
    `fusion.data.modalities.series` reads.
    """
    return list(value) if isinstance(value, list | tuple) else str(value).strip()


READERS: dict[str, Callable[[Any], Any]] = {
    "number": to_number,
    "tags": to_tags,
    "series": to_series,
}


def value_of(raw: Any, kind: str) -> Any:
    """One cell in its column's kind, None where it is missing. A text may be any words, also
    "none". Raises BadCell.
    """
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return None
    if kind != "text" and missing(raw):
        return None
    return READERS.get(kind, to_text)(raw)


def is_number(value: Any) -> bool:
    try:
        to_number(value)
    except BadCell:
        return False
    return True


def is_time(text: str) -> bool:
    if not re.match(r"\d{4}-\d\d", text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
