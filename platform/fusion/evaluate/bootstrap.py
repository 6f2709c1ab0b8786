"""Bootstrap over clusters: whole clusters are drawn, a draw is a weight for each cluster, a statistic is a weighted sum.

Row 0 of everything is the sample itself (all weights 1), so a point estimate and its draws are computed alike.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from fusion.evaluate.metrics import Floats
from fusion.result import Interval, Verdict

FEW_CLUSTERS = 12
CHUNK = 250


def few(n: int) -> str | None:
    """Measured coverage of a nominal 95 % interval: 52 % with 2 clusters, 83 % with 4, 91 % with 12."""
    if n == 1:
        return "only one cluster, no interval"
    return f"only {n} clusters, too narrow" if n < FEW_CLUSTERS else None


class Resampler:
    """cluster: (n,) anything that names each sample's cluster."""

    def __init__(self, cluster: NDArray[Any], draws: int, seed: int = 0) -> None:
        self.names, self.index = np.unique(cluster, return_inverse=True)
        self.n, self.draws, self.seed = len(self.names), draws, seed
        rng = np.random.default_rng(seed)
        drawn = rng.multinomial(self.n, np.full(self.n, 1 / self.n), size=draws)
        self.weights = np.concatenate([np.ones((1, self.n)), drawn]).astype(np.float32)

    def members(self, width: int, column: NDArray[np.int64], value: Floats) -> csr_matrix:
        """(clusters, width): each sample adds `value` in its `column`."""
        return csr_matrix((value, (self.index, column)), shape=(self.n, width))

    def sums(self, values: Floats) -> Floats:
        """(n, F) per sample -> (1 + draws, F)"""
        per_cluster = csr_matrix((np.ones(len(values)), (self.index, np.arange(len(values))))) @ values
        return np.concatenate([self.weights[i : i + CHUNK] @ per_cluster for i in range(0, len(self.weights), CHUNK)])

    def histogram(self, bins: NDArray[np.int64], chosen: NDArray[np.bool_], width: int = 1024) -> Floats:
        """How many chosen samples fall in each bin: (n,), (n,) -> (1 + draws, width)"""
        return np.asarray((self.members(width, bins, chosen.astype(np.float64)).T @ self.weights.T.astype(np.float64)).T)


def interval(values: Floats) -> Interval:
    """(1 + draws,) -> the point and its 95 % percentile interval, which never leaves the point outside."""
    point, draws = float(values[0]), values[1:][np.isfinite(values[1:])]
    if not np.isfinite(point) or len(draws) == 0:
        return Interval(value=point if np.isfinite(point) else 0.0)
    low, high = np.percentile(draws, [2.5, 97.5])
    return Interval(value=point, low=min(float(low), point), high=max(float(high), point))


def verdict(difference: Interval) -> Verdict:
    """*Clearly*: the paired interval excludes 0."""
    if difference.low is not None and difference.low > 0:
        return "clearly better"
    if difference.high is not None and difference.high < 0:
        return "clearly worse"
    return "no clear difference"
