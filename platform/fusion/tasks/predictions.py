"""Answers: what models said about the test samples, with every coalition of modalities. All that
the evaluation reads.
"""

from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fusion.core.arrays import Bools, Floats
from fusion.tasks import task_of
from fusion.tasks.base import LearningTask

if TYPE_CHECKING:
    from fusion.tasks.bootstrap import Resampler
    from fusion.tasks.label_scores import TaskScores

Coalition = tuple[int, ...]

EXACT = 6
"""Up to so many modalities all orders are counted; above, 2M fixed orders (Castro et al. 2009),
whose shares still add up.
"""


class Samples(Protocol):
    """The samples that something is predicted of. mask: (n, M), log_prior: (n, D) of the training
    samples.
    """

    @property
    def task(self) -> LearningTask: ...

    @property
    def modalities(self) -> list[str]: ...

    @property
    def mask(self) -> Bools: ...

    @property
    def log_prior(self) -> Floats: ...


@dataclass(frozen=True)
class Unlabelled:
    """Samples of which nothing but their inputs is known."""

    task: LearningTask
    modalities: list[str]
    mask: Bools
    log_prior: Floats


@dataclass(frozen=True)
class Scored:
    """The test samples. y: (n, ...), mask: (n, M), log_prior: (n, D) of each sample's training
    fold, cluster and fold: (n,) names.

    learning_task: by default which of the labels it is.
    """

    keys: list[str]
    y: NDArray[Any]
    mask: NDArray[np.bool_]
    log_prior: Floats
    cluster: NDArray[Any]
    fold: NDArray[Any]
    labels: list[str]
    modalities: list[str]
    learning_task: LearningTask | None = None

    def __len__(self) -> int:
        return len(self.y)

    @property
    def task(self) -> LearningTask:
        return self.learning_task or task_of("classification", self.labels)

    def scores(
        self,
        resampler: "Resampler",
        answers: Floats,
        chosen: NDArray[np.bool_] | None = None,
        bins: int = 1024,
    ) -> "TaskScores":
        """Every metric of a model's answers (S, n, D)."""
        return self.task.scores(resampler, self.y, answers, chosen, bins)


@dataclass(frozen=True)
class MethodPredictions:
    """The predictions of one method: {coalition: (S, n, D)}, and those with every temperature at 1,
    (S, n, D).

    before_rules: the same by coalition without the rules, where rules take part at prediction.
    """

    by_coalition: dict[Coalition, Floats]
    uncalibrated: Floats
    before_rules: dict[Coalition, Floats] | None = None

    @property
    def whole(self) -> Floats:
        """The predictions with every modality that a sample has, (S, n, D)."""
        return self.by_coalition[max(self.by_coalition, key=len)]


def orders(m: int) -> list[Coalition]:
    if m <= EXACT:
        return list(permutations(range(m)))
    turned = [tuple((start + i) % m for i in range(m)) for start in range(m)]
    return turned + [order[::-1] for order in turned]


def coalitions(m: int) -> list[Coalition]:
    """The sets of modalities that the evaluation asks about, the empty one first: all of them up to
    six modalities.
    """
    coalitions = {tuple(sorted(order[:size])) for order in orders(m) for size in range(m + 1)}
    coalitions |= {tuple(j for j in range(m) if j != i) for i in range(m)} | {
        (i,) for i in range(m)
    }
    return sorted(coalitions, key=lambda coalition: (len(coalition), coalition))


def hide(mask: NDArray[np.bool_], coalition: Coalition) -> NDArray[np.bool_]:
    """(n, M) without the modalities outside the coalition."""
    return mask & np.isin(np.arange(mask.shape[1]), coalition)
