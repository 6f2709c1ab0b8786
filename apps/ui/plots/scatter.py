"""Points on a square: each look one path of zero-length strokes, so that thousands weigh little and
keep their size at any width.
"""

from collections.abc import Iterator, Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.ui.plots import scales
from apps.ui.plots.data import Table, sentence, toggle
from apps.ui.plots.model import Dots, Scatter, Tag

WIDE, HIGH = 16.0, 6.0
"""A tag takes about so many percent of the square."""


def scatter(plot: Scatter) -> SafeString:
    """Points that lead somewhere stand outside the picture, since nothing inside a picture can be
    followed.
    """
    still, leading = (
        [one for one in plot.dots if one.xs and bool(one.hrefs) == leads] for leads in (False, True)
    )
    rows = (
        (" fluid__tag--strong" if tag.strong else "", _x(tag.x), _y(tag.y), tag.label)
        for tag in apart(plot.tags)
    )
    tags = format_html_join(
        "",
        '<span class="fluid__tag fluid__tag--on{}" style="--x:{};--y:{}" aria-hidden="true" translate="no">{}</span>',
        rows,
    )
    return format_html(
        '<div class="plot"><div class="scatter">{}{}{}</div>{}{}</div>',
        _svg(still, format_html('role="img" aria-label="{}"', sentence(plot, scatter_sentence(plot)))),
        _svg(leading, SafeString('aria-hidden="true"')), tags, _legend(plot), toggle(plot, scatter_table(plot)),
    )  # fmt: skip


def _svg(some: list[Dots], said: SafeString) -> SafeString:
    dots = format_html_join("", "{}", ((_dots(one),) for one in some))
    return format_html(
        '<svg class="plot__svg" viewBox="0 0 100 100" preserveAspectRatio="none" {}>{}</svg>',
        said,
        dots,
    )


def _x(value: float) -> str:
    return f"{scales.share(value, -1, 1):.1f}"


def _y(value: float) -> str:
    return f"{100 - scales.share(value, -1, 1):.1f}"


def _look(one: Dots) -> str:
    return (
        f"pt c-{one.style}{' pt--square' if one.square else ''}{' pt--small' if one.small else ''}"
    )


def _dots(one: Dots) -> SafeString:
    places = [f"M{_x(x)} {_y(y)}h.01" for x, y in zip(one.xs, one.ys)]
    if not one.hrefs:
        return format_html('<path class="{}" d="{}"></path>', _look(one), "".join(places))
    rows = (
        (href, name, _look(one), place) for href, name, place in zip(one.hrefs, one.names, places)
    )
    return format_html_join(
        "", '<a href="{}" tabindex="-1"><title>{}</title><path class="{}" d="{}"></path></a>', rows
    )


def _legend(plot: Scatter) -> SafeString:
    rows = ((_look(one), one.label, f"{len(one.xs):,}") for one in plot.dots if one.xs)
    mark = '<svg class="scatter__mark" viewBox="0 0 10 10" aria-hidden="true"><path class="{}" d="M5 5h.01"></path></svg>'
    found = format_html_join("", f'<li>{mark}{{}} <span class="num muted">{{}}</span></li>', rows)
    return format_html('<ul class="scatter__key">{}</ul>', found)


def apart(tags: Sequence[Tag]) -> Iterator[Tag]:
    """Strong ones first; of two that would lie on each other the first."""
    kept: list[Tag] = []
    for tag in sorted(tags, key=lambda tag: not tag.strong):
        if all(
            abs(tag.x - other.x) * 50 > WIDE or abs(tag.y - other.y) * 50 > HIGH for other in kept
        ):
            kept.append(tag)
            yield tag


def scatter_sentence(plot: Scatter) -> str:
    parts = [
        _("%(n)s %(label)s") % {"n": f"{len(one.xs):,}", "label": one.label}
        for one in plot.dots
        if one.xs
    ]
    return (
        _("A map of points: %(parts)s.") % {"parts": _(", ").join(parts)}
        if parts
        else _("No point has a place on this map.")
    )


def scatter_table(plot: Scatter) -> Table:
    rows = [
        (one.names[place] if one.names else place + 1, one.label, x, y)
        for one in reversed(plot.dots)
        for place, (x, y) in enumerate(zip(one.xs, one.ys))
    ]
    return Table([_("Sample"), _("Group"), "x", "y"], rows)
