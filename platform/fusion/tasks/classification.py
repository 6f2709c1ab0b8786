"""One label of several: y (n,) are numbers of labels, -1 where there is none."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fusion.core.arrays import Array, Floats
from fusion.schema.result import ModalityPrediction
from fusion.schema.task_names import TaskName
from fusion.tasks import calibration, metric_sums
from fusion.tasks.base import LearningTask, Temperature
from fusion.tasks.label_scores import LabelScores, TaskScores

LEAST, TINY = 1e-300, 1e-12
"""Of a probability: before its logarithm is taken; and before it is compared."""


class Classification(LearningTask):
    name: ClassVar[TaskName] = "classification"
    scores_class: ClassVar[type[TaskScores]] = LabelScores

    def encode(self, labels: Sequence[Any]) -> Array:
        number = {label: k for k, label in enumerate(self.labels)}
        return np.array(
            [-1 if label is None else number[label] for label in labels], dtype=np.int64
        )

    def prior(self, y: Array) -> Array:
        """Log of the shares with one sample added to each, so that no label is impossible."""
        count = np.bincount(y, minlength=self.width) + 1.0
        return np.log(count / count.sum()).astype(np.float32)

    def beliefs(self, outputs: Array, temperature: Temperature = 1.0) -> Floats:
        from scipy.special import log_softmax

        beliefs: Floats = log_softmax(
            outputs.astype(np.float64) / np.asarray(temperature)[..., None], axis=-1
        )
        return beliefs

    def predictions(self, beliefs: Floats) -> Floats:
        return np.exp(beliefs)

    def outputs(self, answers: Floats) -> Floats:
        return np.log(np.maximum(answers, LEAST))

    def evidence(self, beliefs: Floats, mask: NDArray[np.bool_], prior: Array) -> Floats:
        return np.where(mask[..., None], beliefs - prior[..., None, :], 0).sum(-2)

    def centred(self, evidence: Floats) -> Floats:
        return evidence - evidence.mean(-1, keepdims=True)

    def product(self, beliefs: Floats, mask: NDArray[np.bool_], prior: Array) -> Floats:
        from scipy.special import log_softmax

        product: Floats = log_softmax(prior + self.evidence(beliefs, mask, prior), axis=-1)
        return product

    def log_loss(self, outputs: Array, y: Array, temperature: float) -> float:
        return calibration.log_loss(outputs, y, temperature)

    def merit(self, outputs: Array, y: Array) -> float:
        return float((outputs.argmax(1) == y).mean())

    def score(self, y: Array, answers: Floats) -> float:
        return metric_sums.macro_f1(y, answers.argmax(1), answers.shape[1])

    def suspicion(self, answers: Floats, y: Array) -> Floats:
        """Log odds of the best other label against the given one."""
        rows, others = np.arange(len(y)), answers.copy()
        others[rows, y] = 0
        return np.log(np.maximum(others.max(1), TINY)) - np.log(np.maximum(answers[rows, y], TINY))

    def contradiction(self, first: Floats, second: Floats) -> Floats:
        """The product of the confidences in different labels."""
        return np.where(first.argmax(1) != second.argmax(1), first.max(1) * second.max(1), 0)

    def worded(self, answer: Floats) -> ModalityPrediction:
        return ModalityPrediction(
            answer=self.labels[answer.argmax()], confidence=float(answer.max())
        )

    def truth(self, y: Any) -> str:
        return self.labels[y]

    def sides(self, answer: Floats, other: Floats, y: Any) -> bool:
        return bool(answer.argmax() == other.argmax())

    def named(self, answers: Array) -> list[Any]:
        return self.decode(answers.argmax(1))

    def decode(self, y: Array) -> list[Any]:
        return [self.labels[k] for k in y]

    def columns(self, answers: Floats) -> dict[str, list[Any]]:
        return {"confidence": list(answers.max(1)), "probabilities": list(answers)}

    def members(self, y: Array) -> NDArray[np.bool_]:
        return y[:, None] == np.arange(self.width)
