"""Curves as fluid SVG: shapes stretch with the page, text is HTML in percent and never scales."""

from collections.abc import Sequence
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.ui import figures
from apps.ui.components.modalities import kind_of
from apps.ui.html import component
from apps.ui.plots import scales
from apps.ui.plots.data import Table, sentence, toggle
from apps.ui.plots.model import Line, Lines

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
        words = plot.sentence or _("No value has been computed yet.")
        return component("plots/nothing", sentence=words)
    axes = Axes(plot)
    y_ticks = scales.ticks(axes.low, axes.high, 5)
    y_texts = _y_texts(plot, axes, y_ticks)
    ends = _end_labels(plot, axes)
    shaded = plot.shade_from is not None and plot.shade_from < axes.right
    return component(
        "plots/lines",
        plot=plot,
        sentence=sentence(plot, lines_sentence(plot)),
        widest=max(y_texts, key=len, default=""),
        y_labels=[(_n(axes.y(tick) / 10), text) for tick, text in zip(y_ticks, y_texts)],
        x_labels=_x_labels(plot, axes),
        shade=_n(axes.x(plot.shade_from or 0) / 10) if shaded else "",
        grid=[_n(axes.y(tick)) for tick in y_ticks],
        levels=[
            ("floor" if level.dotted else "ref-line", _n(axes.y(level.value)))
            for level in plot.levels
        ],
        best=_n(axes.x(plot.best_x)) if plot.best_x is not None else "",
        curves=[_curve(line, axes) for line in plot.lines],
        tags=_tags(plot, axes),
        ends=ends,
        widest_end=max((label["text"] for label in ends), key=len, default=""),
        data=toggle(plot, lines_table(plot)),
    )


def _n(value: float) -> str:
    return f"{value:.1f}"


def _hue(line: Line) -> dict[str, str]:
    if line.kind:
        return {"hue": "c-m", "kind": kind_of(line.kind)}
    return {"hue": f"c-{line.style}", "kind": ""}


def _curve(line: Line, axes: Axes) -> dict[str, Any]:
    """Return path, points and band of a line; points are drawn where it asks for them, where it
    stands alone between gaps, and at its end.
    """
    runs = scales.segments(line.xs, line.ys)
    path = "".join(
        "M" + "L".join(f"{_n(axes.x(x))} {_n(axes.y(y))}" for x, y in run)
        for run in runs
        if len(run) > 1
    )
    points = [point for run in runs if line.dots or len(run) == 1 for point in run]
    if line.end_dot and runs:
        points.append(runs[-1][-1])
    return {
        **_hue(line),
        "path": path,
        "dash": line.dash or DASHES.get(kind_of(line.kind) if line.kind else "", ""),
        "points": [f"M{_n(axes.x(x))} {_n(axes.y(y))}h.01" for x, y in points],
        "band": _band(line, axes),
    }


def _band(line: Line, axes: Axes) -> str:
    known = [
        (x, low, high)
        for x, low, high in zip(line.xs, line.low, line.high)
        if low is not None and high is not None
    ]
    if len(known) < 2:
        return ""
    upper = [f"{_n(axes.x(x))},{_n(axes.y(high))}" for x, _low, high in known]
    lower = [f"{_n(axes.x(x))},{_n(axes.y(low))}" for x, low, _high in reversed(known)]
    return " ".join(upper + lower)


def _y_texts(plot: Lines, axes: Axes, ticks: Sequence[float]) -> list[str]:
    if axes.high <= 1.5:
        return [figures.score(tick, plot.tick_digits) for tick in ticks]
    return [
        f"{tick:g}" if tick == int(tick) and axes.high > 20 else f"{tick:.1f}" for tick in ticks
    ]


def _x_labels(plot: Lines, axes: Axes) -> list[tuple[str, str]]:
    ticks = plot.x_ticks if plot.x_ticks is not None else scales.ticks(axes.left, axes.right, 4)
    return [
        (_n(axes.x(tick) / 10), figures.percent(tick) if plot.x_percent else f"{tick:g}")
        for tick in ticks
    ]


def _end_labels(plot: Lines, axes: Axes) -> list[dict[str, str]]:
    runs = [(line, scales.segments(line.xs, line.ys)) for line in plot.lines if line.end_label]
    last = [(line, segments[-1][-1][1]) for line, segments in runs if segments]
    places = scales.spread([axes.y(y) / 10 for _line, y in last], 100 * LABEL_PX / plot.height)
    return [
        {
            **_hue(line),
            "place": _n(place),
            "text": f"{line.label} {figures.score(y, plot.digits)}",
        }
        for (line, y), place in zip(last, places)
    ]


def _tags(plot: Lines, axes: Axes) -> list[tuple[str, str, str, Any]]:
    """Return class, place and text of the names of levels and of the best epoch."""
    tags: list[tuple[str, str, str, Any]] = []
    for index, level in enumerate(sorted(plot.levels, key=lambda level: level.value, reverse=True)):
        lowest_of_many = index == len(plot.levels) - 1 > 0
        look = f"fluid__tag fluid__tag--{'down' if lowest_of_many else 'up'}"
        x = 3 if len(plot.levels) == 1 else 68
        tags.append((look, _n(x), _n(axes.y(level.value) / 10), level.label))
    if plot.best_x is not None and plot.best_label:
        x = axes.x(plot.best_x) / 10
        tags.append(("fluid__tag fluid__tag--up", _n(x), _n(99), plot.best_label))
    return tags


def lines_sentence(plot: Lines) -> str:
    """Say where each curve starts and ends."""
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
