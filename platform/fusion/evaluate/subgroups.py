"""How well a model does for each value of each group or category column."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusion.evaluate.answers import Scored
from fusion.evaluate.bootstrap import Resampler, few, interval
from fusion.evaluate.metrics import Floats
from fusion.evaluate.scores import Scores
from fusion.result import Interval, Subgroup

FEW_SAMPLES = 20
MOST_VALUES = 40
"""A column with more values (a writer, a page) holds single samples, not subgroups."""


def subgroups(probabilities: Floats, scored: Scored, resampler: Resampler, columns: Mapping[str, Sequence[Any]]) -> list[Subgroup]:
    """columns: name -> (n,) values, None where there is none."""
    found = []
    for column, values in columns.items():
        texts = np.array(["" if v is None else str(v) for v in values], dtype=object)
        counts = Counter(text for text in texts if text)
        if len(counts) > MOST_VALUES:
            continue
        for value in sorted(counts):
            chosen = texts == value
            clusters = len(np.unique(resampler.index[chosen]))
            macro_f1 = score(Scores(resampler, scored.y, probabilities, chosen), chosen, clusters)
            found.append(Subgroup(column=column, value=value, n=counts[value], macro_f1=macro_f1, note=note(counts[value], clusters)))
    return found


def score(scores: Scores, chosen: NDArray[np.bool_], clusters: int) -> Interval:
    """Draws that hold no sample of the subgroup say nothing about it; one cluster alone gives no interval at all."""
    held = scores.resampler.sums(chosen[:, None].astype(np.float64))[:, 0] > 0
    values = np.where(held, scores.macro_f1, np.nan)
    return interval(values) if clusters > 1 else Interval(value=float(values[0]))


def note(n: int, clusters: int) -> str | None:
    return f"only {n} samples" if n < FEW_SAMPLES else few(clusters)
