"""Every metric as draws: row 0 is the point, the rest are bootstrap draws; seeds are averaged inside each draw."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fusion.evaluate import metrics
from fusion.evaluate.bootstrap import Resampler, interval, verdict
from fusion.evaluate.calibration import bin_sums, ece_of
from fusion.evaluate.metrics import Floats, Ints
from fusion.result import Gain, Interval


@dataclass
class Scores:
    """probabilities: (S, n, K) of one model; chosen: (n,) bool, the samples that count (all by default)."""

    resampler: Resampler
    y: Ints
    probabilities: Floats
    chosen: NDArray[np.bool_] | None = None

    def mean(self, values: list[Floats]) -> Floats:
        return np.mean(values, axis=0)

    def sums(self, values: Floats) -> Floats:
        return self.resampler.sums(values if self.chosen is None else values * self.chosen[:, None])

    @cached_property
    def counts(self) -> list[Floats]:
        """(1 + draws, 3K) a seed"""
        k = self.probabilities.shape[2]
        return [self.sums(metrics.counts(self.y, p.argmax(1), k)) for p in self.probabilities]

    @cached_property
    def losses(self) -> list[Floats]:
        return [self.sums(metrics.losses(self.y, p)) for p in self.probabilities]

    @cached_property
    def macro_f1(self) -> Floats:
        return self.mean([metrics.macro_f1_of(sums) for sums in self.counts])

    @property
    def ece(self) -> Floats:
        return self.mean([ece_of(self.sums(bin_sums(self.y, p))) for p in self.probabilities])

    @property
    def auroc(self) -> Floats:
        """One against the rest, mean over the classes (unweighted)."""
        return self.mean([self.auroc_of(p) for p in self.probabilities])

    def auroc_of(self, p: Floats) -> Floats:
        areas = []
        counted = np.ones(len(self.y), bool) if self.chosen is None else self.chosen
        for k in range(p.shape[1]):
            bins, true = metrics.auroc_bins(p[:, k]), self.y == k
            positive = self.resampler.histogram(bins, true & counted)
            areas.append(metrics.auroc_of(positive, self.resampler.histogram(bins, ~true & counted)))
        return metrics.mean_of_defined(np.stack(areas, axis=-1))

    def f1_by_class(self) -> Floats:
        """(1 + draws, K)"""
        return self.mean([np.nan_to_num(metrics.f1_of(sums)) for sums in self.counts])

    def all(self) -> dict[str, Interval]:
        draws = {
            "macro_f1": self.macro_f1,
            "accuracy": self.mean([metrics.accuracy_of(sums) for sums in self.counts]),
            "balanced_accuracy": self.mean([metrics.balanced_accuracy_of(sums) for sums in self.counts]),
            "auroc": self.auroc,
            "log_loss": self.mean([metrics.mean_loss(sums, 0) for sums in self.losses]),
            "brier": self.mean([metrics.mean_loss(sums, 1) for sums in self.losses]),
            "ece": self.ece,
        }
        return {name: interval(values) for name, values in draws.items()}


def gain(model: Scores, single: Scores, over: str) -> Gain:
    """The paired difference in macro-F1: both in the same draws."""
    difference = interval(model.macro_f1 - single.macro_f1)
    return Gain(**difference.model_dump(), over=over, verdict=verdict(difference))
