"""A number: y (n,) floats, NaN where there is none. What is believed is a Gaussian in the label's own units."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusion.evaluate.bootstrap import Resampler
from fusion.evaluate.scores_of_numbers import NumberScores

from .base import Array, Floats, LearningTask, Temperature

LEAST = 1e-9
"""Of the largest label: a spread below it is none."""


class Regression(LearningTask):
    name = "regression"
    headline = NumberScores.headline

    @property
    def width(self) -> int:
        return 2

    def encode(self, labels: Sequence[Any]) -> Array:
        return np.array([np.nan if label is None else float(label) for label in labels], dtype=np.float64)

    def prior(self, y: Array) -> Array:
        """Mean and log variance. In double precision, so that years or prices lose no digits."""
        spread = max(float(y.std()), LEAST * max(1.0, float(np.abs(y).max(initial=0.0)))) if len(y) else 1.0
        return np.array([y.mean() if len(y) else 0.0, 2 * np.log(spread)])

    def beliefs(self, outputs: Array, temperature: Temperature = 1.0) -> Floats:
        mean, log_variance = np.moveaxis(outputs.astype(np.float64), -1, 0)
        return np.stack([mean, log_variance + np.log(temperature)], -1)

    def answers(self, beliefs: Floats) -> Floats:
        return np.stack([beliefs[..., 0], np.exp(beliefs[..., 1] / 2)], -1)

    def outputs(self, answers: Floats) -> Floats:
        return np.stack([answers[..., 0], 2 * np.log(answers[..., 1])], -1)

    def evidence(self, beliefs: Floats, mask: NDArray[np.bool_], prior: Array) -> Floats:
        """What is added to precision times mean (about the prior's mean) and to the precision.

        A witness who is less certain than the prior is taken to be as certain: a precision below 0 is no Gaussian's.
        """
        centre, known = prior[..., None, 0], np.exp(-prior[..., None, 1])
        precision = np.maximum(np.exp(-beliefs[..., 1]), known)
        added = np.stack([precision * (beliefs[..., 0] - centre), precision - known], -1)
        return np.where(mask[..., None], added, 0).sum(-2)

    def product(self, beliefs: Floats, mask: NDArray[np.bool_], prior: Array) -> Floats:
        added = self.evidence(beliefs, mask, prior)
        precision = np.exp(-prior[..., 1]) + added[..., 1]
        return np.stack([prior[..., 0] + added[..., 0] / precision, -np.log(precision)], -1)

    def log_loss(self, outputs: Array, y: Array, temperature: float) -> float:
        mean, log_variance = np.moveaxis(self.beliefs(outputs, temperature), -1, 0)
        return float(0.5 * np.mean(np.log(2 * np.pi) + log_variance + (y - mean) ** 2 / np.exp(log_variance)))

    def merit(self, outputs: Array, y: Array) -> float:
        return -float(((outputs[:, 0] - y) ** 2).mean())

    def score(self, y: Array, answers: Floats) -> float:
        """R2; 0 where the truth does not vary."""
        around = float(((y - y.mean()) ** 2).sum()) if len(y) else 0.0
        return 1 - float(((answers[:, 0] - y) ** 2).sum()) / around if around > 0 else 0.0

    def members(self, y: Array) -> NDArray[np.bool_]:
        return np.zeros((len(y), 0), dtype=bool)

    def scores(
        self, resampler: Resampler, y: Array, answers: Floats, chosen: NDArray[np.bool_] | None = None, bins: int = 1024
    ) -> NumberScores:
        return NumberScores(resampler, y, answers, chosen, bins)
