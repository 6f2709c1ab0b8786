"""An ensemble of methods: a weighted mean of their calibrated log-probabilities, renormalised, with a temperature of its own.

    log p(y | x) = 1/T * sum over the members m of w_m log p_m(y | x) + constant,   w_m >= 0, sum of w_m = 1

The logarithmic opinion pool (Genest & Zidek 1986, Combining Probability Distributions, Statistical Science 1). The weights come from
greedy selection with replacement (Caruana et al. 2004, Ensemble Selection from Libraries of Models, ICML): in each step that member joins
once more with which the log loss of the inner validation answers is least. Weights and temperature see training samples only.

Members that read all modalities at once are calibrated for complete samples, so they answer these alone. Where a sample lacks a modality,
late fusion answers, a product of models none of which has lost anything (docs/decisions/an-ensemble-answers-complete-samples.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import log_softmax

from fusion.evaluate.answers import Answers, Scored
from fusion.evaluate.calibration import log_loss, temperature_of
from fusion.evaluate.metrics import Floats, Ints

STEPS = 20
"""Of the greedy selection: weights are multiples of one in at most so many."""


@dataclass(frozen=True)
class Pool:
    """weights: by member, they sum to 1."""

    weights: dict[str, float]
    temperature: float

    @classmethod
    def of(cls, log_p: Mapping[str, Floats], y: Ints) -> "Pool":
        """log_p: {member: (n, K)} of samples that the members had not seen; without any, all members count alike."""
        said = np.stack(list(log_p.values()))
        counts, total = np.zeros(len(said)), np.zeros(said.shape[1:])
        best, weights = np.inf, np.full(len(said), 1 / len(said))
        for step in range(1, STEPS + 1 if len(y) else 1):
            losses = [log_loss((total + one) / step, y, 1.0) for one in said]
            joins = int(np.argmin(losses))
            counts[joins] += 1
            total = total + said[joins]
            if losses[joins] < best:
                best, weights = losses[joins], counts / step
        return cls(dict(zip(log_p, weights.tolist())), temperature_of(np.tensordot(weights, said, axes=1), y))

    def __call__(self, log_p: Mapping[str, Floats]) -> Floats:
        """{member: (..., n, K)} -> log-probabilities (..., n, K)"""
        joint = sum(weight * log_p[name] for name, weight in self.weights.items())
        return np.asarray(log_softmax(joint / self.temperature, axis=-1))


def pooled_answers(pools: Sequence[tuple[Pool, int]], methods: Mapping[str, Answers], scored: Scored) -> Answers:
    """pools: each with the number of samples that it answers, in their order. methods: late, and those of the members."""
    late, complete = methods["late"], scored.mask.all(1, keepdims=True)
    members = {name: methods[name] for name in pools[0][0].weights}
    everything = max(late.by_coalition, key=len)
    whole = together(pools, {name: answers.whole for name, answers in members.items()})
    plain = [(replace(pool, temperature=1.0), n) for pool, n in pools]
    uncalibrated = together(plain, {name: answers.uncalibrated for name, answers in members.items()})
    by_coalition = late.by_coalition | {everything: np.where(complete, whole, late.whole)}
    return Answers(by_coalition, np.where(complete, uncalibrated, late.uncalibrated))


def together(pools: Sequence[tuple[Pool, int]], members: Mapping[str, Floats]) -> Floats:
    """{member: (S, n, K) probabilities} -> (S, n, K)"""
    ends = np.cumsum([n for _, n in pools])[:-1]
    log_p = {name: np.split(logs(p), ends, axis=1) for name, p in members.items()}
    return np.exp(np.concatenate([pool({name: log_p[name][i] for name in log_p}) for i, (pool, _) in enumerate(pools)], axis=1))


def logs(p: Floats) -> Floats:
    """A probability that is too small for a number is as good as none, but its logarithm must stay one."""
    return np.asarray(np.log(np.maximum(p, np.finfo(p.dtype).tiny)))
