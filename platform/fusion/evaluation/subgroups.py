"""How well a model does for each value of each group or category column, by every metric."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fusion.core.arrays import Floats
from fusion.schema.intervals import Interval
from fusion.schema.notes import Note
from fusion.schema.result import Subgroup
from fusion.tasks.bootstrap import Resampler, cluster_note
from fusion.tasks.predictions import Scored

FEW_SAMPLES = 20
MOST_VALUES = 40
"""A column with more values (a writer, a page) holds single samples, not subgroups."""
AUROC_BINS = 256
"""Exact up to so many samples; above, far finer than the interval is wide."""


def subgroups(
    probabilities: Floats,
    scored: Scored,
    resampler: Resampler,
    columns: Mapping[str, Sequence[Any]],
    names: Sequence[str] | None = None,
) -> list[Subgroup]:
    """columns: name -> (n,) values, None where there is none; names: the metrics that can be known,
    all by default.
    """
    found = []
    for column, values in columns.items():
        texts = np.array(["" if v is None else str(v) for v in values], dtype=object)
        counts = Counter(text for text in texts if text)
        if len(counts) > MOST_VALUES:
            continue
        for value in sorted(counts):
            chosen = texts == value
            clusters = len(np.unique(resampler.index[chosen]))
            figures = scored.scores(resampler, probabilities, chosen, AUROC_BINS).all(names)
            if clusters == 1:
                figures = {name: Interval(value=one.value) for name, one in figures.items()}
            n = counts[value]
            found.append(
                Subgroup(
                    column=column,
                    value=value,
                    n=n,
                    score=next(iter(figures.values())),
                    note=note(n, clusters),
                    metrics=figures,
                )
            )
    return found


def note(n: int, clusters: int) -> Note | None:
    return Note.of("few_samples", n=n) if n < FEW_SAMPLES else cluster_note(clusters)


def subgroup_columns(columns: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
    """Those of words that do not merely repeat one before them."""
    kept: dict[str, list[Any]] = {}
    for name, values in columns.items():
        if wordy(values) and not any(repeats(values, other) for other in kept.values()):
            kept[name] = list(values)
    return kept


def repeats(values: Sequence[Any], other: Sequence[Any]) -> bool:
    """Says the same as the other wherever it says anything: two data sets that both name the
    speaker.
    """
    return all(value is None or value == known for value, known in zip(values, other, strict=True))


def wordy(values: Sequence[Any]) -> bool:
    given = [value for value in values if value is not None]
    return bool(given) and all(isinstance(value, str) for value in given) and len(set(given)) > 1
