"""The fused representation on a run's pages: how often one input of a sample finds another, in
words and as a plot.
"""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.experiments.report import plots
from apps.experiments.words import method_name
from apps.ui import figures
from apps.ui.plots import model as ui
from fusion.schema.result import EvaluationResult, Retrieval


@dataclass
class Found:
    plot: ui.Forest
    words: str


def found(result: EvaluationResult) -> Found | None:
    """None where there is but one input, or the run was judged before this was reported."""
    if not result.retrieval:
        return None
    shown = [
        value
        for one in result.retrieval
        for value in (one.recall.value, one.recall.high or 0, one.chance)
    ]
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
    return (
        _("%(share)s same label") % {"share": figures.percent(one.same_label.value)}
        if one.same_label
        else ""
    )


def words(result: EvaluationResult) -> str:
    """The pair that is found best and the one that is found worst, how many of the nearest bear the
    same label, and why so many.
    """
    ordered = sorted(result.retrieval, key=lambda one: -one.recall.value)
    text = [sentence(ordered[0]), *([sentence(ordered[-1])] if len(ordered) > 1 else [])]
    shares = [one.same_label.value for one in ordered if one.same_label]
    if shares:
        by_chance = max(one.same_label_by_chance or 0 for one in ordered)
        told = {
            "low": figures.percent(min(shares)),
            "high": figures.percent(max(shares)),
            "chance": figures.percent(by_chance),
        }
        text.append(
            _(
                "Of the ten nearest others %(low)s to %(high)s bear the same label; by chance %(chance)s."
            )
            % told
        )
    if result.method in ("late", "ensemble"):
        joins = _(
            "%(method)s joins inputs by what they say of the label, so it finds what bears the same label rather than the sample."
        )
        text.append(joins % {"method": method_name(result.method)})
    return " ".join(text)


def sentence(one: Retrieval) -> str:
    told = {
        "query": one.query,
        "target": one.target,
        "n": round(100 * one.recall.value),
        "chance": f"{100 * one.chance:.0f}",
    }
    if one.recall.low is not None and one.recall.low <= one.chance:
        return (
            _("Given the %(query)s, its %(target)s is not found more often than by chance.") % told
        )
    return (
        _(
            "Given the %(query)s, its own %(target)s is among the ten nearest in %(n)s of 100; by chance in %(chance)s."
        )
        % told
    )
