"""Answers: what models said about the test samples, with every coalition of modalities. All that the evaluation reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from fusion.evaluate.metrics import Floats, Ints

Coalition = tuple[int, ...]

EXACT = 6
"""Up to so many modalities all orders are counted; above, 2M fixed orders (Castro et al. 2009), whose shares still add up."""


@dataclass(frozen=True)
class Scored:
    """The test samples. y: (n,), mask: (n, M), log_prior: (n, K) of each sample's training fold, cluster and fold: (n,) names."""

    keys: list[str]
    y: Ints
    mask: NDArray[np.bool_]
    log_prior: Floats
    cluster: NDArray[Any]
    fold: NDArray[Any]
    labels: list[str]
    modalities: list[str]

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True)
class Answers:
    """Of one method: {coalition: (S, n, K) probabilities}, and those with every temperature at 1, (S, n, K).

    before_rules: the same by coalition without the rules, where rules take part at prediction.
    """

    by_coalition: dict[Coalition, Floats]
    uncalibrated: Floats
    before_rules: dict[Coalition, Floats] | None = None

    @property
    def whole(self) -> Floats:
        """With every modality that a sample has: (S, n, K)."""
        return self.by_coalition[max(self.by_coalition, key=len)]


def orders(m: int) -> list[Coalition]:
    if m <= EXACT:
        return list(permutations(range(m)))
    turned = [tuple((start + i) % m for i in range(m)) for start in range(m)]
    return turned + [order[::-1] for order in turned]


def coalitions(m: int) -> list[Coalition]:
    """The sets of modalities that the evaluation asks about, the empty one first: all of them up to six modalities."""
    found = {tuple(sorted(order[:size])) for order in orders(m) for size in range(m + 1)}
    found |= {tuple(j for j in range(m) if j != i) for i in range(m)} | {(i,) for i in range(m)}
    return sorted(found, key=lambda coalition: (len(coalition), coalition))


def hide(mask: NDArray[np.bool_], coalition: Coalition) -> NDArray[np.bool_]:
    """(n, M) without the modalities outside the coalition."""
    return mask & np.isin(np.arange(mask.shape[1]), coalition)


def late_answers(logits: Floats, temperatures: Floats, scored: Scored, wanted: Sequence[Coalition]) -> Answers:
    """The product of single-modality models (see methods/late.py). logits: (S, n, M, K), temperatures: (n, M)."""

    def product(evidence: Floats, mask: NDArray[np.bool_]) -> Floats:
        joint = scored.log_prior + (evidence * mask[..., None]).sum(2)
        return np.exp(log_softmax(joint, axis=-1))

    calibrated = log_softmax(logits / temperatures[..., None], axis=-1) - scored.log_prior[:, None]
    plain = log_softmax(logits, axis=-1) - scored.log_prior[:, None]
    return Answers({each: product(calibrated, hide(scored.mask, each)) for each in wanted}, product(plain, scored.mask))


def alone(logits: Floats, temperatures: Floats, scored: Scored, column: int) -> tuple[Floats, Floats]:
    """One modality's answers, calibrated and not: (S, n, K) each; the training prior where it is absent."""
    present = scored.mask[:, column, None]
    calibrated = np.where(present, log_softmax(logits[:, :, column] / temperatures[:, column, None], axis=-1), scored.log_prior)
    return np.exp(calibrated), np.exp(np.where(present, log_softmax(logits[:, :, column], axis=-1), scored.log_prior))
