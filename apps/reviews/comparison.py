"""What changed: the candidate beside the version it replaces, figures and settings."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from apps.experiments import comparing, pages
from apps.experiments.models import Run
from apps.experiments.predictions import Cannot
from apps.experiments.protocols import measure
from fusion.comparison import Difference
from fusion.figures import Interval
from fusion.protocol import MEASURES
from fusion.result import EvaluationResult

SHOWN = ("accuracy", "auroc", "mae", "mae_steps", "exact_match", "log_loss", "ece")
"""Beside the headline, where both have them."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure on both sides. `paired`: the difference on the same test samples, which then decides the verdict; elsewhere it says better
    or worse only where the two intervals do not overlap.
    """

    label: str
    before: Interval
    after: Interval
    verdict: str
    paired: Difference | None = None

    @property
    def change(self) -> float:
        return self.after.value - self.before.value


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    before: str
    after: str


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
    """The headline, then what both were measured on, and each shared subgroup; nothing where they answer different questions."""
    one, other = before.evaluation, after.evaluation
    if one is None or other is None or one.headline.metric != other.headline.metric:
        return []
    pairs, known = paired(before, after), one.metrics
    rows = [
        _figure(measure(name), known[name], other.metrics[name], MEASURES[name].lower_is_better, pairs.get(name))
        for name in dict.fromkeys((one.headline.metric, *SHOWN))
        if name in known and name in other.metrics
    ]
    gains = one.headline.gain_over_best_single, other.headline.gain_over_best_single
    if gains[0] and gains[1]:
        rows.insert(1, _figure(_("Gain over the best single modality"), _plain(gains[0]), _plain(gains[1])))
    return [*rows, *_subgroups(one, other)]


def paired(before: Run, after: Run) -> dict[str, Difference]:
    """By metric; empty where the two were not judged on the same test samples."""
    try:
        return comparing.judged([before, after]).runs[1].differences
    except Cannot:
        return {}


def _figure(label: str, before: Interval, after: Interval, lower_is_better: bool = False, pair: Difference | None = None) -> Figure:
    said = pages.verdict(pair.verdict) if pair else verdict(before, after, lower_is_better)
    return Figure(label, before, after, said, pair)


def _plain(one: Interval) -> Interval:
    return Interval(value=one.value, low=one.low, high=one.high)


def _subgroups(before: EvaluationResult, after: EvaluationResult) -> list[Figure]:
    known = {(one.column, one.value): one.score for one in before.subgroups}
    shared = [one for one in after.subgroups if (one.column, one.value) in known]
    return [_figure(f"{one.column.rpartition('.')[2]} {one.value}", known[one.column, one.value], one.score) for one in shared]


def settings(before: Run, after: Run) -> list[Setting]:
    """Only what differs: alignment first, then the recipe by its dotted names."""
    one = {_("alignment"): _alignment(before), **flat(before.recipe)}
    other = {_("alignment"): _alignment(after), **flat(after.recipe)}
    names = [*other, *(name for name in one if name not in other)]
    return [Setting(name, one.get(name, ""), other.get(name, "")) for name in names if one.get(name, "") != other.get(name, "")]


def _alignment(run: Run) -> str:
    return f"{run.alignment.number}: {run.alignment.name}"


def flat(data: Any, prefix: str = "") -> dict[str, str]:
    """{"train": {"epochs": 20}} -> {"train.epochs": "20"}; lists stay together."""
    if isinstance(data, dict) and data:
        return {
            name: value for key, inner in data.items() for name, value in flat(inner, f"{prefix}.{key}" if prefix else str(key)).items()
        }
    if isinstance(data, list):
        return {prefix: ", ".join(map(str, data))}
    return {prefix: "" if data in (None, {}) else str(data)}
