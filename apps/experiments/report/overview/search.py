"""The card "What was tried": every method of a search with its interval, the readings of each
input, and what was chosen.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.experiments.recipe.recipe_settings import encoder_in_words
from apps.experiments.report.interval_scales import scale, span
from apps.experiments.words import duration, list_in_words, method_name
from apps.ui import figures
from apps.ui.plots import model as ui
from fusion.schema.result import EvaluationResult, Read, Search, Tried

SHOWN = 8
"""Readings of one input; the others did worse."""


@dataclass(frozen=True)
class TriedMethod:
    name: str
    loss: float
    took: str
    chosen: str
    in_model: bool


@dataclass(frozen=True)
class Reading:
    """A way to read an input; `in_model`: the model has it, `own`: the recipe names it."""

    words: str
    loss: float
    chosen: str
    in_model: bool
    own: bool


@dataclass(frozen=True)
class ReadInput:
    """A modality; `more` readings are not shown."""

    name: str
    kind: str
    rows: list[Reading]
    more: int


@dataclass(frozen=True)
class SearchSection:
    plot: ui.Forest
    words: str
    left_out: str
    methods: list[TriedMethod]
    inputs: list[ReadInput]


def section(result: EvaluationResult, kinds: Mapping[str, str]) -> SearchSection | None:
    """The card; None for a recipe that names everything."""
    search = result.search
    if search is None:
        return None
    return SearchSection(
        plot(search, figures.metric(result.headline.metric)),
        words(search),
        left_out(search),
        [tried_method(tried, search.rounds) for tried in search.tried],
        [read_input(name, kinds.get(name, ""), reads) for name, reads in search.probe.items()],
    )


def plot(search: Search, metric: str) -> ui.Forest:
    low, high = scale([tried.score for tried in search.tried])
    rows = [
        ui.ForestRow(
            label=method_name(tried.method),
            note=_("chosen for the model") if tried.kept else "",
            **span(tried.score),
        )
        for tried in search.tried
    ]
    return ui.Forest(
        rows=rows,
        low=low,
        high=high,
        metric=metric,
        show_state=False,
        first_column=_("Method"),
        name="tried",
    )


def tried_method(tried: Tried, n_folds: int) -> TriedMethod:
    took = "" if tried.seconds is None else duration(tried.seconds)
    return TriedMethod(
        method_name(tried.method), tried.loss, took, chosen(tried, n_folds), tried.kept
    )


def chosen(tried: Tried | Read, n_folds: int) -> str:
    """`3 of 4`: in how many folds it was chosen."""
    return _("%(n)s of %(all)s") % {"n": tried.chosen, "all": n_folds}


def words(search: Search) -> str:
    """Name the method that was chosen, and those from which it cannot be told apart."""
    [winner] = [tried for tried in search.tried if tried.kept]
    text = ngettext(
        "%(method)s did best inside the training samples of %(n)s round of %(all)s, and the model "
        "is trained with it.",
        "%(method)s did best inside the training samples of %(n)s rounds of %(all)s, and the model "
        "is trained with it.",
        winner.chosen,
    )
    values = {"method": method_name(winner.method), "n": winner.chosen, "all": search.rounds}
    texts = [text % values]
    if close := with_verdict(search, "no clear difference"):
        text = _("On the test samples it cannot be told apart from %(names)s.")
        texts.append(text % {"names": list_in_words(close)})
    if better := with_verdict(search, "clearly better"):
        text = _(
            "On the test samples %(names)s did clearly better; what is chosen never looks at them."
        )
        texts.append(text % {"names": list_in_words(better)})
    return " ".join(texts)


def with_verdict(search: Search, verdict: str) -> list[str]:
    """Methods whose difference to the chosen one has this verdict."""
    return [
        method_name(tried.method)
        for tried in search.tried
        if tried.difference and tried.difference.verdict == verdict
    ]


def left_out(search: Search) -> str:
    if not search.not_tried or search.budget_seconds is None:
        return ""
    return _("Not tried, since the %(time)s of computing were spent: %(names)s.") % {
        "time": duration(search.budget_seconds),
        "names": list_in_words([method_name(name) for name in search.not_tried]),
    }


def read_input(name: str, kind: str, reads: list[Read]) -> ReadInput:
    rows = [
        Reading(
            words=" + ".join(map(encoder_in_words, read.encoders)),
            loss=read.loss,
            chosen=chosen(read, read.rounds),
            in_model=read.kept,
            own=read.own,
        )
        for place, read in enumerate(reads)
        if place < SHOWN or read.kept or read.own
    ]
    return ReadInput(name, kind, rows, len(reads) - len(rows))
