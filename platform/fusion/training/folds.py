"""The samples that fits learn from, as features, and the folds of the split."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from fusion.core.arrays import Array, Bools, Floats32, Ints
from fusion.encoders.base import Block
from fusion.methods import JOINT
from fusion.tasks.base import LearningTask
from fusion.training.knowledge_losses import Terms

SIDE_BY_SIDE = 30_000
"""Samples of the folds that are fitted at the same time, which bounds the memory."""


@dataclass(frozen=True)
class TrainingData:
    """The samples of a run. y: (n, ...) labels as the learning task encodes them; x: {modality: (n,
    dim)}; mask: (n, M) bool in the order of `x`.

    taught: what knowledge adds to the loss, and (n, R) bool, where its rules fire; None where
    nothing is added. tables: the modalities whose features are columns of units of their own.
    blocks: what each modality's columns are, for methods that read tokens; one token where nothing
    is said. likeness: (K, K), how alike the definitions of the labels are
    (fusion.features.prototypes); None where there are none. tuned: what takes the place of `x`
    where an encoder is tuned or chosen on training rows (fusion.training.finetune,
    fusion.training.search.probe): rows -> {modality: (n, dim)}; tuned_blocks: the same of `blocks`.
    """

    y: Array
    learning_task: LearningTask
    x: dict[str, Floats32]
    mask: Bools
    taught: tuple[Terms, Tensor] | None = None
    tables: frozenset[str] = frozenset()
    blocks: dict[str, list[Block]] = field(default_factory=dict)
    tuned: Callable[[Ints], dict[str, Floats32]] | None = None
    tuned_blocks: Callable[[Ints], dict[str, list[Block]]] | None = None
    likeness: NDArray[np.float64] | None = None

    @property
    def modalities(self) -> list[str]:
        return list(self.x)

    def inputs(self, model: str) -> list[str]:
        """Return the modalities that a joint method, or the model of one modality, reads."""
        return self.modalities if model in JOINT else [model]

    def rows_with(self, inputs: Sequence[str], rows: Ints) -> Ints:
        """Return those of `rows` that have at least one of `inputs`."""
        columns = np.array([self.modalities.index(name) for name in inputs], dtype=np.int64)
        return rows[self.mask[np.ix_(rows, columns)].any(1)]


@dataclass(frozen=True, eq=False)
class NestedFold:
    """One fold of the split. train, test: rows; inner: [(train, validation)] rows of the folds
    inside `train`; seeds: models to fit on `train`.
    """

    name: str
    train: Ints
    test: Ints
    inner: list[tuple[Ints, Ints]]
    seeds: int

    @property
    def n_samples(self) -> int:
        """Count the samples that its fits read, those of inner folds again."""
        return len(self.train) + sum(len(rows) for rows, _ in self.inner)


def side_by_side(folds: Sequence[NestedFold]) -> list[list[NestedFold]]:
    """Return the folds in groups that are fitted at the same time, as many as memory allows; a fold
    without inner ones is in none, it waits for what the others choose.
    """
    groups: list[list[NestedFold]] = []
    for fold in folds:
        if not fold.inner:
            continue
        beside = groups[-1] if groups else []
        if beside and sum(other.n_samples for other in [*beside, fold]) <= SIDE_BY_SIDE:
            beside.append(fold)
        else:
            groups.append([fold])
    return groups
