"""Standardisation and PCA whitening of one modality's features, fitted on the training samples that have it.

Whitening halves the time to fit; directions of little variance are damped so that noise is not blown up.
"""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from fusion.files import BrokenFile

Floats = NDArray[np.float32]

DAMPING = 0.05
"""Share of the largest variance that is added to every variance before dividing by it."""


@dataclass(frozen=True)
class Whitening:
    """mean, scale: (dim,); components: (dim, out). Features are standardised, then projected."""

    mean: Floats
    scale: Floats
    components: Floats

    @classmethod
    def fit(cls, x: NDArray[Any], dim: int) -> "Whitening":
        """x: (n, d), rows that are present; NaN where a single number is missing, which then counts as the mean.

        `dim` directions are kept; 0, or no fewer than there are features, keeps all.
        """
        if len(x) == 0:
            return cls(np.zeros(x.shape[1], np.float32), np.ones(x.shape[1], np.float32), np.eye(x.shape[1], dtype=np.float32))
        x = np.ma.masked_invalid(x.astype(np.float32))
        mean, deviation = x.mean(0).filled(0), x.std(0).filled(0)
        scale = deviation + 0.01 * deviation.mean() + 1e-4
        keep = min(dim or x.shape[1], x.shape[1], len(x) - 1)
        if keep == x.shape[1] or keep < 1:
            return cls(mean, scale, np.eye(x.shape[1], dtype=np.float32))
        pca = PCA(keep, svd_solver="randomized", random_state=0).fit(((x - mean) / scale).filled(0))
        variance = pca.explained_variance_
        components = pca.components_.T / np.sqrt(variance + DAMPING * variance.max())
        return cls(mean, scale, components.astype(np.float32))

    @property
    def dim(self) -> int:
        return int(self.components.shape[1])

    def __call__(self, x: NDArray[Any]) -> Floats:
        """(n, d) -> (n, out)"""
        standard = np.nan_to_num((x - self.mean) / self.scale, nan=0, posinf=0, neginf=0).astype(np.float32)
        return cast(Floats, standard @ self.components)

    def tensors(self, prefix: str) -> dict[str, Floats]:
        return {f"{prefix}.mean": self.mean, f"{prefix}.scale": self.scale, f"{prefix}.components": self.components}

    @classmethod
    def of(cls, tensors: dict[str, Any], prefix: str) -> "Whitening":
        found = cls(*(tensors[f"{prefix}.{part}"] for part in ("mean", "scale", "components")))
        if found.mean.ndim != 1 or found.components.ndim != 2 or not len(found.mean) == len(found.scale) == len(found.components):
            raise BrokenFile(f"the parts of {prefix} do not fit together.")
        return found
