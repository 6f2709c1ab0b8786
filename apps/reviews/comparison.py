"""What changed: the figures of the candidate beside those of the version it replaces."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.experiments.artifacts.predictions import Cannot
from apps.experiments.models import Run
from apps.experiments.report import plots, run_comparison, sections
from apps.experiments.report.protocols import measure
from fusion.schema.comparison import Difference
from fusion.schema.intervals import Interval
from fusion.schema.metrics import METRICS
from fusion.schema.result import EvaluationResult

SHOWN = ("accuracy", "auroc", "mae", "mae_steps", "exact_match", "log_loss", "ece")
"""Beside the headline, where both have them."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure on both sides. `paired`: the difference on the same test samples, which then
    decides the verdict; elsewhere it says better or worse only where the two intervals do not
    overlap.
    """

    label: str
    before: Interval
    after: Interval
    verdict: str
    paired: Difference | None = None

    @property
    def change(self) -> float:
        return self.after.value - self.before.value


def verdict(before: Interval, after: Interval, lower_is_better: bool = False) -> str:
    """The intervals are of two separate bootstraps, so an overlap says nothing in either direction."""
    if before.low is None or before.high is None or after.low is None or after.high is None:
        return "same"
    if after.low > before.high:
        return "worse" if lower_is_better else "better"
    if after.high < before.low:
        return "better" if lower_is_better else "worse"
    return "same"


def figures(before: Run, after: Run) -> list[Figure]:
    """The headline, then what both were measured on, and each shared subgroup; nothing where they
    answer different questions.
    """
    one, other = before.evaluation, after.evaluation
    if one is None or other is None or one.headline.metric != other.headline.metric:
        return []
    pairs, known = paired(before, after), one.metrics
    rows = [
        _figure(
            measure(name),
            known[name],
            other.metrics[name],
            METRICS[name].lower_is_better,
            pairs.get(name),
        )
        for name in dict.fromkeys((one.headline.metric, *SHOWN))
        if name in known and name in other.metrics
    ]
    gains = one.headline.gain_over_best_single, other.headline.gain_over_best_single
    if gains[0] and gains[1]:
        rows.insert(
            1, _figure(_("Gain over the best single modality"), _plain(gains[0]), _plain(gains[1]))
        )
    return [*rows, *_subgroups(one, other)]


def paired(before: Run, after: Run) -> dict[str, Difference]:
    """By metric; empty where the two were not judged on the same test samples."""
    try:
        return run_comparison.judged([before, after]).runs[1].differences
    except Cannot:
        return {}


def _figure(
    label: str,
    before: Interval,
    after: Interval,
    lower_is_better: bool = False,
    pair: Difference | None = None,
) -> Figure:
    said = sections.verdict(pair.verdict) if pair else verdict(before, after, lower_is_better)
    return Figure(label, before, after, said, pair)


def _plain(one: Interval) -> Interval:
    return Interval(value=one.value, low=one.low, high=one.high)


def _subgroups(before: EvaluationResult, after: EvaluationResult) -> list[Figure]:
    known = {(one.column, one.value): one.score for one in before.subgroups}
    shared = [one for one in after.subgroups if (one.column, one.value) in known]
    names = plots.column_names([one.column for one in shared])
    return [
        _figure(f"{names[one.column]}: {one.value}", known[one.column, one.value], one.score)
        for one in shared
    ]
