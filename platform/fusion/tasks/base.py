"""What a learning task is to the rest of the engine.

A network writes **outputs** (..., D). With a temperature they become **beliefs** (..., D), the
parameters of a distribution of an exponential family; and beliefs become the **answers** (..., D)
that the evaluation reads and a person is given.

                     outputs, beliefs                         answers                   distribution
    classification   logits, log-probabilities                probabilities             categorical (ordinal too)
    regression       mean and log variance                    mean and spread           Gaussian; spread: standard deviation
    multi-label      log-odds of each label                   probability of each       a Bernoulli a label

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
    from fusion.schema.result import Said
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
    def answers(self, beliefs: Floats) -> Floats: ...

    @abstractmethod
    def outputs(self, answers: Floats) -> Floats:
        """Outputs that lead to these answers."""

    @abstractmethod
    def evidence(self, beliefs: Floats, mask: NDArray[np.bool_], prior: Array) -> Floats:
        """What the witnesses that are present add to the prior, all in all. beliefs: (..., n, M,
        D), mask: (n, M), prior: (n, D) or (D,) -> (..., n, D)
        """

    def centred(self, evidence: Floats) -> Floats:
        """Without what changes no answer."""
        return evidence

    @abstractmethod
    def product(self, beliefs: Floats, mask: NDArray[np.bool_], prior: Array) -> Floats:
        """The beliefs of all witnesses together, by the formula above: (..., n, D)."""

    def pooled(self, beliefs: Floats, weights: Floats) -> Floats:
        """The weighted logarithmic pool (Genest & Zidek 1986) of beliefs (members, ..., D), up to
        what `answers` and `outputs` even out.
        """
        return np.tensordot(weights, beliefs, axes=1)

    @abstractmethod
    def log_loss(self, outputs: Array, y: Array, temperature: float) -> float:
        """Mean of -log p(y)."""

    @abstractmethod
    def merit(self, outputs: Array, y: Array) -> float:
        """What the penalty of a linear baseline is chosen by; more is better."""

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
    def contradiction(self, one: Floats, other: Floats) -> Floats:
        """Answers of two witnesses, (n, D) each -> (n,): 0 where they agree, up to 1 where each is
        sure of something else.
        """

    @abstractmethod
    def said(self, answer: Floats) -> "Said":
        """(D,), one answer as a person reads it."""

    @abstractmethod
    def truth(self, y: Any) -> str:
        """One label as a person reads it."""

    @abstractmethod
    def sides(self, answer: Floats, other: Floats, y: Any) -> bool:
        """Whether an answer (D,) says the same as another one, rather than the label y."""

    @abstractmethod
    def named(self, answers: Array) -> list[Any]:
        """What is answered, (n, D) -> n labels as an alignment holds them."""

    def decode(self, y: Array) -> list[Any]:
        """The same of labels (n, ...)."""
        return self.named(y)

    @abstractmethod
    def columns(self, answers: Floats) -> dict[str, list[Any]]:
        """What a table says beside what is answered: its confidence and the probabilities, or its
        spread.
        """

    @abstractmethod
    def members(self, y: Array) -> NDArray[np.bool_]:
        """(n, K): which samples bear which label."""
