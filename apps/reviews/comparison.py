"""What changed: the candidate beside the version it replaces, figures and settings."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from apps.experiments import plots
from apps.experiments.models import Run
from fusion.figures import Interval
from fusion.result import EvaluationResult


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure on both sides. `verdict` says better or worse only where the two intervals do not overlap."""

    label: str
    before: Interval
    after: Interval
    verdict: str

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


def figures(before: EvaluationResult, after: EvaluationResult) -> list[Figure]:
    """The headline, then what both were measured on: accuracy, AUROC, each shared subgroup; nothing where they answer different questions."""
    one, other = before.headline, after.headline
    if one.metric != other.metric:
        return []
    rows = [
        _figure(plots.metric(after), one.score, other.score),
        _figure(_("Gain over the best single modality"), _plain(one.gain_over_best_single), _plain(other.gain_over_best_single)),
        _figure(_("Calibration, ECE"), one.ece, other.ece, lower_is_better=True),
    ]
    for name, label in (("accuracy", _("Accuracy")), ("auroc", _("AUROC"))):
        if name in before.metrics and name in after.metrics:
            rows.append(_figure(label, before.metrics[name], after.metrics[name]))
    return [*rows, *_subgroups(before, after)]


def _figure(label: str, before: Interval, after: Interval, lower_is_better: bool = False) -> Figure:
    return Figure(label, before, after, verdict(before, after, lower_is_better))


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
