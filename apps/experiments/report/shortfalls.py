"""What is lost with one input only, against that input's own model: a table of inputs and methods,
and a sentence.
"""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.experiments.words import list_in_words, method_name
from apps.ui import figures
from fusion.schema.intervals import Gain
from fusion.schema.result import EvaluationResult

VERDICTS = {"clearly better": "better", "clearly worse": "worse"}


@dataclass
class Cell:
    value: float
    interval: str
    verdict: str


@dataclass
class Row:
    modality: str
    alone: float
    cells: list[Cell]


@dataclass
class Shortfalls:
    methods: list[str]
    rows: list[Row]
    words: str


def shortfalls(result: EvaluationResult, floor: bool) -> Shortfalls | None:
    """`floor`: whether the recipe asks for it. None where a run has but one input, or was judged
    before this was reported.
    """
    if len(result.modalities) < 2 or not result.shortfalls:
        return None
    found = {(one.method, one.modality): one for one in result.shortfalls}
    methods = list(dict.fromkeys(one.method for one in result.shortfalls))
    rows = [
        Row(
            name,
            found[methods[0], name].alone.value,
            [cell(found[method, name].difference) for method in methods],
        )
        for name in result.modalities
    ]
    return Shortfalls([method_name(method) for method in methods], rows, sentence(result, floor))


def cell(difference: Gain) -> Cell:
    between = (
        figures.interval(difference.low, difference.high) if difference.low is not None else ""
    )
    return Cell(difference.value, between, VERDICTS.get(difference.verdict, "same"))


def sentence(result: EvaluationResult, floor: bool) -> str:
    """What this run's own method loses, and how to avoid it."""
    worse = [
        one.modality
        for one in result.shortfalls
        if one.method == result.method and one.difference.verdict == "clearly worse"
    ]
    words = {"method": method_name(result.method), "names": list_in_words(worse)}
    if worse:
        return (
            _(
                "%(method)s is clearly worse than the input's own model when it has only %(names)s. Ask for a floor to rule that out."
            )
            % words
        )
    if floor:
        return _(
            "The recipe asks for a floor: with one input only, that input's own calibrated model answers, so nothing is lost."
        )
    return (
        _("With one input only, %(method)s is not clearly worse than that input's own model.")
        % words
    )
