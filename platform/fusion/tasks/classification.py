"""One label of several: y (n,) are numbers of labels, -1 where there is none."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from fusion.evaluate import calibration, metrics
from fusion.evaluate.bootstrap import Resampler
from fusion.evaluate.scores import Scores

from .base import Array, Floats, LearningTask, Temperature


class Classification(LearningTask):
    name = "classification"
    headline = Scores.headline

    def encode(self, labels: Sequence[Any]) -> Array:
        number = {label: k for k, label in enumerate(self.labels)}
        return np.array([-1 if label is None else number[label] for label in labels], dtype=np.int64)

    def prior(self, y: Array) -> Array:
        """Log of the shares with one sample added to each, so that no label is impossible."""
        count = np.bincount(y, minlength=self.width) + 1.0
        return np.log(count / count.sum()).astype(np.float32)

    def beliefs(self, outputs: Array, temperature: Temperature = 1.0) -> Floats:
        found: Floats = log_softmax(outputs.astype(np.float64) / np.asarray(temperature)[..., None], axis=-1)
        return found

    def answers(self, beliefs: Floats) -> Floats:
        return np.exp(beliefs)

    def outputs(self, answers: Floats) -> Floats:
        return np.log(answers)

    def evidence(self, beliefs: Floats, mask: NDArray[np.bool_], prior: Array) -> Floats:
        return np.where(mask[..., None], beliefs - prior[..., None, :], 0).sum(-2)

    def product(self, beliefs: Floats, mask: NDArray[np.bool_], prior: Array) -> Floats:
        found: Floats = log_softmax(prior + self.evidence(beliefs, mask, prior), axis=-1)
        return found

    def log_loss(self, outputs: Array, y: Array, temperature: float) -> float:
        return calibration.log_loss(outputs, y, temperature)

    def merit(self, outputs: Array, y: Array) -> float:
        return float((outputs.argmax(1) == y).mean())

    def score(self, y: Array, answers: Floats) -> float:
        return metrics.macro_f1(y, answers.argmax(1), answers.shape[1])

    def members(self, y: Array) -> NDArray[np.bool_]:
        return y[:, None] == np.arange(self.width)

    def scores(self, resampler: Resampler, y: Array, answers: Floats, chosen: NDArray[np.bool_] | None = None, bins: int = 1024) -> Scores:
        return Scores(resampler, y, answers, chosen, bins)
