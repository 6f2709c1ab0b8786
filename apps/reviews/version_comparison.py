"""The scores of the candidate beside those of the version it replaces."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.experiments.artifacts.predictions import Cannot
from apps.experiments.models import Run
from apps.experiments.report import interval_scales, run_comparison
from apps.experiments.report.disciplines.protocols import measure
from apps.experiments.words import column_names
from fusion.schema.comparison import Difference
from fusion.schema.intervals import Interval
from fusion.schema.metrics import METRICS
from fusion.schema.result import EvaluationResult

SHOWN = ("accuracy", "auroc", "mae", "mae_steps", "exact_match", "log_loss", "ece")
"""Beside the headline, where both have them."""


@dataclass(frozen=True, slots=True)
class ScoreChange:
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
    """The intervals are of two separate bootstraps, so an overlap says nothing in
    either direction.
    """
    if before.low is None or before.high is None or after.low is None or after.high is None:
        return "same"
    if after.low > before.high:
        return "worse" if lower_is_better else "better"
    if after.high < before.low:
        return "better" if lower_is_better else "worse"
    return "same"


def figures(before: Run, after: Run) -> list[ScoreChange]:
    """The headline, then what both were measured on, and each shared subgroup; nothing where they
    answer different questions.
    """
    result, result_after = before.evaluation, after.evaluation
    if (
        result is None
        or result_after is None
        or result.headline.metric != result_after.headline.metric
    ):
        return []
    pairs, known = paired(before, after), result.metrics
    rows = [
        _figure(
            measure(name),
            known[name],
            result_after.metrics[name],
            METRICS[name].lower_is_better,
            pairs.get(name),
        )
        for name in dict.fromkeys((result.headline.metric, *SHOWN))
        if name in known and name in result_after.metrics
    ]
    gains = result.headline.gain_over_best_single, result_after.headline.gain_over_best_single
    if gains[0] and gains[1]:
        rows.insert(
            1, _figure(_("Gain over the best single modality"), _plain(gains[0]), _plain(gains[1]))
        )
    return [*rows, *_subgroups(result, result_after)]


def paired(before: Run, after: Run) -> dict[str, Difference]:
    """Return the paired differences by metric; empty where the two were not judged on the same test
    samples.
    """
    try:
        return run_comparison.comparison_of([before, after]).runs[1].differences
    except Cannot:
        return {}


def _figure(
    label: str,
    before: Interval,
    after: Interval,
    lower_is_better: bool = False,
    pair: Difference | None = None,
) -> ScoreChange:
    change = (
        interval_scales.verdict(pair.verdict) if pair else verdict(before, after, lower_is_better)
    )
    return ScoreChange(label, before, after, change, pair)


def _plain(interval: Interval) -> Interval:
    return Interval(value=interval.value, low=interval.low, high=interval.high)


def _subgroups(before: EvaluationResult, after: EvaluationResult) -> list[ScoreChange]:
    known = {(subgroup.column, subgroup.value): subgroup.score for subgroup in before.subgroups}
    shared = [
        subgroup for subgroup in after.subgroups if (subgroup.column, subgroup.value) in known
    ]
    names = column_names([subgroup.column for subgroup in shared])
    return [
        _figure(
            f"{names[subgroup.column]}: {subgroup.value}",
            known[subgroup.column, subgroup.value],
            subgroup.score,
        )
        for subgroup in shared
    ]
