"""Columns that give the label away."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from fusion.core.column_values import MEDIA_KINDS

LEAK_SHARE = 0.99
LEAK_SUPPORT = 0.5


@dataclass(frozen=True)
class Leak:
    """A column whose value alone tells the label. `share`: of the samples whose value also occurs
    on another sample.
    """

    column: str
    share: float

    def __str__(self) -> str:
        return (
            f"{self.column} alone determines the label ({self.share:.0%} of the samples): it "
            "is not offered as a modality"
        )


def find_leaks(columns: dict[str, tuple[str, Sequence[Any]]], labels: Sequence[Any]) -> list[Leak]:
    """Columns (name -> kind, values in the order of `labels`) that determine the label.

    Each sample's label is guessed from the *other* samples with the same value, so a column of
    unique values tells nothing. Groups and ids are never named: that one patient has one label is a
    matter of the split, not a leak.
    """
    leaks, truth = [], hashable(labels)
    for name, (kind, values) in columns.items():
        if kind in ("group", "id", *MEDIA_KINDS, "series"):
            continue
        share = guessed_share(hashable(values), truth)
        if share >= LEAK_SHARE:
            leaks.append(Leak(name, share))
    return leaks


def hashable(values: Sequence[Any]) -> list[Hashable]:
    return [tuple(value) if isinstance(value, list) else value for value in values]


def guessed_share(values: Sequence[Hashable], labels: Sequence[Hashable]) -> float:
    """Share of labels guessed right by leave-one-out; 0 if too few samples share their value with
    another.
    """
    counts: dict[Hashable, Counter[Hashable]] = defaultdict(Counter)
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
