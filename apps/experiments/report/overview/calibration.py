"""The card "Can I trust the probability?", of a number its interval: the reliability diagram."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.ui import figures
from apps.ui.plots import model as ui
from fusion.schema.result import EvaluationResult

SURE = 0.8
"""The sentence speaks of the bin nearest to this confidence."""


@dataclass(frozen=True)
class CalibrationSection:
    plot: ui.Reliability
    words: str


def section(result: EvaluationResult) -> CalibrationSection:
    return CalibrationSection(plot(result), words(result))


def plot(result: EvaluationResult) -> ui.Reliability:
    after, before = result.calibration.after, result.calibration.before
    bins = [
        ui.Bin(row.confidence, row.accuracy.value, row.accuracy.low, row.accuracy.high, row.n)
        for row in after.bins
    ]
    line = [(row.confidence, row.accuracy.value) for row in before.bins if row.n]
    return ui.Reliability(bins=bins, before=line, name="calibration")


def words(result: EvaluationResult) -> str:
    return interval_words(result) if result.task == "regression" else probability_words(result)


def probability_words(result: EvaluationResult) -> str:
    after, before = result.calibration.after.ece, result.calibration.before.ece
    texts = []
    if bins := [row for row in result.calibration.after.bins if row.n]:
        nearest = min(bins, key=lambda row: abs(row.confidence - SURE))
        text = _("When it says %(says)s, it is right in %(right)s of 100.")
        right = round(100 * nearest.accuracy.value)
        texts.append(text % {"says": figures.percent(nearest.confidence), "right": right})
    text = _("ECE %(after)s (%(ci)s) with temperature; %(before)s without.") % {
        "after": figures.score(after.value),
        "ci": figures.interval(after.low, after.high),
        "before": figures.score(before.value),
    }
    return " ".join([*texts, text])


def interval_words(result: EvaluationResult) -> str:
    text = _(
        "Of its 90 %% intervals %(n)s of 100 hold the truth; over all levels it is off by %(ece)s."
    )
    return text % {
        "n": round(100 * result.metrics["coverage_90"].value),
        "ece": figures.score(result.calibration.after.ece.value),
    }
