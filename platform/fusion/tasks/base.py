"""The learning task, as the rest of the engine uses it.

A network writes **outputs** (..., D). With a temperature they become **beliefs** (..., D), the
parameters of a distribution of an exponential family; and beliefs become the **answers** (..., D)
that the evaluation reads and a person is given.

                     outputs, beliefs             answers               distribution
    classification   logits, log-probabilities    probabilities         categorical (ordinal too)
    regression       mean and log variance        mean and spread       Gaussian (spread: its
                                                                        standard deviation)
    multi-label      log-odds of each label       probability of each   a Bernoulli a label

In such a family a temperature divides the natural parameters (of a Gaussian: multiplies the
variance), and late fusion adds them: with witnesses m, each of whom holds the prior too, and which
are independent given the truth (Kittler et al. 1998, On Combining Classifiers),

    eta(y | x) = eta(y) + sum over the m that are present of [eta_m(y | x_m) - eta(y)].
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fusion.core.arrays import Array, Floats
from fusion.schema.metrics import headline_of
from fusion.schema.task_names import TaskName

if TYPE_CHECKING:
    from fusion.schema.result import ModalityPrediction
    from fusion.tasks.bootstrap import Resampler
    from fusion.tasks.label_scores import TaskScores

Temperature = float | Array


class LearningTask(ABC):
    """labels: all that can be answered, in order. y: (n, ...), what `encode` makes of the labels of
    n samples.
    """

    name: ClassVar[TaskName]
    scores_class: ClassVar[type["TaskScores"]]
    """Its metrics, see fusion.tasks.label_scores."""

    def __init__(self, labels: Sequence[str] = ()) -> None:
        self.labels = list(labels)

    @property
    def width(self) -> int:
        """D: how many numbers a network writes about a sample."""
        return len(self.labels)

    @property
    def headline(self) -> str:
        """The metric that everything is compared by; more of it is better."""
        return headline_of(self.name)

    @abstractmethod
    def encode(self, labels: Sequence[Any]) -> Array:
        """Labels as an alignment holds them, None where there is none, as numbers: (n, ...)."""

    @abstractmethod
    def prior(self, y: Array) -> Array:
        """(D,): the outputs that know nothing of a sample but the labels y of others."""

    @abstractmethod
    def beliefs(self, outputs: Array, temperature: Temperature = 1.0) -> Floats:
        """(..., D); temperature: (...) or one for all."""

    @abstractmethod
    def predictions(self, beliefs: Floats) -> Floats: ...

    @abstractmethod
    def outputs(self, answers: Floats) -> Floats:
        """Outputs that lead to these answers."""

    @abstractmethod
    def evidence(self, beliefs: Floats, mask: NDArray[np.bool_], prior: Array) -> Floats:
        """Return what the witnesses that are present add to the prior together. beliefs: (..., n,
        M, D), mask: (n, M), prior: (n, D) or (D,) -> (..., n, D)
        """

    def centred(self, evidence: Floats) -> Floats:
        """Return the evidence less what changes no prediction."""
        return evidence

    @abstractmethod
    def product(self, beliefs: Floats, mask: NDArray[np.bool_], prior: Array) -> Floats:
        """The beliefs of all witnesses together, by the formula above: (..., n, D)."""

    def pooled(self, beliefs: Floats, weights: Floats) -> Floats:
        """The weighted logarithmic pool (Genest & Zidek 1986) of beliefs (members, ..., D), up to
        what `predictions` and `outputs` even out.
        """
        return np.tensordot(weights, beliefs, axes=1)

    @abstractmethod
    def log_loss(self, outputs: Array, y: Array, temperature: float) -> float:
        """Mean of -log p(y)."""

    @abstractmethod
    def merit(self, outputs: Array, y: Array) -> float:
        """Return the score by which the penalty of a linear baseline is chosen; more is better."""

    @abstractmethod
    def score(self, y: Array, answers: Floats) -> float:
        """The headline metric of answers (n, D)."""

    def scores(
        self,
        resampler: "Resampler",
        y: Array,
        answers: Floats,
        chosen: NDArray[np.bool_] | None = None,
        bins: int = 1024,
    ) -> "TaskScores":
        """Every metric of answers (S, n, D), see fusion.tasks.label_scores."""
        return self.scores_class(resampler, y, answers, chosen, bins)

    @abstractmethod
    def suspicion(self, answers: Floats, y: Array) -> Floats:
        """(n, D), (n, ...) -> (n,): how much better the answers fit something else than the given
        label, in nats; above 0 they contradict it.
        """

    @abstractmethod
    def contradiction(self, first: Floats, second: Floats) -> Floats:
        """Answers of two witnesses, (n, D) each -> (n,): 0 where they agree, up to 1 where each is
        sure of something else.
        """

    @abstractmethod
    def worded(self, answer: Floats) -> "ModalityPrediction":
        """(D,), one answer as a person reads it."""

    @abstractmethod
    def truth(self, y: Any) -> str:
        """One label as a person reads it."""

    @abstractmethod
    def sides(self, answer: Floats, other: Floats, y: Any) -> bool:
        """Return whether an answer (D,) says the same as another one, rather than the label y."""

    @abstractmethod
    def named(self, answers: Array) -> list[Any]:
        """Return the predicted labels as an alignment holds them. answers: (n, D)."""

    def decode(self, y: Array) -> list[Any]:
        """The same of labels (n, ...)."""
        return self.named(y)

    @abstractmethod
    def columns(self, answers: Floats) -> dict[str, list[Any]]:
        """Return the further columns of a table of predictions: their confidence and the
        probabilities, or its spread.
        """

    @abstractmethod
    def members(self, y: Array) -> NDArray[np.bool_]:
        """(n, K): which samples bear which label."""
