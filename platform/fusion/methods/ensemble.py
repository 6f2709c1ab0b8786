"""An ensemble of methods: a weighted mean of their calibrated beliefs (fusion.tasks.base), with a
temperature of its own.

    log p(y | x) = 1/T * sum over the members m of w_m log p_m(y | x) + constant
    with w_m >= 0 and the sum of w_m = 1

The logarithmic opinion pool (Genest & Zidek 1986, Combining Probability Distributions, Statistical
Science 1). The weights come from greedy selection with replacement (Caruana et al. 2004, Ensemble
Selection from Libraries of Models, ICML): in each step that member joins once more with which the
log loss of the inner validation predictions is least. Weights and temperature see training samples
only.

Members that read all modalities at once are calibrated for complete samples, so they answer these
alone. Where a sample lacks a modality, late fusion answers, a product of models none of which has
lost anything (docs/decisions/an-ensemble-answers-complete-samples.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fusion.core.arrays import Array, Floats
from fusion.tasks.base import LearningTask
from fusion.tasks.calibration import temperature_of
from fusion.tasks.predictions import MethodPredictions, Samples

STEPS = 20
"""Of the greedy selection: weights are multiples of one in at most so many."""
LEAST = -745.0
"""A probability that is too small for a number is as good as none, but its logarithm must stay a
number.
"""


@dataclass(frozen=True)
class Pool:
    """weights: by member, they sum to 1."""

    weights: dict[str, float]
    temperature: float

    @classmethod
    def of(cls, task: LearningTask, beliefs: Mapping[str, Floats], y: Array) -> "Pool":
        """beliefs: {member: (n, D)} about samples that the members had not seen; without any, all
        members count alike.
        """
        stacked = np.stack(list(beliefs.values()))
        counts, best, weights = (
            np.zeros(len(stacked)),
            np.inf,
            np.full(len(stacked), 1 / len(stacked)),
        )
        for step in range(1, STEPS + 1 if len(y) else 1):
            tried = (counts + np.eye(len(stacked))) / step
            losses = [
                task.log_loss(outputs_of(task, task.pooled(stacked, shares)), y, 1.0)
                for shares in tried
            ]
            joins = int(np.argmin(losses))
            counts[joins] += 1
            if losses[joins] < best:
                best, weights = losses[joins], tried[joins]
        joined = outputs_of(task, task.pooled(stacked, weights))
        return cls(dict(zip(beliefs, weights.tolist())), temperature_of(joined, y, task.log_loss))

    def __call__(self, task: LearningTask, beliefs: Mapping[str, Floats]) -> Floats:
        """{member: (..., n, D)} -> the beliefs of all together, (..., n, D)"""
        joint = task.pooled(
            np.stack([beliefs[name] for name in self.weights]),
            np.array(list(self.weights.values())),
        )
        return task.beliefs(outputs_of(task, joint), self.temperature)


def outputs_of(task: LearningTask, beliefs: Floats) -> Array:
    return task.outputs(task.predictions(beliefs))


def beliefs_of(task: LearningTask, predictions: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        beliefs: Floats = np.nan_to_num(task.beliefs(task.outputs(predictions)), neginf=LEAST)
    return beliefs


def pooled_predictions(
    pools: Sequence[tuple[Pool, int]],
    late: MethodPredictions,
    members: Mapping[str, MethodPredictions],
    samples: Samples,
) -> MethodPredictions:
    """Return the ensemble's predictions of complete samples, and late fusion's of the others.

    pools: each with the number of samples that it answers, in their order; members: method -> its
    predictions.
    """
    complete = samples.mask.all(1, keepdims=True)
    everything = max(late.by_coalition, key=len)
    whole = together(
        samples.task, pools, {name: predictions.whole for name, predictions in members.items()}
    )
    plain = [(replace(pool, temperature=1.0), n) for pool, n in pools]
    uncalibrated = together(
        samples.task,
        plain,
        {name: predictions.uncalibrated for name, predictions in members.items()},
    )
    by_coalition = late.by_coalition | {everything: np.where(complete, whole, late.whole)}
    return MethodPredictions(by_coalition, np.where(complete, uncalibrated, late.uncalibrated))


def together(
    task: LearningTask, pools: Sequence[tuple[Pool, int]], members: Mapping[str, Floats]
) -> Floats:
    """{member: (S, n, D) predictions} -> (S, n, D)"""
    ends = np.cumsum([n for _, n in pools])[:-1]
    parts_of = {
        name: np.split(beliefs_of(task, predictions), ends, axis=1)
        for name, predictions in members.items()
    }
    joint = [
        pool(task, {name: parts[i] for name, parts in parts_of.items()})
        for i, (pool, _) in enumerate(pools)
    ]
    return task.predictions(np.concatenate(joint, axis=1))
