"""Bars with whiskers, stacked shares, small histograms: HTML that draws itself."""

from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.ui import figures
from apps.ui.components.basics import icon
from apps.ui.components.modalities import MODALITIES, kind_of
from apps.ui.plots import scales
from apps.ui.plots.data import Table, sentence, toggle
from apps.ui.plots.model import Bar, Bars, Histogram, Stacked, StackRow

SHOWN_FROM = 18.0


def bars(plot: Bars) -> SafeString:
    low, high = bar_scale(plot)
    rows = format_html_join("", "{}", ((_bar(plot, row, low, high),) for row in plot.rows))
    look = "bars bars--table bars--ci" if plot.show_interval else "bars bars--table"
    picture = format_html(
        '<div class="{}" role="img" aria-label="{}">{}</div>',
        look,
        sentence(plot, bars_sentence(plot)),
        rows,
    )
    return format_html('<div class="plot">{}{}</div>', picture, toggle(plot, bars_table(plot)))


def bar_scale(plot: Bars) -> tuple[float, float]:
    """Bars start at zero; the scale reaches left of it only for negative values."""
    known = scales.present(value for row in plot.rows for value in (row.value, row.low, row.high))
    top = plot.maximum if plot.maximum is not None else max([0.0, *known])
    return min([0.0, *known]), top or 1.0


def _bar(plot: Bars, row: Bar, low: float, high: float) -> SafeString:
    number = (
        figures.signed(row.value, plot.digits)
        if plot.signed
        else figures.score(row.value, plot.digits)
    )
    kind = format_html(' data-m="{}"', kind_of(row.kind)) if row.kind else SafeString("")
    sign = icon(MODALITIES[kind_of(row.kind)].icon, 15) if row.kind else ""
    ci = (
        format_html(
            '<span class="ci end">{}</span>', figures.interval(row.low, row.high, plot.digits)
        )
        if plot.show_interval
        else ""
    )
    return format_html(
        '<div><span class="bars__name"{}>{}{}</span>{}<span class="bars__n">{}</span>{}</div>',
        kind,
        sign,
        row.label,
        _cell(row, low, high, kind),
        number,
        ci,
    )


def _cell(row: Bar, low: float, high: float, kind: SafeString) -> SafeString:
    if figures.is_missing(row.value):
        return format_html('<span class="subtle xs">{}</span>', _("not computed"))
    zero, end = scales.share(0, low, high), scales.share(row.value or 0, low, high)
    whisker = ""
    if not figures.is_missing(row.low) and not figures.is_missing(row.high):
        ends = (f"{scales.share(value or 0, low, high):.2f}" for value in (row.low, row.high))
        whisker = format_html('<span class="bars__ci" style="--lo:{};--hi:{}"></span>', *ends)
    return format_html(
        '<span class="bars__cell"{} style="--zero:{};--v:{}">{}</span>',
        kind,
        f"{min(zero, end):.2f}",
        f"{abs(end - zero):.2f}",
        whisker,
    )


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
    rows = format_html_join(
        "", "<div><span>{}</span>{}</div>", ((row.label, _stack(row)) for row in plot.rows)
    )
    legend = format_html_join(
        "",
        '<span><span class="m-ink" data-m="{}">{}</span>{}</span>',
        (_legend(plot, kind) for kind in kinds),
    )
    said = sentence(plot, stacked_sentence(plot))
    table = Table(
        [_("Name"), *(_name(plot, kind) for kind in kinds)],
        [(row.label, *(row.shares.get(kind) for kind in kinds)) for row in plot.rows],
    )
    return format_html(
        '<div class="plot"><p class="legend" aria-hidden="true">{}</p><div class="stackbars" role="img" aria-label="{}">{}</div>{}</div>',
        legend, said, rows, toggle(plot, table),
    )  # fmt: skip


def _legend(plot: Stacked, kind: str) -> tuple[str, SafeString, Any]:
    return kind_of(kind), icon(MODALITIES[kind_of(kind)].icon, 14), _name(plot, kind)


def _name(plot: Stacked, kind: str) -> Any:
    return plot.names.get(kind, MODALITIES[kind_of(kind)].label)


def stack_parts(row: StackRow) -> list[tuple[str, float]]:
    """Kind and percent of the whole; shares below zero count as nothing, the rest is scaled to 100."""
    known = {
        kind: max(0.0, value)
        for kind, value in row.shares.items()
        if not figures.is_missing(value) and value is not None
    }
    whole = sum(known.values())
    return (
        [(kind, 100 * value / whole) for kind, value in known.items() if value > 0] if whole else []
    )


def _stack(row: StackRow) -> SafeString:
    parts = stack_parts(row)
    if not parts:
        return format_html('<span class="subtle">{}</span>', _("not computed"))
    spans = format_html_join(
        "",
        '<span data-m="{}" style="--v:{}">{}</span>',
        (
            (kind_of(kind), f"{part:.2f}", f"{part:.0f}" if part >= SHOWN_FROM else "")
            for kind, part in parts
        ),
    )
    return format_html('<span class="stackbar">{}</span>', spans)


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
    bars_ = format_html_join(
        "", '<span class="{}" style="--v:{}"></span>',
        (("is-on" if _chosen(plot, index) else "", f"{100 * count / largest:.2f}") for index, count in enumerate(plot.counts)),
    )  # fmt: skip
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
    return format_html(
        '<div class="plot"><div class="hist" style="--h:{}px" role="img" aria-label="{}">{}</div>'
        '<div class="hist__x" aria-hidden="true"><span>{}</span><span>{}</span></div>{}</div>',
        plot.height, sentence(plot, made), bars_, first, last, toggle(plot, table),
    )  # fmt: skip


def _chosen(plot: Histogram, index: int) -> bool:
    if plot.chosen is None:
        return False
    return plot.edges[index] < plot.chosen[1] and plot.edges[index + 1] > plot.chosen[0]
