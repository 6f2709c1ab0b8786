"""Every metric as draws: row 0 is the point, the rest are bootstrap draws; seeds are averaged
inside each draw.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fusion.core.arrays import Floats, Ints
from fusion.schema.intervals import Gain, Interval
from fusion.schema.metrics import headline_of, metrics_of
from fusion.schema.result import Against, ClassScore, Confusion, Reliability
from fusion.schema.task_names import TaskName
from fusion.tasks import metric_sums
from fusion.tasks.bootstrap import Resampler, interval, verdict
from fusion.tasks.calibration import bin_sums, ece_of, reliability


@dataclass
class TaskScores(ABC):
    """Every metric of a task (fusion.schema.metrics), each a property of its name.

    probabilities: the predictions of one model, (S, n, D); chosen: (n,) bool, the samples that
    count (all by default); bins: at most, where scores are ranked.
    """

    task: ClassVar[TaskName]
    resampler: Resampler
    y: NDArray[Any]
    probabilities: Floats
    chosen: NDArray[np.bool_] | None = None
    bins: int = 1024

    @property
    def headline(self) -> str:
        return headline_of(self.task)

    @cached_property
    def rows(self) -> Ints | None:
        return None if self.chosen is None else np.flatnonzero(self.chosen)

    @cached_property
    def truth(self) -> NDArray[Any]:
        return self.y if self.rows is None else self.y[self.rows]

    @cached_property
    def seeds(self) -> list[Floats]:
        """(m, D) a seed, of the samples that count"""
        return [p if self.rows is None else p[self.rows] for p in self.probabilities]

    def mean(self, values: Sequence[Floats]) -> Floats:
        return np.mean(values, axis=0)

    def sums(self, values: Floats) -> Floats:
        return self.resampler.sums(values, self.rows)

    @property
    @abstractmethod
    def held(self) -> NDArray[np.bool_]:
        """(1 + draws,): which draws hold any of the samples; the others say nothing about them."""

    @property
    def score(self) -> Floats:
        """(1 + draws,) of the headline metric."""
        draws: Floats = getattr(self, self.headline)
        return draws

    def draws(self, metric: str) -> Floats:
        """(1 + draws,) of one metric; NaN in draws without any of the samples."""
        return np.where(self.held, getattr(self, metric), np.nan)

    @abstractmethod
    def reliability(self) -> Reliability:
        """Return the reliability over all samples."""

    def per_class(self, labels: Sequence[str]) -> list[ClassScore]:
        """Return the scores of each label; empty where a prediction is no label."""
        return []

    def confusion(self) -> Confusion | None:
        """Return the confusion of the first seed; None where a prediction is not one label."""
        return None

    def against(self) -> list[Against]:
        """Return predictions against truth; empty where a prediction is not a number."""
        return []

    def all(self, names: Sequence[str] | None = None) -> dict[str, Interval]:
        return {name: interval(self.draws(name)) for name in names or metrics_of(self.task)}


class LabelScores(TaskScores):
    """The metrics of one label among several. probabilities: (S, n, K)."""

    task: ClassVar[TaskName] = "classification"

    @cached_property
    def counts(self) -> list[Floats]:
        """(1 + draws, 3K) a seed"""
        k = self.probabilities.shape[2]
        return [self.sums(metric_sums.counts(self.truth, p.argmax(1), k)) for p in self.seeds]

    @cached_property
    def losses(self) -> list[Floats]:
        return [self.sums(metric_sums.losses(self.truth, p)) for p in self.seeds]

    @cached_property
    def macro_f1(self) -> Floats:
        return self.mean([metric_sums.macro_f1_of(sums) for sums in self.counts])

    @property
    def accuracy(self) -> Floats:
        return self.mean([metric_sums.accuracy_of(sums) for sums in self.counts])

    @property
    def balanced_accuracy(self) -> Floats:
        return self.mean([metric_sums.balanced_accuracy_of(sums) for sums in self.counts])

    @property
    def log_loss(self) -> Floats:
        return self.mean([metric_sums.mean_loss(sums, 0) for sums in self.losses])

    @property
    def brier(self) -> Floats:
        return self.mean([metric_sums.mean_loss(sums, 1) for sums in self.losses])

    @property
    def ece(self) -> Floats:
        return self.mean([ece_of(self.sums(bin_sums(self.truth, p))) for p in self.seeds])

    @property
    def auroc(self) -> Floats:
        """One against the rest, mean over the classes (unweighted)."""
        return self.mean([self.auroc_of(p) for p in self.seeds])

    def auroc_of(self, p: Floats) -> Floats:
        return metric_sums.mean_of_defined(self.areas(p, range(p.shape[1])))

    def areas(self, p: Floats, labels: Iterable[int]) -> Floats:
        """(1 + draws, labels): one label against the rest."""
        areas = []
        for k in labels:
            bins, width = metric_sums.auroc_bins(p[:, k], self.bins)
            areas.append(
                metric_sums.auroc_of(
                    *self.resampler.histograms(bins, self.truth == k, width, self.rows)
                )
            )
        return np.stack(areas, axis=-1)

    def f1_by_class(self) -> Floats:
        """(1 + draws, K)"""
        return self.mean([np.nan_to_num(metric_sums.f1_of(sums)) for sums in self.counts])

    def per_class(self, labels: Sequence[str]) -> list[ClassScore]:
        return per_label(self.counts, self.f1_by_class(), labels)

    def confusion(self) -> Confusion:
        k = self.probabilities.shape[2]
        counts = np.bincount(self.y * k + self.probabilities[0].argmax(1), minlength=k * k).reshape(
            k, k
        )
        return Confusion(counts=counts.tolist())

    def reliability(self) -> Reliability:
        return reliability(self.resampler, self.y, self.probabilities)

    @cached_property
    def held(self) -> NDArray[np.bool_]:
        k = self.probabilities.shape[2]
        return self.counts[0][:, 2 * k :].sum(1) > 0


class OrdinalScores(LabelScores):
    """The metrics of one label of an order. mae_steps: how many steps off, on average; kappa:
    Cohen's, weighted by the squared steps (Cohen 1968).
    """

    task = "ordinal"

    @cached_property
    def steps(self) -> list[Floats]:
        """(1 + draws, 7) a seed: 1, steps off, their squares, and truth and answer with their
        squares.
        """
        return [self.sums(metric_sums.steps(self.truth, p.argmax(1))) for p in self.seeds]

    @property
    def mae_steps(self) -> Floats:
        return self.mean([sums[:, 1] / np.maximum(sums[:, 0], 1e-12) for sums in self.steps])

    @property
    def kappa(self) -> Floats:
        return self.mean([metric_sums.weighted_kappa_of(sums) for sums in self.steps])


def gain(model: TaskScores, single: TaskScores, over: str) -> Gain:
    """The paired difference in the headline metric: both in the same draws."""
    difference = interval(model.score - single.score)
    return Gain(**difference.model_dump(), over=over, verdict=verdict(difference))


def per_label(counts: Sequence[Floats], f1: Floats, labels: Sequence[str]) -> list[ClassScore]:
    """counts: (1 + draws, 3K) a seed, see metric_sums.counts; f1: (1 + draws, K)."""
    whole = np.mean([sums[0] for sums in counts], axis=0)
    precision, recall = metric_sums.precision_recall(whole)
    n = whole[2 * len(labels) :]
    return [
        ClassScore(
            label=label,
            n=round(n[k]),
            precision=precision[k],
            recall=recall[k],
            f1=interval(f1[:, k]),
        )
        for k, label in enumerate(labels)
    ]
