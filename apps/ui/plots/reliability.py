"""Reliability diagram: dots with intervals over the diagonal, counts under it."""

from collections.abc import Sequence

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.ui import figures
from apps.ui.html import component
from apps.ui.plots.data import Table, sentence, toggle
from apps.ui.plots.model import Bin, Reliability


def reliability(plot: Reliability) -> SafeString:
    known = [
        bin_
        for bin_ in plot.bins
        if bin_.count
        and not figures.is_missing(bin_.confidence)
        and not figures.is_missing(bin_.accuracy)
    ]
    if not known:
        words = plot.sentence or _("No probability has been computed yet.")
        return component("plots/nothing", sentence=words)
    largest = max(bin_.count for bin_ in plot.bins) or 1
    return component(
        "plots/reliability",
        sentence=sentence(plot, reliability_sentence(known)),
        height=plot.height,
        before=_points(plot.before) if len(plot.before) > 1 else "",
        marks=[_mark(bin_) for bin_ in known],
        tags=_tags(plot),
        largest=largest,
        bars=[f"{100 * bin_.count / largest:.2f}" for bin_ in plot.bins],
        data=toggle(plot, reliability_table(plot)),
    )


def _points(curve: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{1000 * x:.1f},{_height(y)}" for x, y in curve)


def _height(value: float) -> str:
    return f"{1000 - 1000 * value:.1f}"


def _mark(bin_: Bin) -> dict[str, str]:
    mark = {"x": f"{1000 * (bin_.confidence or 0):.1f}", "y": _height(bin_.accuracy or 0)}
    if bin_.low is not None and bin_.high is not None:
        mark |= {"low": _height(bin_.low), "high": _height(bin_.high)}
    return mark


def _tags(plot: Reliability) -> list[tuple[str, str, str]]:
    tags = [("6", "30", _("too timid")), ("66", "84", _("too sure"))]
    if len(plot.before) > 1:
        x, y = plot.before[len(plot.before) // 2]
        tags.append((str(min(78, 100 * x + 5)), str(100 - 100 * y + 2), _("before")))
    return tags


def reliability_table(plot: Reliability) -> Table:
    return Table(
        [_("Mean confidence"), _("Share right"), _("95 % from"), _("95 % to"), _("Samples")],
        [
            (figures.score(bin_.confidence), bin_.accuracy, bin_.low, bin_.high, bin_.count)
            for bin_ in plot.bins
        ],
    )


def reliability_sentence(known: list[Bin]) -> str:
    gap = max(known, key=lambda bin_: abs((bin_.confidence or 0) - (bin_.accuracy or 0)))
    values = {
        "confidence": figures.percent(gap.confidence),
        "accuracy": figures.percent(gap.accuracy),
        "n": gap.count,
    }
    text = _(
        "Largest gap: where it says %(confidence)s, it is right in %(accuracy)s of %(n)s samples."
    )
    return text % values
