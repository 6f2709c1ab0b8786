"""The card "Does one input find the other?": how often one input of a sample is found by another,
in the fused representation.
"""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.experiments.report.interval_scales import span
from apps.experiments.words import method_name
from apps.ui import figures
from apps.ui.plots import model as ui
from fusion.schema.result import EvaluationResult, Retrieval


@dataclass(frozen=True)
class RetrievalSection:
    plot: ui.Forest
    words: str


def section(result: EvaluationResult) -> RetrievalSection | None:
    """The card; None for a run with one input, or of a version that did not report this."""
    return RetrievalSection(plot(result), words(result)) if result.retrieval else None


def plot(result: EvaluationResult) -> ui.Forest:
    values = [
        value
        for pair in result.retrieval
        for value in (pair.recall.value, pair.recall.high or 0, pair.chance)
    ]
    rows = [
        ui.ForestRow(
            group=_("Given %(input)s") % {"input": pair.query},
            label=pair.target,
            n=pair.n,
            reference=pair.chance,
            note=same_label(pair),
            **span(pair.recall),
        )
        for pair in result.retrieval
    ]
    return ui.Forest(
        rows=rows,
        low=0,
        high=min(1.0, -(-max(values) * 10 // 1) / 10),
        metric=_("Recall@10"),
        reference_label=_("by chance"),
        show_state=False,
        first_column=_("Find"),
        name="retrieval",
    )


def same_label(pair: Retrieval) -> str:
    if pair.same_label is None:
        return ""
    return _("%(share)s same label") % {"share": figures.percent(pair.same_label.value)}


def words(result: EvaluationResult) -> str:
    """Tell of the pair that is found best and the one that is found worst, and how many of the
    nearest bear the same label.
    """
    pairs = sorted(result.retrieval, key=lambda pair: -pair.recall.value)
    texts = [sentence(pairs[0]), *([sentence(pairs[-1])] if len(pairs) > 1 else [])]
    shares = [pair.same_label.value for pair in pairs if pair.same_label]
    if shares:
        text = _(
            "Of the ten nearest others %(low)s to %(high)s bear the same label; by chance "
            "%(chance)s."
        )
        values = {
            "low": min(shares),
            "high": max(shares),
            "chance": max(pair.same_label_by_chance or 0 for pair in pairs),
        }
        texts.append(text % {name: figures.percent(value) for name, value in values.items()})
    if result.method in ("late", "ensemble"):
        text = _(
            "%(method)s joins inputs by what they say of the label, so it finds what bears the "
            "same label rather than the sample."
        )
        texts.append(text % {"method": method_name(result.method)})
    return " ".join(texts)


def sentence(pair: Retrieval) -> str:
    if pair.recall.low is not None and pair.recall.low <= pair.chance:
        text = _("Given the %(query)s, its %(target)s is not found more often than by chance.")
    else:
        text = _(
            "Given the %(query)s, its own %(target)s is among the ten nearest in %(n)s of 100; by "
            "chance in %(chance)s."
        )
    return text % {
        "query": pair.query,
        "target": pair.target,
        "n": round(100 * pair.recall.value),
        "chance": f"{100 * pair.chance:.0f}",
    }
