"""Any number of labels: y (n, L) bool. A label is answered where it is more likely than not."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fusion.core.arrays import Array, Floats
from fusion.schema.result import ModalityPrediction
from fusion.schema.task_names import TaskName
from fusion.tasks import metric_sums
from fusion.tasks.base import LearningTask, Temperature
from fusion.tasks.label_scores import TaskScores
from fusion.tasks.set_scores import SetScores

JOIN, NONE = "; ", "–"
"""Between labels in a text; a sample without any."""
TINY = 1e-12


class MultiLabel(LearningTask):
    name: ClassVar[TaskName] = "multi-label"
    scores_class: ClassVar[type[TaskScores]] = SetScores

    def encode(self, labels: Sequence[Any]) -> Array:
        """A sample of which nothing is known has no label."""
        return np.array(
            [[label in (bears or ()) for label in self.labels] for bears in labels], dtype=bool
        ).reshape(-1, self.width)

    def prior(self, y: Array) -> Array:
        """Log-odds of the shares, with one sample added that bears a label and one that
        does not.
        """
        from scipy.special import logit

        outputs: Array = logit((y.sum(0) + 1.0) / (len(y) + 2.0)).astype(np.float32)
        return outputs

    def beliefs(self, outputs: Array, temperature: Temperature = 1.0) -> Floats:
        beliefs: Floats = outputs.astype(np.float64) / np.asarray(temperature)[..., None]
        return beliefs

    def predictions(self, beliefs: Floats) -> Floats:
        from scipy.special import expit

        probabilities: Floats = expit(beliefs)
        return probabilities

    def outputs(self, answers: Floats) -> Floats:
        from scipy.special import logit

        log_odds: Floats = logit(np.clip(answers, TINY, 1 - TINY))
        return log_odds

    def evidence(self, beliefs: Floats, mask: NDArray[np.bool_], prior: Array) -> Floats:
        return np.where(mask[..., None], beliefs - prior[..., None, :], 0).sum(-2)

    def product(self, beliefs: Floats, mask: NDArray[np.bool_], prior: Array) -> Floats:
        return prior + self.evidence(beliefs, mask, prior)

    def log_loss(self, outputs: Array, y: Array, temperature: float) -> float:
        """Mean over the labels too."""
        beliefs = self.beliefs(outputs, temperature)
        return float((np.logaddexp(0, beliefs) - y * beliefs).mean())

    def merit(self, outputs: Array, y: Array) -> float:
        return -self.log_loss(outputs, y, 1.0)

    def score(self, y: Array, answers: Floats) -> float:
        return float(metric_sums.macro_f1_of(metric_sums.label_counts(y, answers > 0.5).sum(0)))

    def suspicion(self, answers: Floats, y: Array) -> Floats:
        """Log odds against what is said of one label, of the label where they are highest."""
        suspicion: Floats = (self.outputs(answers) * np.where(y, -1, 1)).max(1)
        return suspicion

    def contradiction(self, first: Floats, second: Floats) -> Floats:
        """The product of the confidences in the label on which they differ most."""
        sure = np.maximum(first, 1 - first) * np.maximum(second, 1 - second)
        strength: Floats = np.where((first > 0.5) != (second > 0.5), sure, 0).max(1)
        return strength

    def worded(self, answer: Floats) -> ModalityPrediction:
        """Return the labels; the confidence is that of the least sure one."""
        return ModalityPrediction(
            answer=self.truth(answer > 0.5), confidence=float(np.maximum(answer, 1 - answer).min())
        )

    def truth(self, y: Any) -> str:
        return JOIN.join(label for label, bears in zip(self.labels, y) if bears) or NONE

    def sides(self, answer: Floats, other: Floats, y: Any) -> bool:
        """Compare the labels on which the other contradicts y."""
        differ = (other > 0.5) != y
        return (
            bool(((answer > 0.5) == (other > 0.5))[differ].all())
            if differ.any()
            else bool(((answer > 0.5) == (other > 0.5)).all())
        )

    def named(self, answers: Array) -> list[Any]:
        return [[label for label, bears in zip(self.labels, row) if bears] for row in answers > 0.5]

    def columns(self, answers: Floats) -> dict[str, list[Any]]:
        return {
            "confidence": list(np.maximum(answers, 1 - answers).min(1)),
            "probabilities": list(answers),
        }

    def members(self, y: Array) -> NDArray[np.bool_]:
        return y
