"""The card "Is joining worth it?": this run beside the other methods, each modality alone and the
baselines, all on the same test samples.
"""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.experiments.report.interval_scales import scale, span
from apps.experiments.words import list_in_words, method_name
from apps.ui import figures
from apps.ui.plots import model as ui
from fusion.schema.intervals import Interval
from fusion.schema.result import EvaluationResult


@dataclass(frozen=True)
class MethodsSection:
    plot: ui.Forest
    words: str


def section(result: EvaluationResult) -> MethodsSection:
    return MethodsSection(plot(result), words(result))


def plot(result: EvaluationResult) -> ui.Forest:
    score = result.headline.score
    others = [method for method in result.methods if method.name != result.method]
    baselines = result.baselines
    rows = [_row(_("Joined"), method_name(result.method), score)]
    rows += [_row(_("Joined"), method_name(method.name), method.score) for method in others]
    rows += _single_rows(result)
    rows += [_row(_("Baseline"), baseline_name(row.name), row.score) for row in baselines]
    shown = [score, *(row.score for row in (*others, *result.singles, *baselines))]
    low, high = scale(shown)
    return ui.Forest(
        rows=rows,
        low=low,
        high=high,
        metric=figures.metric(result.headline.metric),
        show_state=False,
        first_column=_("Way"),
        name="comparison",
    )


def _single_rows(result: EvaluationResult) -> list[ui.ForestRow]:
    """Each modality alone, the best first, with its score where the modality is present."""
    rows = []
    for single in sorted(result.singles, key=lambda single: -single.score.value):
        note = _("%(value)s on the %(n)s that have it") % {
            "n": f"{single.n_present:,}",
            "value": figures.score(single.where_present.value),
        }
        rows.append(_row(_("Alone"), single.modality, single.score, note))
    return rows


def _row(group: str, label: str, score: Interval, note: str = "") -> ui.ForestRow:
    return ui.ForestRow(group=group, label=label, note=note, **span(score))


def baseline_name(name: str) -> str:
    names = {
        "Logistic regression, features joined": _("Logistic regression, features joined"),
        "Logistic regression, calibrated product": _("Logistic regression, calibrated product"),
        "Ridge regression, features joined": _("Ridge regression, features joined"),
        "Ridge regression, calibrated product": _("Ridge regression, calibrated product"),
    }
    return names.get(name, name)


def words(result: EvaluationResult) -> str:
    """Name the methods that cannot be told apart, and a plain baseline that scores higher."""
    score, texts = result.headline.score, []
    close = [
        method_name(method.name)
        for method in result.methods
        if method.name != result.method and overlap(method.score, score)
    ]
    if close:
        text = _(
            "The intervals of %(names)s overlap with this run's: no clear winner among the methods."
        )
        texts.append(text % {"names": list_in_words(close)})
    text = _("A plain baseline scores higher on the same features: %(name)s, %(value)s.")
    for baseline in result.baselines:
        if baseline.score.value > score.value:
            value = figures.score(baseline.score.value)
            texts.append(text % {"name": baseline_name(baseline.name), "value": value})
    return " ".join(texts)


def overlap(first: Interval, second: Interval) -> bool:
    """Tell whether the intervals share a value; one without bounds is its value alone."""

    def bounds(interval: Interval) -> tuple[float, float]:
        if interval.low is None or interval.high is None:
            return interval.value, interval.value
        return interval.low, interval.high

    (low, high), (other_low, other_high) = bounds(first), bounds(second)
    return low <= other_high and high >= other_low
