"""Points on a square: each look one path of zero-length strokes, so that thousands weigh little and
keep their size at any width.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.ui.html import component
from apps.ui.plots import scales
from apps.ui.plots.data import Table, sentence, toggle
from apps.ui.plots.model import Dots, Scatter, Tag

WIDE, HIGH = 16.0, 6.0
"""A tag takes about so many percent of the square."""


def scatter(plot: Scatter) -> SafeString:
    """Draw points; those that lead somewhere stand outside the picture, since nothing inside a
    picture can be followed.
    """
    groups = [_group(dots) for dots in plot.dots if dots.xs]
    return component(
        "plots/scatter",
        sentence=sentence(plot, scatter_sentence(plot)),
        still=[group for group in groups if not group["points"]],
        leading=[group for group in groups if group["points"]],
        tags=[
            {"strong": tag.strong, "x": _x(tag.x), "y": _y(tag.y), "label": tag.label}
            for tag in apart(plot.tags)
        ],
        legend=groups,
        data=toggle(plot, scatter_table(plot)),
    )


def _x(value: float) -> str:
    return f"{scales.share(value, -1, 1):.1f}"


def _y(value: float) -> str:
    return f"{100 - scales.share(value, -1, 1):.1f}"


def _group(dots: Dots) -> dict[str, Any]:
    shape = f"{' pt--square' if dots.square else ''}{' pt--small' if dots.small else ''}"
    places = [f"M{_x(x)} {_y(y)}h.01" for x, y in zip(dots.xs, dots.ys)]
    return {
        "look": f"pt c-{dots.style}{shape}",
        "path": "" if dots.hrefs else "".join(places),
        "points": list(zip(dots.hrefs, dots.names, places)),
        "label": dots.label,
        "count": f"{len(dots.xs):,}",
    }


def apart(tags: Sequence[Tag]) -> Iterator[Tag]:
    """Yield the tags that do not lie on an earlier one, strong ones first."""
    shown: list[Tag] = []
    for tag in sorted(tags, key=lambda tag: not tag.strong):
        if all(
            abs(tag.x - other.x) * 50 > WIDE or abs(tag.y - other.y) * 50 > HIGH for other in shown
        ):
            shown.append(tag)
            yield tag


def scatter_sentence(plot: Scatter) -> str:
    parts = [
        _("%(n)s %(label)s") % {"n": f"{len(dots.xs):,}", "label": dots.label}
        for dots in plot.dots
        if dots.xs
    ]
    return (
        _("A map of points: %(parts)s.") % {"parts": _(", ").join(parts)}
        if parts
        else _("No point has a place on this map.")
    )


def scatter_table(plot: Scatter) -> Table:
    rows = [
        (dots.names[index] if dots.names else index + 1, dots.label, x, y)
        for dots in reversed(plot.dots)
        for index, (x, y) in enumerate(zip(dots.xs, dots.ys))
    ]
    return Table([_("Sample"), _("Group"), "x", "y"], rows)
