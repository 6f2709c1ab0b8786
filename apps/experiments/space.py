"""The fused representation on a run's pages: how often one input of a sample finds another, in words and as a plot."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.ui import figures
from apps.ui.plots import model as ui
from fusion.result import EvaluationResult, Retrieval

from . import plots
from .words import method_name


@dataclass
class Found:
    plot: ui.Forest
    words: str


def found(result: EvaluationResult) -> Found | None:
    """None where there is but one input, or the run was judged before this was reported."""
    if not result.retrieval:
        return None
    shown = [value for one in result.retrieval for value in (one.recall.value, one.recall.high or 0, one.chance)]
    rows = [
        ui.ForestRow(
            group=_("Given %(input)s") % {"input": one.query}, label=one.target, n=one.n, reference=one.chance, note=alike(one),
            **plots.span(one.recall),
        )
        for one in result.retrieval
    ]  # fmt: skip
    plot = ui.Forest(
        rows=rows, low=0, high=min(1.0, -(-max(shown) * 10 // 1) / 10), metric=_("Recall@10"), reference_label=_("by chance"),
        show_state=False, first_column=_("Find"), name="retrieval",
    )  # fmt: skip
    return Found(plot, words(result))


def alike(one: Retrieval) -> str:
    if one.same_label is None or one.same_label_by_chance is None:
        return ""
    told = {"share": figures.percent(one.same_label.value), "chance": figures.percent(one.same_label_by_chance)}
    return _("%(share)s of the ten bear its label; by chance %(chance)s") % told


def words(result: EvaluationResult) -> str:
    """The pair that is found best and the one that is found worst, and what a space of labels cannot tell apart."""
    ordered = sorted(result.retrieval, key=lambda one: -one.recall.value)
    text = sentence(ordered[0])
    if len(ordered) > 1:
        text += " " + sentence(ordered[-1])
    if result.method in ("late", "ensemble"):
        joins = _("%(method)s joins inputs by what they say of the label, so it finds what bears the same label rather than the sample.")
        text += " " + joins % {"method": method_name(result.method)}
    return text


def sentence(one: Retrieval) -> str:
    told = {"query": one.query, "target": one.target, "n": round(100 * one.recall.value), "chance": f"{100 * one.chance:.0f}"}
    if one.recall.low is not None and one.recall.low <= one.chance:
        return _("Given the %(query)s, its %(target)s is not found more often than by chance.") % told
    return _("Given the %(query)s, its own %(target)s is among the ten nearest in %(n)s of 100; by chance in %(chance)s.") % told
