"""Metrics of numbers, each as draws: see fusion.tasks.label_scores. Predictions are (S, n, 2), mean
and spread of a Gaussian.
"""

from functools import cached_property
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from fusion.core.arrays import Floats
from fusion.schema.result import Against, Bin, Reliability
from fusion.tasks import metric_sums
from fusion.tasks.bootstrap import interval
from fusion.tasks.label_scores import TaskScores

LEVELS = np.arange(1, 10) / 10
"""Central intervals that should hold so much of the truth: coverage is to a number what a
confidence is to a label.
"""
TENTHS = 10
RANKS = 64
"""Bins of equal numbers by which ranks are drawn anew in each draw; the point estimate is exact."""


class NumberScores(TaskScores):
    """r2: share of the variance explained, always that of all samples: a slice of nearly equal
    numbers has none of its own that could be explained, and slices are then told apart by their
    errors. ece: mean distance of coverage and level over LEVELS (Kuleshov et al. 2018, ICML).
    """

    task = "regression"

    @cached_property
    def errors(self) -> list[Floats]:
        """(1 + draws, 6) a seed, see metric_sums.errors."""
        origin = float(self.truth.mean()) if len(self.truth) else 0.0
        return [self.sums(metric_sums.errors(self.truth, p, origin)) for p in self.seeds]

    @cached_property
    def covered(self) -> list[Floats]:
        """(1 + draws, levels) a seed: share of the truth inside each central interval."""
        reach = np.array([NormalDist().inv_cdf(0.5 + level / 2) for level in LEVELS.tolist()])
        inside = [np.abs(self.truth - p[:, 0])[:, None] <= reach * p[:, 1:] for p in self.seeds]
        return [
            self.sums(share.astype(np.float64)) / np.maximum(sums[:, :1], 1e-12)
            for share, sums in zip(inside, self.errors)
        ]

    @property
    def held(self) -> NDArray[np.bool_]:
        return self.errors[0][:, 0] > 0

    def of_errors(self, which: int) -> list[Floats]:
        return [sums[:, which] / np.maximum(sums[:, 0], 1e-12) for sums in self.errors]

    @cached_property
    def r2(self) -> Floats:
        whole = self.resampler.sums(
            metric_sums.errors(self.y, self.probabilities[0], float(self.y.mean()))
        )
        return self.mean([metric_sums.r2_of(sums, whole) for sums in self.errors])

    @property
    def rmse(self) -> Floats:
        return self.mean([np.sqrt(squares) for squares in self.of_errors(3)])

    @property
    def mae(self) -> Floats:
        return self.mean(self.of_errors(4))

    @property
    def log_loss(self) -> Floats:
        return self.mean(self.of_errors(5))

    @property
    def coverage_90(self) -> Floats:
        return self.mean([shares[:, -1] for shares in self.covered])

    @property
    def ece(self) -> Floats:
        return self.mean([np.abs(shares - LEVELS).mean(1) for shares in self.covered])

    @property
    def spearman(self) -> Floats:
        return self.mean([self.spearman_of(p[:, 0]) for p in self.seeds])

    def spearman_of(self, answer: Floats) -> Floats:
        y = self.truth
        if len(y) < 2 or np.ptp(y) == 0 or np.ptp(answer) == 0:
            return np.zeros(1 + self.resampler.draws)
        from scipy.stats import spearmanr

        place = metric_sums.rank_bins(y, RANKS) * RANKS + metric_sums.rank_bins(answer, RANKS)
        table, _ = self.resampler.histograms(place, np.ones(len(y), bool), RANKS**2, self.rows)
        draws = metric_sums.rank_correlation_of(table.reshape(-1, RANKS, RANKS))
        corrected: Floats = draws + (spearmanr(y, answer).statistic - draws[0])
        return corrected

    def against(self) -> list[Against]:
        bins = metric_sums.rank_bins(self.truth, TENTHS)
        member = np.eye(int(bins.max()) + 1)[bins]
        n = self.sums(member)
        with np.errstate(invalid="ignore", divide="ignore"):
            answer = self.mean([self.sums(member * p[:, :1]) / n for p in self.seeds])
        rows = []
        for k in range(member.shape[1]):
            inside = self.truth[bins == k]
            edges = {"lower": inside.min(), "upper": inside.max(), "truth": inside.mean()}
            rows.append(Against(**edges, n=len(inside), answer=interval(answer[:, k])))
        return rows

    def reliability(self) -> Reliability:
        """A bin a level: how often the truth lies inside the interval that should hold so much of
        it.
        """
        shares, n = self.mean(self.covered), len(self.truth)
        bins = [
            Bin(lower=0.0, upper=level, n=n, confidence=level, accuracy=interval(shares[:, k]))
            for k, level in enumerate(LEVELS.tolist())
        ]
        return Reliability(ece=interval(self.ece), bins=bins)
