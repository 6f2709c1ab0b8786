"""The table "With one input only": the score of each method against that input's own model, and a
sentence.
"""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.experiments.report.interval_scales import verdict
from apps.experiments.words import list_in_words, method_name
from apps.ui import figures
from fusion.schema.intervals import Gain
from fusion.schema.result import EvaluationResult


@dataclass(frozen=True)
class ShownDifference:
    value: float
    interval: str
    verdict: str


@dataclass(frozen=True)
class SingleInput:
    """A modality, the score of its own model, and the difference of each method to it."""

    modality: str
    alone: float
    differences: list[ShownDifference]


@dataclass(frozen=True)
class ShortfallsSection:
    methods: list[str]
    rows: list[SingleInput]
    words: str


def section(result: EvaluationResult, floor: bool) -> ShortfallsSection | None:
    """The table; None for a run with one input, and for one of a version that did not report this.
    `floor`: the recipe asks for one.
    """
    if len(result.modalities) < 2 or not result.shortfalls:
        return None
    by_place = {(row.method, row.modality): row for row in result.shortfalls}
    methods = list(dict.fromkeys(row.method for row in result.shortfalls))
    rows = [
        SingleInput(
            name,
            by_place[methods[0], name].alone.value,
            [shown(by_place[method, name].difference) for method in methods],
        )
        for name in result.modalities
    ]
    return ShortfallsSection(list(map(method_name, methods)), rows, words(result, floor))


def shown(difference: Gain) -> ShownDifference:
    interval = ""
    if difference.low is not None:
        interval = figures.interval(difference.low, difference.high)
    return ShownDifference(difference.value, interval, verdict(difference.verdict))


def words(result: EvaluationResult, floor: bool) -> str:
    """Say what the run's own method loses, and how to avoid it."""
    worse = [
        row.modality
        for row in result.shortfalls
        if row.method == result.method and row.difference.verdict == "clearly worse"
    ]
    if worse:
        text = _(
            "%(method)s is clearly worse than the input's own model when it has only %(names)s. "
            "Ask for a floor to rule that out."
        )
    elif floor:
        return _(
            "The recipe asks for a floor: with one input only, that input's own calibrated model "
            "answers, so nothing is lost."
        )
    else:
        text = _(
            "With one input only, %(method)s is not clearly worse than that input's own model."
        )
    return text % {"method": method_name(result.method), "names": list_in_words(worse)}
