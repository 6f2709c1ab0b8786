"""The card "Where is it off?": predicted numbers against their truth, by tenths of the samples."""

import math
from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.ui import figures
from apps.ui.plots import model as ui
from fusion.schema.result import EvaluationResult

MOST_DIGITS = 6


@dataclass(frozen=True)
class NumbersSection:
    plot: ui.Lines
    words: str


def section(result: EvaluationResult) -> NumbersSection | None:
    """The card; None for a task whose truth is no number."""
    return NumbersSection(plot(result), words(result)) if result.against else None


def plot(result: EvaluationResult) -> ui.Lines:
    """The mean prediction of each tenth of the samples over the mean of their truth."""
    truth = [tenth.truth for tenth in result.against]
    predictions = [tenth.answer for tenth in result.against]
    lines = [
        ui.Line(label=_("truth"), xs=truth, ys=truth, style="muted", dash="6 4"),
        ui.Line(
            label=_("answer"),
            xs=truth,
            ys=[prediction.value for prediction in predictions],
            low=[prediction.low for prediction in predictions],
            high=[prediction.high for prediction in predictions],
            dots=True,
        ),
    ]
    digits = digits_of(max(truth) - min(truth))
    return ui.Lines(
        lines=lines,
        x_range=(min(truth), max(truth)),
        x_label=_("Truth"),
        y_label=_("Answer"),
        digits=digits,
        tick_digits=digits,
        height=260,
        name="answers",
    )


def digits_of(width: float) -> int:
    """Decimals that tell apart the numbers of a range."""
    digits = max(0, 2 - math.floor(math.log10(width))) if width > 0 else 2
    return min(digits, MOST_DIGITS)


def words(result: EvaluationResult) -> str:
    """Say how far off it usually is, and whether it shies away from the ends."""
    text = _("Off by %(mae)s on average (RMSE %(rmse)s).") % {
        name: figures.score(result.metrics[name].value) for name in ("mae", "rmse")
    }
    low, high = result.against[0], result.against[-1]
    if low.answer.value > low.truth and high.answer.value < high.truth:
        text += " " + _(
            "The smallest are answered too large and the largest too small, as by everyone who is "
            "not sure."
        )
    return text
