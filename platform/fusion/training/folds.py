"""What a task is to the fits: its samples and rounds, and what training rows decide before a
network is fitted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fusion.core.arrays import Array, Ints
from fusion.encoders.base import Block
from fusion.features.prototypes import related
from fusion.features.tokens import TokenWhitening
from fusion.features.whitening import Whitening
from fusion.methods import JOINT, reads_tokens
from fusion.tasks.base import LearningTask
from fusion.tasks.linear import Linear, linear
from fusion.tasks.linear_strength import STRENGTHS
from fusion.training.knowledge_losses import Terms
from fusion.training.loop import Samples


@dataclass(frozen=True)
class Task:
    """asked: what is asked of each sample; y: (n, ...) as it encodes the labels; x: {modality: (n,
    dim)}; mask: (n, M) bool in the order of `x`.

    taught: what knowledge adds to the loss, and (n, R) bool, where its rules fire; None where
    nothing is added. tables: the modalities whose features are columns of units of their own.
    blocks: what each modality's columns are, for methods that read tokens; one token where nothing
    is said. likeness: (K, K), how alike the definitions of the labels are
    (fusion.features.prototypes); None where there are none. tuned: what takes the place of
    `x` where an encoder is tuned or chosen on training rows (fusion.training.finetune, fusion.training.search.probe): rows ->
    {modality: (n, dim)}; tuned_blocks: the same of `blocks`.
    """

    y: Array
    asked: LearningTask
    x: dict[str, NDArray[np.float32]]
    mask: NDArray[np.bool_]
    taught: tuple[Terms, Tensor] | None = None
    tables: frozenset[str] = frozenset()
    blocks: dict[str, list[Block]] = field(default_factory=dict)
    tuned: Callable[[Ints], dict[str, NDArray[np.float32]]] | None = None
    tuned_blocks: Callable[[Ints], dict[str, list[Block]]] | None = None
    likeness: NDArray[np.float64] | None = None

    @property
    def modalities(self) -> list[str]:
        return list(self.x)

    def rows_with(self, inputs: Sequence[str], rows: Ints) -> Ints:
        """Those of `rows` that have at least one of `inputs`."""
        columns = np.array([self.modalities.index(name) for name in inputs], dtype=np.int64)
        return rows[self.mask[np.ix_(rows, columns)].any(1)]


@dataclass(frozen=True, eq=False)
class Round:
    """One round of the split. inner: [(fit, validation)] inside `train`; all are rows of the task.
    seeds: models to fit on `train`.
    """

    name: str
    train: Ints
    test: Ints
    inner: list[tuple[Ints, Ints]]
    seeds: int


@dataclass(frozen=True)
class Choice:
    """What the inner rounds chose for one model. score: headline metric of the inner validation
    answers, absent ones by the prior.
    """

    epochs: int
    temperature: float
    score: float


class Prepared:
    """Everything that one set of training rows decides before a network is fitted, made when asked
    for and shared by all its fits.
    """

    def __init__(self, task: Task, rows: Ints, pca_dim: int) -> None:
        self.task, self.rows, self.pca_dim = task, rows, pca_dim
        self.features = task.x if task.tuned is None else task.x | task.tuned(rows)
        self.blocks = (
            task.blocks if task.tuned_blocks is None else task.blocks | task.tuned_blocks(rows)
        )
        self.log_prior = task.asked.prior(task.y[rows])
        self.whitening = cache(self.fit_whitening)
        self.token_whitening = cache(self.fit_token_whitening)
        self.x = cache(self.whiten)
        self.tokens = cache(self.whiten_tokens)
        self.linear = cache(self.fit_linear)

    def training_features(self, modality: str) -> NDArray[np.float32]:
        """Return the features of the training rows that have the modality, (n, d)."""
        return self.features[modality][self.task.rows_with([modality], self.rows)]

    def fit_whitening(self, modality: str) -> Whitening:
        table = modality in self.task.tables
        whitening = Whitening.fit(self.training_features(modality), self.pca_dim, table)
        chosen = self.task.tuned_blocks is not None and not table
        return whitening.padded(self.pca_dim) if chosen else whitening

    def whiten(self, modality: str) -> Tensor:
        """(n, out): every sample of the task."""
        return torch.from_numpy(self.whitening(modality)(self.features[modality]))

    def fit_token_whitening(self, modality: str) -> TokenWhitening:
        x = self.training_features(modality)
        blocks = self.blocks.get(modality) or [Block(1, x.shape[1])]
        return TokenWhitening.fit(x, blocks, self.pca_dim, modality in self.task.tables)

    def whiten_tokens(self, modality: str) -> Tensor:
        """(n, tokens * width): every sample of the task."""
        return torch.from_numpy(self.token_whitening(modality)(self.features[modality]))

    def whitening_for(self, method: str, modality: str) -> Whitening | TokenWhitening:
        return self.token_whitening(modality) if reads_tokens(method) else self.whitening(modality)

    def x_for(self, method: str) -> dict[str, Tensor]:
        """Every sample of the task as a method reads it."""
        read = self.tokens if reads_tokens(method) else self.x
        return {
            modality: read(modality)
            for modality in (self.task.modalities if method in JOINT else [method])
        }

    def samples(self, method: str, rows: Ints) -> Samples:
        """Those of `rows` that have at least one input of the method."""
        x = self.x_for(method)
        rows = self.task.rows_with(list(x), rows)
        at = torch.from_numpy(rows)
        fires = self.task.taught[1][at] if self.task.taught else None
        mask, y = torch.from_numpy(self.task.mask[rows]), torch.from_numpy(self.task.y[rows])
        return Samples({name: values[at] for name, values in x.items()}, mask, y, fires)

    def fit_linear(self, modality: str, strength: float) -> Linear | None:
        """On one modality; None where there is nothing to tell apart."""
        samples = self.samples(modality, self.rows)
        return linear(
            self.task.asked.name, samples.x[modality].numpy(), samples.y.numpy(), strength
        )

    def linear_part(self, modality: str) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
        """Weight (out, D) and bias (D,) of a single-modality model; None where there is nothing to
        tell apart.
        """
        if self.task.likeness is not None:
            samples = self.samples(modality, self.rows)
            return related(
                samples.x[modality].numpy(),
                samples.y.numpy(),
                self.log_prior,
                self.task.likeness,
                STRENGTHS[1],
            )
        model = self.linear(modality, STRENGTHS[1])
        return None if model is None else model.part(self.log_prior)
