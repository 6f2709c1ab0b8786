"""The kind of a column and the way its texts are written, guessed from its values."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from fusion.core.column_values import (
    DATE,
    DATE_ORDERS,
    MEDIA_KINDS,
    SPACES,
    USUAL,
    BadCell,
    Writing,
    is_number,
    iso_moment,
    json_list,
    missing,
    to_number,
    to_text,
    to_time,
)

Sniff = Callable[[str], str | None]

GROUP_NAMES = re.compile(
    r"(^|_)(group|patient|subject|speaker|writer|reader|person|participant|site|centre|center"
    r"|hospital|station|form)(_id|$)"
)
LABEL_NAMES = re.compile(r"(^|_)(label|class|target|diagnosis|truth)(_name|$)")
ID_NAMES = re.compile(r"(^|_)(id|key|uuid|source)$")
SNIFFED_VALUES = 20
DECIMAL_COMMA = Writing(decimal=",", thousands="." + SPACES)
DECIMAL_POINT = Writing(thousands="," + SPACES)


def guess_kind(values: Iterable[Any], name: str = "", sniff: Sniff | None = None) -> str:
    """Return the most likely kind of a column.

    `sniff(value)` tells the medium of the file that a cell names, None if there is no such file;
    without it no column is taken for media.
    """
    present = [value for value in values if not missing(value)]
    if not present:
        return "category"
    if any(isinstance(value, list | tuple) for value in present):
        numeric = all(is_number(part) for value in present for part in value)
        return "series" if numeric else "tags"
    texts = [to_text(value) for value in present]
    if sniff and (media := media_kind(texts, sniff)):
        return media
    return guess_plain(texts, name.lower())


def media_kind(texts: list[str], sniff: Sniff) -> str | None:
    """Return the medium of most of the first files that the column names; broken ones among them do
    not matter. Words that come again and again, without an ending, name no files.
    """
    if len(set(texts)) <= len(texts) / 2 and not any(re.search(r"[./\\]", text) for text in texts):
        return None
    media = Counter(kind for text in texts[:SNIFFED_VALUES] if (kind := sniff(text)) in MEDIA_KINDS)
    if not media:
        return None
    kind, count = media.most_common(1)[0]
    return kind if 2 * count >= min(len(texts), SNIFFED_VALUES) else None


def guess_plain(texts: list[str], name: str) -> str:
    distinct = len(set(texts))
    repeated = distinct <= len(texts) / 2
    if ID_NAMES.search(name) and distinct > 0.9 * len(texts):
        return "id"
    if repeated and GROUP_NAMES.search(name):
        return "group"
    if repeated and LABEL_NAMES.search(name):
        return "label"
    numbers = number_writing(texts)
    if all(is_written(text, numbers) for text in texts):
        return "number"
    if are_dates(texts):
        return "time"
    return guess_words(texts, distinct)


def guess_words(texts: list[str], distinct: int) -> str:
    words = sum(len(text.split()) for text in texts) / len(texts)
    marked = sum(bool(re.search(r"\w[;|#]\s*\w", text) or json_list(text)) for text in texts)
    if words < 4 and marked > len(texts) / 4:
        return "tags"
    if distinct <= max(20, len(texts) / 20) and words < 6:
        return "category"
    if words < 1.5:
        return "id" if distinct > 0.9 * len(texts) else "category"
    return "text"


def is_written(text: Any, writing: Writing) -> bool:
    """Return whether a text is a number in this way of writing."""
    try:
        to_number(text, writing)
    except BadCell:
        return False
    return True


def number_writing(values: Sequence[Any], separator: str = "") -> Writing:
    """Return the way of writing in which most values are numbers, a point where it makes no
    difference. separator: of the file; where a comma may mean either, it is a decimal comma in a
    file that is not separated by commas.
    """
    texts = [value for value in values if isinstance(value, str) and not missing(value)]
    if all(is_written(text, USUAL) for text in texts):
        return USUAL
    marked = (DECIMAL_POINT, DECIMAL_COMMA) if separator == "," else (DECIMAL_COMMA, DECIMAL_POINT)
    return max((USUAL, *marked), key=lambda way: sum(is_written(text, way) for text in texts))


def tag_marks(values: Sequence[Any]) -> str:
    """Return the characters that the tags of a column are split at: semicolons and bars where there
    are any, else #, else commas.
    """
    texts = [value for value in values if isinstance(value, str) and not json_list(value)]
    return next((marks for marks in (";|", "#") if any(m in t for t in texts for m in marks)), ",")


def date_order(values: Sequence[Any]) -> tuple[str, bool]:
    """Return the order of day, month and year in which most values are dates, "" where none is or
    all are in ISO 8601, and whether another order would do as well.
    """
    texts = [str(value) for value in values if not missing(value) and not iso_moment(str(value))]
    counts = {order: sum(is_date(text, order) for text in texts) for order in DATE_ORDERS}
    most = max(counts.values())
    orders = [order for order in DATE_ORDERS if counts[order] == most]
    return (orders[0], len(orders) > 1) if most else ("", False)


def are_dates(texts: Sequence[str]) -> bool:
    """Return whether all texts are dates, in ISO 8601 or in one order of day, month and year."""
    if not all(iso_moment(text) or DATE.fullmatch(text) for text in texts):
        return False
    order, _ = date_order(texts)
    return all(is_date(text, order) for text in texts)


def is_date(text: str, order: str) -> bool:
    try:
        to_time(text, Writing(dates=order))
    except BadCell:
        return False
    return True
