"""Standardisation and PCA whitening of one modality's features, fitted on the training samples that
have it.

Whitening halves the time to fit; directions of little variance are damped so that noise is not
blown up.
"""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from fusion.core.arrays import Floats32
from fusion.core.files import BrokenFile

DAMPING = 0.05
"""Share of the largest variance that is added to every variance before the division by it."""


@dataclass(frozen=True)
class Whitening:
    """Standardise features, then project them. mean, scale: (dim,); components: (dim, out)."""

    mean: Floats32
    scale: Floats32
    components: Floats32

    @classmethod
    def fit(cls, x: NDArray[Any], dim: int, table: bool = False) -> "Whitening":
        """Fit on present rows, x (n, d); a missing number, NaN, counts as the mean.

        table: each column has its own unit and scale; columns of 0 and 1 are only centred, constant
        ones left out. dim: number of directions; 0, or the number of features and more, keeps all.
        Where there are too few rows for so many, the rest is zero, so that the number of directions
        never depends on the number of rows.
        """
        if len(x) == 0:
            d, out = x.shape[1], min(dim or x.shape[1], x.shape[1])
            return cls(
                np.zeros(d, np.float32), np.ones(d, np.float32), np.eye(d, out, dtype=np.float32)
            )
        mean, deviation = moments(x.astype(np.float32))
        if table:
            return cls.of_table(x.astype(np.float32), mean, deviation, dim)
        scale = (deviation + 0.01 * deviation.mean() + 1e-4).astype(np.float32)
        out = min(dim or x.shape[1], x.shape[1])
        if out == x.shape[1]:
            return cls(mean, scale, np.eye(out, dtype=np.float32))
        return cls(mean, scale, directions(standard(x, mean, scale), out))

    @classmethod
    def of_table(cls, x: Floats32, mean: Floats32, deviation: Floats32, dim: int) -> "Whitening":
        varies = deviation > 1e-5 * np.abs(mean)
        switch = ((x == 0) | (x == 1) | np.isnan(x)).all(0)
        scale = np.where(varies & ~switch, deviation, 1).astype(np.float32)
        out = min(dim or x.shape[1], x.shape[1])
        components = (
            np.diag(varies).astype(np.float32)
            if out == x.shape[1]
            else directions(standard(x, mean, scale), out)
        )
        return cls(mean, scale, components)

    @property
    def reads(self) -> int:
        """Number of features that go in."""
        return len(self.mean)

    @property
    def number(self) -> int:
        """Number of tokens of a sample."""
        return 1

    @property
    def dim(self) -> int:
        return int(self.components.shape[1])

    def __call__(self, x: NDArray[Any]) -> Floats32:
        """Whiten features, (n, d), to (n, out)."""
        return cast(Floats32, standard(x, self.mean, self.scale) @ self.components)

    def padded(self, dim: int) -> "Whitening":
        """Return the whitening with zero components appended, up to `dim` of them."""
        lacking = max(0, dim - self.dim)
        return Whitening(self.mean, self.scale, np.pad(self.components, ((0, 0), (0, lacking))))

    def tensors(self, prefix: str) -> dict[str, Floats32]:
        return {
            f"{prefix}.mean": self.mean,
            f"{prefix}.scale": self.scale,
            f"{prefix}.components": self.components,
        }

    @classmethod
    def of(cls, tensors: dict[str, Any], prefix: str) -> "Whitening":
        """Return the whitening that `tensors()` wrote; raises BrokenFile for shapes that differ."""
        mean, scale, components = (
            tensors[f"{prefix}.{part}"] for part in ("mean", "scale", "components")
        )
        if mean.ndim != 1 or components.ndim != 2 or not len(mean) == len(scale) == len(components):
            raise BrokenFile(f"the parts of {prefix} do not fit together.")
        return cls(mean, scale, components)


def moments(x: Floats32) -> tuple[Floats32, Floats32]:
    """Return mean and standard deviation of each column, (d,) each; 0 for a column without any."""
    known = np.isfinite(x)
    if known.all():
        return x.mean(0), x.std(0)
    number = np.maximum(known.sum(0), 1)
    mean = np.where(known, x, 0).sum(0) / number
    variance = (np.where(known, x - mean, 0) ** 2).sum(0) / number
    return mean.astype(np.float32), np.sqrt(variance).astype(np.float32)


def standard(x: NDArray[Any], mean: Floats32, scale: Floats32) -> Floats32:
    """Return standardised features, float32 (n, d), 0 where a number is missing."""
    standardised = ((x - mean) / scale).astype(np.float32, copy=False)
    standardised[~np.isfinite(standardised)] = 0
    return standardised


def directions(x: Floats32, out: int) -> Floats32:
    """Return the principal directions of centred x, each divided by its damped deviation, (d, out).

    They come from the eigenvectors of the smaller of x x' and x' x: with a few hundred rows a
    fraction of the time of a singular value decomposition, also of a randomised one, and exact.
    """
    n, d = x.shape
    wide, keep = n <= d, min(out, n - 1)
    components = np.zeros((d, out), np.float32)
    if keep < 1:
        return components
    product = x @ x.T if wide else x.T @ x
    values, vectors = eigh(
        product,
        subset_by_index=[len(product) - keep, len(product) - 1],
        overwrite_a=True,
        check_finite=False,
    )
    values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
    usable = values > values[0] * 1e-5
    if wide:
        vectors = x.T @ (vectors / np.sqrt(np.where(usable, values, 1)))
    variance = values / (n - 1)
    components[:, :keep] = np.where(
        usable, vectors / np.sqrt(np.where(usable, variance + DAMPING * variance[0], 1)), 0
    )
    return components
