"""What noise on one input costs, as the run's page shows it."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.experiments.report import plots
from apps.ui import figures
from apps.ui.plots import model as ui
from fusion.schema.noise_levels import LEVELS
from fusion.schema.result import EvaluationResult, NoisyLevel


@dataclass
class Noise:
    """done: what was done to each input at which levels, in words."""

    plot: ui.Lines
    done: list[str]
    words: str


def noise(result: EvaluationResult, kinds: Mapping[str, str]) -> Noise | None:
    """None for a run that was not asked under noise."""
    if not result.noise:
        return None
    clean = result.headline.score
    lines = [
        ui.Line(
            label=one.modality, kind=kinds.get(one.modality, ""), xs=list(range(len(one.levels) + 1)), dots=True,
            ys=[clean.value, *(each.value for each in one.levels)], low=[clean.low, *(each.low for each in one.levels)],
            high=[clean.high, *(each.high for each in one.levels)],
        )
        for one in result.noise
    ]  # fmt: skip
    steps = range(max(len(one.levels) for one in result.noise) + 1)
    plot = ui.Lines(
        lines=lines, x_range=(0, steps[-1]), x_ticks=list(steps), x_label=_("Level of noise"), y_label=plots.metric(result), height=220, name="noisy-inputs",
    )  # fmt: skip
    return Noise(plot, [done(one.modality, one.kind) for one in result.noise], worst(result))


def done(name: str, kind: str) -> str:
    """ "speech: white noise, 20 dB, 10 dB, 0 dB under the recording" """
    words = {
        "image": _("%(name)s: blurred by %(levels)s of its shorter side"),
        "audio": _("%(name)s: white noise at %(levels)s below the recording"),
        "text": _("%(name)s: %(levels)s of the words dropped"),
        "table": _("%(name)s: every number shaken by %(levels)s of its column"),
        "series": _("%(name)s: every number shaken by %(levels)s of all series"),
    }
    levels = _(", ").join(level.name for level in LEVELS.get(kind, ()))
    return words.get(kind, "%(name)s: %(levels)s") % {"name": name, "levels": levels}


def worst(result: EvaluationResult) -> str:
    """What costs most, and whether the loss is clear."""
    told: list[tuple[str, NoisyLevel]] = [
        (one.modality, level) for one in result.noise for level in one.levels
    ]
    clear = [each for each in told if each[1].change.high is not None and each[1].change.high < 0]
    name, level = min(clear or told, key=lambda each: each[1].change.value)
    words = {"name": name, "level": level.level, "change": figures.signed(level.change.value)}
    if clear:
        return _("Noise of %(level)s on %(name)s costs most: %(change)s, clearly.") % words
    return (
        _("No level of noise costs clearly; the most is %(change)s, %(level)s on %(name)s.") % words
    )
