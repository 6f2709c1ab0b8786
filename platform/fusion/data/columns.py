"""What a column of a table holds: its kind, its values in that kind, and whether it gives the label
away. Light: no numpy.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fusion.core.column_values import MEDIA_KINDS, is_number, is_time, missing, to_text

GROUP_NAMES = re.compile(
    r"(^|_)(group|patient|subject|speaker|writer|reader|person|participant|site|centre|center|hospital|station|form)(_id|$)"
)
LABEL_NAMES = re.compile(r"(^|_)(label|class|target|diagnosis|truth)(_name|$)")
ID_NAMES = re.compile(r"(^|_)(id|key|uuid|source)$")
SNIFFED_VALUES = 20

LEAK_SHARE = 0.99
LEAK_SUPPORT = 0.5


def guess_kind(
    values: Iterable[Any], name: str = "", sniff: Callable[[str], str | None] | None = None
) -> str:
    """The most likely kind of a column.

    `sniff(value)` says what the file of this name is (image, audio, text, table, or None if there
    is none); the page that imports a table passes one that looks into the uploaded archive. Without
    it no column is taken for media.
    """
    present = [v for v in values if not missing(v)]
    if not present:
        return "category"
    if any(isinstance(v, list | tuple) for v in present):
        return "series" if all(is_number(x) for v in present for x in v) else "tags"
    texts = [to_text(v) for v in present]
    if sniff and (media := media_kind(texts, sniff)):
        return media
    return guess_plain(texts, name.lower())


def media_kind(texts: list[str], sniff: Callable[[str], str | None]) -> str | None:
    """A column names media when most of its first values are files of one medium; broken ones among
    them do not matter.
    """
    found = Counter(kind for text in texts[:SNIFFED_VALUES] if (kind := sniff(text)) in MEDIA_KINDS)
    if not found:
        return None
    kind, count = found.most_common(1)[0]
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
    if all(is_number(t) for t in texts):
        return "number"
    if all(is_time(t) for t in texts):
        return "time"
    return guess_words(texts, distinct)


def guess_words(texts: list[str], distinct: int) -> str:
    words = sum(len(t.split()) for t in texts) / len(texts)
    if words < 4 and sum(bool(re.search(r"\w[;|]\s*\w", t)) for t in texts) > len(texts) / 4:
        return "tags"
    if distinct <= max(20, len(texts) / 20) and words < 6:
        return "category"
    if words < 1.5:
        return "id" if distinct > 0.9 * len(texts) else "category"
    return "text"


@dataclass(frozen=True)
class Leak:
    """A column whose value alone tells the label. `share`: of the samples whose value also occurs
    on another sample.
    """

    column: str
    share: float

    def __str__(self) -> str:
        return f"{self.column} alone determines the label ({self.share:.0%} of the samples): it is not offered as a modality"


def find_leaks(
    columns: dict[str, tuple[str, Sequence[Any]]], labels: Sequence[str | None]
) -> list[Leak]:
    """Columns (name -> kind, values in the order of `labels`) that determine the label.

    Each sample's label is guessed from the *other* samples with the same value, so a column of
    unique values tells nothing. Groups and ids are never named: that one patient has one label is a
    matter of the split, not a leak.
    """
    leaks = []
    for name, (kind, values) in columns.items():
        if kind in ("group", "id", *MEDIA_KINDS, "series"):
            continue
        share = guessed_share([tuple(v) if isinstance(v, list) else v for v in values], labels)
        if share >= LEAK_SHARE:
            leaks.append(Leak(name, share))
    return leaks


def guessed_share(values: Sequence[Hashable], labels: Sequence[str | None]) -> float:
    """Share of labels guessed right by leave-one-out; 0 if too few samples share their value with
    another.
    """
    counts: dict[Hashable, Counter[str]] = defaultdict(Counter)
    pairs = [(v, y) for v, y in zip(values, labels) if v is not None and y is not None]
    for value, label in pairs:
        counts[value][label] += 1
    right = supported = 0
    for value, label in pairs:
        others = counts[value].total() - 1
        if others < 1:
            continue
        supported += 1
        best_other = max((n for y, n in counts[value].items() if y != label), default=0)
        right += counts[value][label] - 1 > best_other
    guessed = {c.most_common(1)[0][0] for c in counts.values() if c.total() > 1}
    if len(guessed) < 2 or supported < LEAK_SUPPORT * len(pairs):
        return 0.0
    return right / supported
