"""Curves as fluid SVG: shapes stretch with the page, text is HTML in percent and never scales."""

from collections.abc import Sequence
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.ui import figures
from apps.ui.components.modalities import kind_of
from apps.ui.plots import scales
from apps.ui.plots.data import Table, sentence, toggle
from apps.ui.plots.model import Level, Line, Lines

DASHES = {"text": "6 4", "audio": "9 4 2 4", "table": "2 4", "series": "1 5", "knowledge": "4 2"}
LABEL_PX = 15


class Axes:
    """The scale of one plot; `x` and `y` give thousandths of its area, y downwards."""

    def __init__(self, plot: Lines) -> None:
        values = [
            value
            for line in plot.lines
            for series in (line.ys, line.low, line.high)
            for value in series
        ]
        xs = [x for line in plot.lines for x in line.xs]
        self.low, self.high = plot.y_range or scales.nice_span(
            [*values, *(level.value for level in plot.levels)]
        )
        self.left, self.right = plot.x_range or ((min(xs), max(xs)) if xs else (0.0, 1.0))

    def x(self, value: float) -> float:
        return 10 * scales.share(value, self.left, self.right)

    def y(self, value: float) -> float:
        return 1000 - 10 * scales.share(value, self.low, self.high)


def lines(plot: Lines) -> SafeString:
    if not any(scales.present(line.ys) for line in plot.lines):
        return format_html(
            '<div class="plot"><div class="empty"><p class="muted">{}</p></div></div>',
            plot.sentence or _("No value has been computed yet."),
        )
    axes = Axes(plot)
    y_ticks = scales.ticks(axes.low, axes.high, 5)
    return format_html(
        '<div class="plot"><div class="fluid" role="img" aria-label="{}" style="--h:{}px">{}<div class="fluid__area">{}{}{}</div>{}{}</div>{}</div>',
        sentence(plot, lines_sentence(plot)), plot.height, _y_labels(plot, axes, y_ticks), _shade(plot, axes), _svg(plot, axes, y_ticks),
        _tags(plot, axes), _end_labels(plot, axes), _x_labels(plot, axes), toggle(plot, lines_table(plot)),
    )  # fmt: skip


def _svg(plot: Lines, axes: Axes, y_ticks: Sequence[float]) -> SafeString:
    grid = format_html_join(
        "",
        '<line class="grid" x1="0" x2="1000" y1="{}" y2="{}"></line>',
        ((_n(axes.y(t)), _n(axes.y(t))) for t in y_ticks),
    )
    levels = format_html_join("", "{}", ((_level(level, axes),) for level in plot.levels))
    best = ""
    if plot.best_x is not None:
        best = format_html(
            '<line class="best" x1="{0}" x2="{0}" y1="0" y2="1000"></line>', _n(axes.x(plot.best_x))
        )
    bands = format_html_join(
        "", "{}", ((_band(line, axes),) for line in plot.lines if line.low and line.high)
    )
    curves = format_html_join("", "{}", ((_curve(line, axes),) for line in plot.lines))
    return format_html(
        '<svg class="plot__svg" viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true">{}{}{}{}{}</svg>',
        grid,
        levels,
        best,
        bands,
        curves,
    )


def _n(value: float) -> str:
    return f"{value:.1f}"


def _attributes(line: Line, look: str) -> SafeString:
    if line.kind:
        return format_html('class="{} c-m" data-m="{}"', look, kind_of(line.kind))
    return format_html('class="{} c-{}"', look, line.style)


def _curve(line: Line, axes: Axes) -> SafeString:
    dash = line.dash or DASHES.get(kind_of(line.kind) if line.kind else "", "")
    dashes = format_html(' stroke-dasharray="{}"', dash) if dash else ""
    runs = scales.segments(line.xs, line.ys)
    path = "".join(
        "M" + "L".join(f"{_n(axes.x(x))} {_n(axes.y(y))}" for x, y in run)
        for run in runs
        if len(run) > 1
    )
    curve = (
        format_html('<path {} d="{}"{}></path>', _attributes(line, "series"), path, dashes)
        if path
        else ""
    )
    points = (
        [point for run in runs for point in run]
        if line.dots
        else [run[0] for run in runs if len(run) == 1]
    )
    if line.end_dot and runs:
        points.append(runs[-1][-1])
    return format_html(
        "{}{}", curve, format_html_join("", "{}", ((_point(line, axes, x, y),) for x, y in points))
    )


def _point(line: Line, axes: Axes, x: float, y: float) -> SafeString:
    place = f"M{_n(axes.x(x))} {_n(axes.y(y))}h.01"
    return format_html(
        '<path class="pt--halo" d="{}"></path><path {} d="{}"></path>',
        place,
        _attributes(line, "pt"),
        place,
    )


def _band(line: Line, axes: Axes) -> SafeString:
    known = [
        (x, lo, hi)
        for x, lo, hi in zip(line.xs, line.low, line.high)
        if lo is not None and hi is not None
    ]
    if len(known) < 2:
        return SafeString("")
    upper = [f"{_n(axes.x(x))},{_n(axes.y(hi))}" for x, _lo, hi in known]
    lower = [f"{_n(axes.x(x))},{_n(axes.y(lo))}" for x, lo, _hi in reversed(known)]
    return format_html(
        '<polygon {} points="{}"></polygon>', _attributes(line, "band"), " ".join(upper + lower)
    )


def _level(level: Level, axes: Axes) -> SafeString:
    return format_html(
        '<line class="{}" x1="0" x2="1000" y1="{}" y2="{}"></line>',
        "floor" if level.dotted else "ref-line",
        _n(axes.y(level.value)),
        _n(axes.y(level.value)),
    )


def _y_labels(plot: Lines, axes: Axes, y_ticks: Sequence[float]) -> SafeString:
    texts = [figures.score(tick, plot.tick_digits) for tick in y_ticks]
    if axes.high > 1.5:
        texts = [
            f"{tick:g}" if tick == int(tick) and axes.high > 20 else f"{tick:.1f}"
            for tick in y_ticks
        ]
    spans = format_html_join(
        "",
        '<span style="--y:{}">{}</span>',
        ((_n(axes.y(tick) / 10), text) for tick, text in zip(y_ticks, texts)),
    )
    return format_html(
        '<div class="fluid__y" data-widest="{}" aria-hidden="true">{}</div>',
        max(texts, key=len, default=""),
        spans,
    )


def _x_labels(plot: Lines, axes: Axes) -> SafeString:
    places = (
        list(plot.x_ticks) if plot.x_ticks is not None else scales.ticks(axes.left, axes.right, 4)
    )
    rows = (
        (_n(axes.x(x) / 10), figures.percent(x) if plot.x_percent else f"{x:g}") for x in places
    )
    return format_html(
        '<div class="fluid__x" aria-hidden="true">{}</div>',
        format_html_join("", '<span style="--x:{}">{}</span>', rows),
    )


def _end_labels(plot: Lines, axes: Axes) -> SafeString:
    named = [(line, scales.segments(line.xs, line.ys)) for line in plot.lines if line.end_label]
    named = [(line, runs) for line, runs in named if runs]
    places = scales.spread(
        [axes.y(runs[-1][-1][1]) / 10 for _line, runs in named], 100 * LABEL_PX / plot.height
    )
    spans, widest = [], ""
    for (line, runs), place in zip(named, places):
        value = figures.score(runs[-1][-1][1], plot.digits)
        text = f"{line.label} {value}"
        widest = max(widest, text, key=len)
        spans.append(
            format_html(
                '<span {} style="--y:{}">{}</span>', _attributes(line, "ink"), _n(place), text
            )
        )
    return format_html(
        '<div class="fluid__end" aria-hidden="true"><i>{}</i>{}</div>',
        widest,
        format_html_join("", "{}", ((one,) for one in spans)),
    )


def _tags(plot: Lines, axes: Axes) -> SafeString:
    tags: list[tuple[str, float, float, Any]] = []
    for index, level in enumerate(sorted(plot.levels, key=lambda level: level.value, reverse=True)):
        low_of_two = index == len(plot.levels) - 1 > 0
        tags.append(
            (
                "fluid__tag fluid__tag--down" if low_of_two else "fluid__tag fluid__tag--up",
                3 if len(plot.levels) == 1 else 68,
                axes.y(level.value) / 10,
                level.label,
            )
        )
    if plot.best_x is not None and plot.best_label:
        tags.append(("fluid__tag fluid__tag--up", axes.x(plot.best_x) / 10, 99, plot.best_label))
    rows = ((look, _n(x), _n(y), text) for look, x, y, text in tags)
    return format_html_join(
        "", '<span class="{}" style="--x:{};--y:{}" aria-hidden="true">{}</span>', rows
    )


def _shade(plot: Lines, axes: Axes) -> SafeString:
    if plot.shade_from is None or plot.shade_from >= axes.right:
        return SafeString("")
    return format_html(
        '<div class="fluid__shade" style="--x:{}" aria-hidden="true"><span>{}</span></div>',
        _n(axes.x(plot.shade_from) / 10),
        plot.shade_label,
    )


def lines_sentence(plot: Lines) -> str:
    """Where each curve starts and ends."""
    parts = []
    for line in plot.lines:
        known = scales.present(line.ys)
        if known:
            values = {
                "line": line.label,
                "first": figures.score(known[0], plot.digits),
                "last": figures.score(known[-1], plot.digits),
            }
            parts.append(_("%(line)s goes from %(first)s to %(last)s") % values)
    levels = [f"{level.label}" for level in plot.levels]
    return "; ".join([*parts, *levels]) + "."


def lines_table(plot: Lines) -> Table:
    xs = sorted({x for line in plot.lines for x in line.xs})
    columns = [dict(zip(line.xs, line.ys)) for line in plot.lines]
    return Table(
        [plot.x_label or "x", *(line.label for line in plot.lines)],
        [(f"{x:g}", *(column.get(x) for column in columns)) for x in xs],
    )
