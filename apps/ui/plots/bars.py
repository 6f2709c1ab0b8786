"""Bars with whiskers, stacked shares, small histograms: HTML that draws itself."""

from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.ui import figures
from apps.ui.components.modalities import MODALITIES, kind_of
from apps.ui.html import component
from apps.ui.plots import scales
from apps.ui.plots.data import Table, sentence, toggle
from apps.ui.plots.model import Bar, Bars, Histogram, Stacked, StackRow

SHOWN_FROM = 18.0


def bars(plot: Bars) -> SafeString:
    low, high = bar_scale(plot)
    return component(
        "plots/bars",
        sentence=sentence(plot, bars_sentence(plot)),
        intervals=plot.show_interval,
        rows=[{**_place(row, low, high), **_words(plot, row)} for row in plot.rows],
        data=toggle(plot, bars_table(plot)),
    )


def bar_scale(plot: Bars) -> tuple[float, float]:
    """Return the ends of the scale: bars start at zero, left of it only for negative values."""
    known = scales.present(value for row in plot.rows for value in (row.value, row.low, row.high))
    top = plot.maximum if plot.maximum is not None else max([0.0, *known])
    return min([0.0, *known]), top or 1.0


def _words(plot: Bars, row: Bar) -> dict[str, Any]:
    written = figures.signed if plot.signed else figures.score
    kind = kind_of(row.kind) if row.kind else ""
    return {
        "kind": kind,
        "icon": MODALITIES[kind].icon if kind else "",
        "label": row.label,
        "number": written(row.value, plot.digits),
        "interval": figures.interval(row.low, row.high, plot.digits),
    }


def _place(row: Bar, low: float, high: float) -> dict[str, str]:
    """Return start and width of a bar and the ends of its whisker, in percent; empty where there is
    none.
    """
    if figures.is_missing(row.value):
        return {}
    zero, end = scales.share(0, low, high), scales.share(row.value or 0, low, high)
    place = {"start": f"{min(zero, end):.2f}", "width": f"{abs(end - zero):.2f}"}
    if not figures.is_missing(row.low) and not figures.is_missing(row.high):
        place["low"] = f"{scales.share(row.low or 0, low, high):.2f}"
        place["high"] = f"{scales.share(row.high or 0, low, high):.2f}"
    return place


def bars_sentence(plot: Bars) -> str:
    known = [row for row in plot.rows if not figures.is_missing(row.value)]
    if not known:
        return _("No value has been computed yet.")
    parts = _(", ").join(f"{row.label} {figures.score(row.value, plot.digits)}" for row in known)
    top = max(known, key=lambda row: row.value or 0)
    return _("Bars: %(values)s. %(top)s is the largest.") % {"values": parts, "top": top.label}


def bars_table(plot: Bars) -> Table:
    return Table(
        [_("Name"), plot.metric or _("Value"), _("95 % from"), _("95 % to")],
        [(row.label, row.value, row.low, row.high) for row in plot.rows],
    )


def stacked(plot: Stacked) -> SafeString:
    kinds = list(dict.fromkeys(kind for row in plot.rows for kind in row.shares))
    table = Table(
        [_("Name"), *(_name(plot, kind) for kind in kinds)],
        [(row.label, *(row.shares.get(kind) for kind in kinds)) for row in plot.rows],
    )
    return component(
        "plots/stacked",
        sentence=sentence(plot, stacked_sentence(plot)),
        legend=[(kind, _name(plot, kind)) for kind in kinds],
        rows=[(row.label, _stack(row)) for row in plot.rows],
        data=toggle(plot, table),
    )


def _name(plot: Stacked, kind: str) -> Any:
    return plot.names.get(kind, MODALITIES[kind_of(kind)].label)


def stack_parts(row: StackRow) -> list[tuple[str, float]]:
    """Return kind and percent of the whole; shares below zero count as nothing, the rest is scaled
    to 100.
    """
    known = {
        kind: max(0.0, value)
        for kind, value in row.shares.items()
        if not figures.is_missing(value) and value is not None
    }
    whole = sum(known.values())
    return (
        [(kind, 100 * value / whole) for kind, value in known.items() if value > 0] if whole else []
    )


def _stack(row: StackRow) -> list[dict[str, str]]:
    return [
        {
            "kind": kind_of(kind),
            "width": f"{share:.2f}",
            "text": f"{share:.0f}" if share >= SHOWN_FROM else "",
        }
        for kind, share in stack_parts(row)
    ]


def stacked_sentence(plot: Stacked) -> str:
    leads = [
        (row.label, max(stack_parts(row), key=lambda part: part[1]))
        for row in plot.rows
        if stack_parts(row)
    ]
    parts = "; ".join(
        f"{label}: {_name(plot, kind)} {share:.0f} %" for label, (kind, share) in leads
    )
    return _("Largest share for each row. %(rows)s.") % {"rows": parts}


def histogram(plot: Histogram) -> SafeString:
    largest = max(plot.counts, default=0) or 1
    first, last = (f"{edge:.{plot.digits}f}" for edge in (plot.edges[0], plot.edges[-1]))
    made = _("Histogram from %(first)s to %(last)s, most in one bar: %(n)s.") % {
        "first": first,
        "last": last,
        "n": largest,
    }
    table = Table(
        [_("From"), _("To"), _("Count")],
        [(plot.edges[i], plot.edges[i + 1], count) for i, count in enumerate(plot.counts)],
    )
    return component(
        "plots/histogram",
        height=plot.height,
        sentence=sentence(plot, made),
        bars=[
            (_chosen(plot, index), f"{100 * count / largest:.2f}")
            for index, count in enumerate(plot.counts)
        ],
        first=first,
        last=last,
        data=toggle(plot, table),
    )


def _chosen(plot: Histogram, index: int) -> bool:
    if plot.chosen is None:
        return False
    return plot.edges[index] < plot.chosen[1] and plot.edges[index + 1] > plot.chosen[0]
