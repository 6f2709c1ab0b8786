"""Samples about which two disciplines should talk: those whose label the modalities contradict, and
those on which they contradict each other.

**Suspicion** of a sample with label y is log max(k != y) p(k | x) - log p(y | x), in nats, where p
is the product of the single-modality models (methods/late.py), each calibrated and trained without
the sample's fold: above 0 the product prefers another label. Northcutt et al. 2021, Confident
Learning (JAIR), show that out-of-sample probabilities rank label errors; the log odds keep their
order where probabilities near 1 are all alike, and the product, unlike a joint network, also counts
a modality that the label alone contradicts. It is used whatever the run's own method is, since
every run trains the single models.

**Contradiction** of a sample is the largest product of two modalities' confidences in different
answers, 0 to 1.

Both are said here for one label of several; what they are for a number and for a set of labels
stands with the learning task.
"""

import numpy as np
from numpy.typing import NDArray

from fusion.core.arrays import Array, Floats, Ints
from fusion.schema.result import Disagreement, Kind
from fusion.tasks.base import LearningTask
from fusion.tasks.predictions import Scored

MOST = 40
"""Samples of each kind that the result holds; the suspicion of every sample stands in
predictions.parquet.
"""


def together(
    task: LearningTask, singles: dict[str, Floats], mask: NDArray[np.bool_], prior: Array
) -> Floats:
    """(n, D) answers: the product of the single models, mean over the seeds. singles: (S, n, D),
    the prior where absent.
    """
    beliefs = np.stack([task.beliefs(task.outputs(answers)) for answers in singles.values()], -2)
    return task.predictions(task.product(beliefs, mask, prior)).mean(0)


def contradiction(singles: dict[str, Floats], scored: Scored) -> tuple[Floats, Ints]:
    """singles: (n, D). How much the two modalities that contradict each other most do so: (n,), and
    their columns: (n, 2).
    """
    strongest_of, pairs = np.zeros(len(scored)), np.zeros((len(scored), 2), dtype=np.int64)
    for i, first in enumerate(scored.modalities):
        for j, second in enumerate(scored.modalities[:i]):
            both = scored.mask[:, i] & scored.mask[:, j]
            value = np.where(both, scored.task.contradiction(singles[first], singles[second]), 0)
            pairs[value > strongest_of] = j, i
            strongest_of = np.maximum(strongest_of, value)
    return strongest_of, pairs


def disagreements(singles: dict[str, Floats], scored: Scored) -> list[Disagreement]:
    """Those that contradict the label, then those whose modalities contradict each other; the
    strongest first in each kind, and a sample may be in both. singles: modality -> (S, n, D),
    calibrated and out of fold.
    """
    if not singles:
        return []
    product, alone = (
        together(scored.task, singles, scored.mask, scored.log_prior),
        {name: p.mean(0) for name, p in singles.items()},
    )
    suspicious, (opposed, pairs) = (
        scored.task.suspicion(product, scored.y),
        contradiction(alone, scored),
    )
    rows = [
        described(i, "label", suspicious[i], product, alone, scored)
        for i in strongest(suspicious, scored)
    ]
    for i in strongest(opposed, scored):
        row = described(i, "modalities", opposed[i], product, alone, scored)
        rows.append(
            row.model_copy(update={"between": [scored.modalities[column] for column in pairs[i]]})
        )
    return rows


def strongest(score: Floats, scored: Scored) -> list[int]:
    """Rows whose score is above 0, by score and then by key, so that the order of the rows changes
    nothing.
    """
    return sorted(
        (int(i) for i in np.flatnonzero(score > 0)), key=lambda i: (-score[i], scored.keys[i])
    )[:MOST]


def described(
    i: int, kind: Kind, score: float, product: Floats, alone: dict[str, Floats], scored: Scored
) -> Disagreement:
    """Sample i; `between` are the modalities that alone answer as the product does."""
    task, y = scored.task, scored.y[i]
    there = [name for name, present in zip(scored.modalities, scored.mask[i]) if present]
    predictions = {name: task.worded(p[i]) if name in there else None for name, p in alone.items()}
    agree = [name for name in there if task.sides(alone[name][i], product[i], y)]
    answer = task.worded(product[i]).answer
    return Disagreement(
        key=scored.keys[i],
        kind=kind,
        score=float(score),
        truth=task.truth(y),
        answer=answer,
        said=predictions,
        between=agree,
    )
