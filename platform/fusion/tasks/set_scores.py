"""Metrics of sets of labels, each as draws: see fusion.tasks.label_scores. Predictions are (S, n,
L), the probability of each label.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fusion.core.arrays import Floats
from fusion.schema.result import ClassScore, Reliability
from fusion.tasks import metric_sums
from fusion.tasks.calibration import BINS, ece_of, reliability_of
from fusion.tasks.label_scores import TaskScores, per_label


class SetScores(TaskScores):
    """macro_f1: mean over the labels that occur; exact_match: the whole set is right; log_loss,
    brier: means over the labels.
    """

    task = "multi-label"

    @cached_property
    def counts(self) -> list[Floats]:
        """(1 + draws, 3L) a seed"""
        return [self.sums(metric_sums.label_counts(self.truth, p > 0.5)) for p in self.seeds]

    @cached_property
    def whole(self) -> list[Floats]:
        """(1 + draws, 4) a seed: 1, whole set right, log loss, squared error."""
        sums_of_seeds = []
        for p in self.seeds:
            true = np.clip(np.where(self.truth, p, 1 - p), 1e-15, 1)
            right = ((p > 0.5) == self.truth).all(1)
            columns = [
                np.ones(len(p)),
                right,
                -np.log(true).mean(1),
                ((p - self.truth) ** 2).mean(1),
            ]
            sums_of_seeds.append(self.sums(np.stack(columns, 1).astype(np.float64)))
        return sums_of_seeds

    @property
    def held(self) -> NDArray[np.bool_]:
        return self.whole[0][:, 0] > 0

    def of_whole(self, which: int) -> Floats:
        return self.mean([sums[:, which] / np.maximum(sums[:, 0], 1e-12) for sums in self.whole])

    @cached_property
    def macro_f1(self) -> Floats:
        return self.mean([metric_sums.macro_f1_of(sums) for sums in self.counts])

    @property
    def micro_f1(self) -> Floats:
        return self.mean([metric_sums.micro_f1_of(sums) for sums in self.counts])

    @property
    def exact_match(self) -> Floats:
        return self.of_whole(1)

    @property
    def log_loss(self) -> Floats:
        return self.of_whole(2)

    @property
    def brier(self) -> Floats:
        return self.of_whole(3)

    @property
    def auroc(self) -> Floats:
        """Mean over the labels."""
        return self.mean([self.auroc_of(p) for p in self.seeds])

    def auroc_of(self, p: Floats) -> Floats:
        areas = []
        for k in range(p.shape[1]):
            bins, width = metric_sums.auroc_bins(p[:, k], self.bins)
            areas.append(
                metric_sums.auroc_of(
                    *self.resampler.histograms(bins, self.truth[:, k], width, self.rows)
                )
            )
        return metric_sums.mean_of_defined(np.stack(areas, axis=-1))

    @cached_property
    def binned(self) -> list[Floats]:
        """(1 + draws, 3 * BINS) a seed: how many labels of samples, their probability and how many
        of them hold, by probability.
        """
        return [self.sums(set_bins(self.truth, p)) for p in self.seeds]

    @property
    def ece(self) -> Floats:
        """Does a label that is given 80 % hold in 80 of 100?"""
        return self.mean([ece_of(sums) for sums in self.binned])

    def reliability(self) -> Reliability:
        return reliability_of(np.stack(self.binned))

    def per_class(self, labels: Sequence[str]) -> list[ClassScore]:
        f1 = self.mean([np.nan_to_num(metric_sums.f1_of(sums)) for sums in self.counts])
        return per_label(self.counts, f1, labels)


def set_bins(y: NDArray[np.bool_], p: Floats) -> Floats:
    """Per sample, (n, 3 * BINS): labels, their probabilities and those that hold, each in the bin
    of the probability.
    """
    place = np.minimum((p * BINS).astype(int), BINS - 1)
    sums = np.zeros((len(p), 3, BINS))
    rows = np.arange(len(p))
    for k in range(p.shape[1]):
        for part, value in enumerate((np.ones(len(p)), p[:, k], y[:, k])):
            sums[rows, part, place[:, k]] += value
    return sums.reshape(len(p), 3 * BINS)
