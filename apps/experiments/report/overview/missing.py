"""The card "What if an input is missing?": the score as more of one input is taken away."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.experiments.words import list_in_words
from apps.ui import figures
from apps.ui.plots import model as ui
from fusion.schema.result import EvaluationResult, Single


@dataclass(frozen=True)
class MissingSection:
    plot: ui.Lines | None
    words: str


def section(result: EvaluationResult, kinds: Mapping[str, str]) -> MissingSection:
    return MissingSection(plot(result, kinds), words(result))


def plot(result: EvaluationResult, kinds: Mapping[str, str]) -> ui.Lines | None:
    """A line for each modality; None for a run whose recipe asks for none."""
    if not result.degradation:
        return None
    lines = [
        ui.Line(
            label=_("no %(modality)s") % {"modality": degradation.modality},
            kind=kinds.get(degradation.modality, ""),
            xs=[level.share for level in degradation.levels],
            ys=[level.value for level in degradation.levels],
            low=[level.low for level in degradation.levels],
            high=[level.high for level in degradation.levels],
        )
        for degradation in result.degradation
    ]
    single = best_single(result)
    score = single.score.value
    label = _("best single modality, %(modality)s %(value)s") % {
        "modality": single.modality,
        "value": figures.score(score),
    }
    return ui.Lines(
        lines=lines,
        x_range=(0, 1),
        x_percent=True,
        levels=[ui.Level(score, label)],
        height=220,
        name="missing-inputs",
        y_label=figures.metric(result.headline.metric),
    )


def best_single(result: EvaluationResult) -> Single:
    over = result.headline.gain_over_best_single.over
    singles = (single for single in result.singles if single.modality == over)
    return next(singles, result.singles[0])


def words(result: EvaluationResult) -> str:
    """`Without any one input it stays above the best single modality. Losing speech costs most:
    -.120.`
    """
    losses = [loss for loss in result.missing if len(loss.without) == 1]
    if not losses:
        return ""
    best = best_single(result).score.value
    below = [loss.without[0] for loss in losses if loss.score.value < best]
    worst = min(losses, key=lambda loss: loss.change.value)
    if below:
        text = _("Without %(names)s it falls below the best single modality.")
        text %= {"names": list_in_words(below)}
    else:
        text = _("Without any one input it stays above the best single modality.")
    most = _("Losing %(modality)s costs most: %(change)s.") % {
        "modality": worst.without[0],
        "change": figures.signed(worst.change.value),
    }
    return f"{text} {most}"
