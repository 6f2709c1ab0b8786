"""A number: y (n,) floats, NaN where there is none. What is believed is a Gaussian in the label's
own units.
"""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fusion.core.arrays import Array, Floats
from fusion.schema.result import ModalityPrediction
from fusion.schema.task_names import TaskName
from fusion.tasks.base import LearningTask, Temperature
from fusion.tasks.label_scores import TaskScores
from fusion.tasks.number_scores import NumberScores

LEAST = 1e-9
"""Of the largest label: a spread below it is none."""
FAR = 2.0
"""Spreads."""


class Regression(LearningTask):
    name: ClassVar[TaskName] = "regression"
    scores_class: ClassVar[type[TaskScores]] = NumberScores

    @property
    def width(self) -> int:
        return 2

    def encode(self, labels: Sequence[Any]) -> Array:
        return np.array(
            [np.nan if label is None else float(label) for label in labels], dtype=np.float64
        )

    def prior(self, y: Array) -> Array:
        """Mean and log variance. In double precision, so that years or prices lose no digits."""
        spread = (
            max(float(y.std()), LEAST * max(1.0, float(np.abs(y).max(initial=0.0))))
            if len(y)
            else 1.0
        )
        return np.array([y.mean() if len(y) else 0.0, 2 * np.log(spread)])

    def beliefs(self, outputs: Array, temperature: Temperature = 1.0) -> Floats:
        mean, log_variance = np.moveaxis(outputs.astype(np.float64), -1, 0)
        return np.stack([mean, log_variance + np.log(temperature)], -1)

    def predictions(self, beliefs: Floats) -> Floats:
        return np.stack([beliefs[..., 0], np.exp(beliefs[..., 1] / 2)], -1)

    def outputs(self, answers: Floats) -> Floats:
        return np.stack([answers[..., 0], 2 * np.log(answers[..., 1])], -1)

    def pooled(self, beliefs: Floats, weights: Floats) -> Floats:
        """Return the Gaussian that pools Gaussians: precisions add up, and weigh the means."""
        precision = np.exp(-beliefs[..., 1]) * weights.reshape(-1, *[1] * (beliefs.ndim - 2))
        whole = precision.sum(0)
        return np.stack([(precision * beliefs[..., 0]).sum(0) / whole, -np.log(whole)], -1)

    def evidence(self, beliefs: Floats, mask: NDArray[np.bool_], prior: Array) -> Floats:
        """Return what is added to precision times mean and to the precision, in units of the prior
        and about its mean.

        A witness who is less certain than the prior is taken to be as certain: a precision below 0
        is no Gaussian's.
        """
        centre, log_variance = prior[..., None, 0], prior[..., None, 1]
        precision = np.exp(np.maximum(log_variance - beliefs[..., 1], 0))
        added = np.stack(
            [precision * (beliefs[..., 0] - centre) * np.exp(-log_variance / 2), precision - 1], -1
        )
        return np.where(mask[..., None], added, 0).sum(-2)

    def product(self, beliefs: Floats, mask: NDArray[np.bool_], prior: Array) -> Floats:
        shift, gained = np.moveaxis(self.evidence(beliefs, mask, prior), -1, 0)
        return np.stack(
            [
                prior[..., 0] + np.exp(prior[..., 1] / 2) * shift / (1 + gained),
                prior[..., 1] - np.log1p(gained),
            ],
            -1,
        )

    def log_loss(self, outputs: Array, y: Array, temperature: float) -> float:
        mean, log_variance = np.moveaxis(self.beliefs(outputs, temperature), -1, 0)
        return float(
            0.5 * np.mean(np.log(2 * np.pi) + log_variance + (y - mean) ** 2 / np.exp(log_variance))
        )

    def merit(self, outputs: Array, y: Array) -> float:
        return -float(((outputs[:, 0] - y) ** 2).mean())

    def score(self, y: Array, answers: Floats) -> float:
        """R2; 0 where the truth does not vary."""
        around = float(((y - y.mean()) ** 2).sum()) if len(y) else 0.0
        return 1 - float(((answers[:, 0] - y) ** 2).sum()) / around if around > 0 else 0.0

    def suspicion(self, answers: Floats, y: Array) -> Floats:
        """Log density of the answer's own mean against that of the label, less that of a label FAR
        spreads off.
        """
        return ((y - answers[:, 0]) / answers[:, 1]) ** 2 / 2 - FAR**2 / 2

    def contradiction(self, first: Floats, second: Floats) -> Floats:
        """Return how improbable so large a difference is, where it is more than FAR spreads of both
        together.
        """
        from scipy.special import erf

        apart = np.abs(first[:, 0] - second[:, 0]) / np.sqrt(first[:, 1] ** 2 + second[:, 1] ** 2)
        return np.where(apart > FAR, erf(apart / np.sqrt(2)), 0)

    def worded(self, answer: Floats) -> ModalityPrediction:
        """Return the number to two digits of its spread."""
        mean, spread = float(answer[0]), float(answer[1])
        digits = max(0, 1 - math.floor(math.log10(spread))) if spread > 0 else 0
        return ModalityPrediction(answer=f"{mean:.{min(digits, 12)}f}", spread=spread)

    def truth(self, y: Any) -> str:
        return f"{float(y):.10g}"

    def sides(self, answer: Floats, other: Floats, y: Any) -> bool:
        return bool(abs(answer[0] - other[0]) < abs(answer[0] - y))

    def named(self, answers: Array) -> list[Any]:
        return [float(mean) for mean in answers[:, 0]]

    def decode(self, y: Array) -> list[Any]:
        return [float(value) for value in y]

    def columns(self, answers: Floats) -> dict[str, list[Any]]:
        return {"spread": list(answers[:, 1])}

    def members(self, y: Array) -> NDArray[np.bool_]:
        return np.zeros((len(y), 0), dtype=bool)
