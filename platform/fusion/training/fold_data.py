"""The data of a fold: everything that one set of training rows decides before a network is fitted
(whitening, features of tuned encoders, prior, linear models).
"""

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor

from fusion.core.arrays import Floats32, Ints
from fusion.encoders.base import Block
from fusion.features.prototypes import related
from fusion.features.tokens import TokenWhitening
from fusion.features.whitening import Whitening
from fusion.methods import reads_tokens
from fusion.tasks.linear import Linear, linear
from fusion.tasks.linear_strength import STRENGTHS
from fusion.training.folds import NestedFold, TrainingData
from fusion.training.loop import Samples


class FoldData:
    """The data as `rows` decide it, each part made when it is asked for and shared by all fits."""

    def __init__(self, data: TrainingData, rows: Ints, pca_dim: int) -> None:
        self.data, self.rows, self.pca_dim = data, rows, pca_dim
        self.features = data.x if data.tuned is None else data.x | data.tuned(rows)
        self.blocks = (
            data.blocks if data.tuned_blocks is None else data.blocks | data.tuned_blocks(rows)
        )
        self.log_prior = data.learning_task.prior(data.y[rows])
        self.whitening = cache(self.fit_whitening)
        self.token_whitening = cache(self.fit_token_whitening)
        self.x = cache(self.whiten)
        self.tokens = cache(self.whiten_tokens)
        self.linear = cache(self.fit_linear)

    def training_features(self, modality: str) -> Floats32:
        """Return the features of the training rows that have the modality, (n, d)."""
        return self.features[modality][self.data.rows_with([modality], self.rows)]

    def fit_whitening(self, modality: str) -> Whitening:
        table = modality in self.data.tables
        whitening = Whitening.fit(self.training_features(modality), self.pca_dim, table)
        chosen = self.data.tuned_blocks is not None and not table
        return whitening.padded(self.pca_dim) if chosen else whitening

    def whiten(self, modality: str) -> Tensor:
        """Return every sample's whitened features, (n, out)."""
        return torch.from_numpy(self.whitening(modality)(self.features[modality]))

    def fit_token_whitening(self, modality: str) -> TokenWhitening:
        x = self.training_features(modality)
        blocks = self.blocks.get(modality) or [Block(1, x.shape[1])]
        return TokenWhitening.fit(x, blocks, self.pca_dim, modality in self.data.tables)

    def whiten_tokens(self, modality: str) -> Tensor:
        """Return every sample's whitened tokens, (n, tokens * width)."""
        return torch.from_numpy(self.token_whitening(modality)(self.features[modality]))

    def whitening_for(self, model: str, modality: str) -> Whitening | TokenWhitening:
        return self.token_whitening(modality) if reads_tokens(model) else self.whitening(modality)

    def x_for(self, model: str, rows: Ints | None = None) -> dict[str, Tensor]:
        """Return the inputs as a model reads them, {modality: (n, out)}, of `rows` or of every
        sample.
        """
        read = self.tokens if reads_tokens(model) else self.x
        x = {modality: read(modality) for modality in self.data.inputs(model)}
        if rows is None:
            return x
        index = torch.from_numpy(rows)
        return {modality: values[index] for modality, values in x.items()}

    def samples(self, model: str, rows: Ints) -> Samples:
        """Return those of `rows` that have at least one input of the model."""
        rows = self.data.rows_with(self.data.inputs(model), rows)
        fires = self.data.taught[1][torch.from_numpy(rows)] if self.data.taught else None
        mask, y = torch.from_numpy(self.data.mask[rows]), torch.from_numpy(self.data.y[rows])
        return Samples(self.x_for(model, rows), mask, y, fires)

    def fit_linear(self, modality: str, strength: float) -> Linear | None:
        """Fit a linear model of one modality; None where there is nothing to tell apart."""
        samples = self.samples(modality, self.rows)
        name = self.data.learning_task.name
        return linear(name, samples.x[modality].numpy(), samples.y.numpy(), strength)

    def linear_part(self, modality: str) -> tuple[Floats32, Floats32] | None:
        """Return weight (out, D) and bias (D,) of a single-modality model; None where there is
        nothing to tell apart.
        """
        if self.data.likeness is not None:
            samples = self.samples(modality, self.rows)
            x, y = samples.x[modality].numpy(), samples.y.numpy()
            return related(x, y, self.log_prior, self.data.likeness, STRENGTHS[1])
        model = self.linear(modality, STRENGTHS[1])
        return None if model is None else model.part(self.log_prior)


class FoldDataCache:
    """The data of the folds by their training rows, kept until no fold to come has the same rows:
    the inner folds of one fold are often those of another.
    """

    def __init__(self, data: TrainingData, pca_dim: int, folds: Sequence[NestedFold]) -> None:
        self.data, self.pca_dim, self.folds = data, pca_dim, list(folds)
        self.by_rows: dict[bytes, FoldData] = {}

    def of(self, rows: Ints) -> FoldData:
        key = rows.tobytes()
        if key not in self.by_rows:
            self.by_rows[key] = FoldData(self.data, rows, self.pca_dim)
        return self.by_rows[key]

    def drop(self, fold: NestedFold) -> None:
        """Drop what no fold after this one reads."""
        wanted = {
            rows.tobytes()
            for later in self.folds[self.folds.index(fold) + 1 :]
            for rows in (later.train, *(rows for rows, _ in later.inner))
        }
        self.by_rows = {key: data for key, data in self.by_rows.items() if key in wanted}

    def clear(self) -> None:
        self.by_rows.clear()
