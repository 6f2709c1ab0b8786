"""The card "What if an input is noisy?": the score as one input gets worse step by step."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.ui import figures
from apps.ui.plots import model as ui
from fusion.schema.noise_levels import LEVELS
from fusion.schema.result import EvaluationResult


@dataclass(frozen=True)
class NoiseSection:
    """`levels`: a sentence for each modality on what was done to it."""

    plot: ui.Lines
    levels: list[str]
    words: str


def section(result: EvaluationResult, kinds: Mapping[str, str]) -> NoiseSection | None:
    """The card; None for a run whose recipe asks for no noise."""
    if not result.noise:
        return None
    levels = [levels_in_words(noise.modality, noise.kind) for noise in result.noise]
    return NoiseSection(plot(result, kinds), levels, words(result))


def plot(result: EvaluationResult, kinds: Mapping[str, str]) -> ui.Lines:
    clean = result.headline.score
    lines = []
    for noise in result.noise:
        scores = [clean, *noise.levels]
        lines.append(
            ui.Line(
                label=noise.modality,
                kind=kinds.get(noise.modality, ""),
                xs=list(range(len(scores))),
                ys=[score.value for score in scores],
                low=[score.low for score in scores],
                high=[score.high for score in scores],
                dots=True,
            )
        )
    steps = range(max(len(line.xs) for line in lines))
    return ui.Lines(
        lines=lines,
        x_range=(0, steps[-1]),
        x_ticks=list(steps),
        x_label=_("Level of noise"),
        y_label=figures.metric(result.headline.metric),
        height=220,
        name="noisy-inputs",
    )


def levels_in_words(name: str, kind: str) -> str:
    """`speech: white noise, 20 dB, 10 dB, 0 dB under the recording`."""
    texts = {
        "image": _("%(name)s: blurred by %(levels)s of its shorter side"),
        "audio": _("%(name)s: white noise at %(levels)s below the recording"),
        "text": _("%(name)s: %(levels)s of the words dropped"),
        "table": _("%(name)s: every number shaken by %(levels)s of its column"),
        "series": _("%(name)s: every number shaken by %(levels)s of all series"),
    }
    levels = _(", ").join(level.name for level in LEVELS.get(kind, ()))
    return texts.get(kind, "%(name)s: %(levels)s") % {"name": name, "levels": levels}


def words(result: EvaluationResult) -> str:
    """Say what costs most, and whether the loss is clear."""
    levels = [(noise.modality, level) for noise in result.noise for level in noise.levels]
    clear = [
        (name, level)
        for name, level in levels
        if level.change.high is not None and level.change.high < 0
    ]
    name, worst = min(clear or levels, key=lambda pair: pair[1].change.value)
    if clear:
        text = _("Noise of %(level)s on %(name)s costs most: %(change)s, clearly.")
    else:
        text = _("No level of noise costs clearly; the most is %(change)s, %(level)s on %(name)s.")
    change = figures.signed(worst.change.value)
    return text % {"name": name, "level": worst.level, "change": change}
