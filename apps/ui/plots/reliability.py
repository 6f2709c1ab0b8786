"""Reliability diagram: dots with intervals over the diagonal, counts under it."""

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.ui import figures
from apps.ui.plots.data import Table, sentence, toggle
from apps.ui.plots.model import Bin, Reliability


def reliability(plot: Reliability) -> SafeString:
    known = [
        one
        for one in plot.bins
        if one.count
        and not figures.is_missing(one.confidence)
        and not figures.is_missing(one.accuracy)
    ]
    if not known:
        return format_html(
            '<div class="plot"><div class="empty"><p class="muted">{}</p></div></div>',
            plot.sentence or _("No probability has been computed yet."),
        )
    table = Table(
        [_("Mean confidence"), _("Share right"), _("95 % from"), _("95 % to"), _("Samples")],
        [
            (figures.score(one.confidence), one.accuracy, one.low, one.high, one.count)
            for one in plot.bins
        ],
    )
    return format_html(
        '<div class="plot"><div class="fluid" role="img" aria-label="{}" style="--h:{}px">{}<div class="fluid__area">{}{}</div><div class="fluid__end"></div>{}</div>{}{}</div>',
        sentence(plot, reliability_sentence(known)), plot.height, _axis_y(), _svg(plot, known), _tags(plot), _axis_x(), _counts(plot), toggle(plot, table),
    )  # fmt: skip


def _svg(plot: Reliability, known: list[Bin]) -> SafeString:
    before = ""
    if len(plot.before) > 1:
        points = " ".join(f"{1000 * x:.1f},{1000 - 1000 * y:.1f}" for x, y in plot.before)
        before = format_html(
            '<polyline class="series c-muted" stroke-dasharray="4 3" points="{}"></polyline>',
            points,
        )
    marks = format_html_join("", "{}", ((_mark(one),) for one in known))
    return format_html(
        '<svg class="plot__svg" viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true"><line class="grid" x1="0" x2="1000" y1="0" y2="0"></line>'
        '<line class="grid" x1="0" x2="1000" y1="500" y2="500"></line><line class="err c-control" x1="0" y1="1000" x2="1000" y2="0"></line>{}{}</svg>',
        before, marks,
    )  # fmt: skip


def _mark(one: Bin) -> SafeString:
    x, y = f"{1000 * (one.confidence or 0):.1f}", f"{1000 - 1000 * (one.accuracy or 0):.1f}"
    whisker = ""
    if one.low is not None and one.high is not None:
        ends = (f"{1000 - 1000 * one.low:.1f}", f"{1000 - 1000 * one.high:.1f}")
        whisker = format_html(
            '<line class="err c-accent" x1="{0}" x2="{0}" y1="{1}" y2="{2}"></line>', x, *ends
        )
    return format_html(
        '{}<path class="pt--halo" d="M{} {}h.01"></path><path class="pt c-accent" d="M{} {}h.01"></path>',
        whisker,
        x,
        y,
        x,
        y,
    )


def _tags(plot: Reliability) -> SafeString:
    rows = [(6, 30, _("too timid")), (66, 84, _("too sure"))]
    if len(plot.before) > 1:
        x, y = plot.before[len(plot.before) // 2]
        rows.append((min(78, 100 * x + 5), 100 - 100 * y + 2, _("before")))
    return format_html_join(
        "", '<span class="fluid__tag" style="--x:{};--y:{}" aria-hidden="true">{}</span>', rows
    )


def _axis_y() -> SafeString:
    return SafeString(
        '<div class="fluid__y" data-widest="1.0" aria-hidden="true"><span style="--y:0">1.0</span><span style="--y:50">0.5</span><span style="--y:100">0.0</span></div>'
    )


def _axis_x() -> SafeString:
    return SafeString(
        '<div class="fluid__x" aria-hidden="true"><span style="--x:0">0.0</span><span style="--x:50">0.5</span><span style="--x:100">1.0</span></div>'
    )


def _counts(plot: Reliability) -> SafeString:
    largest = max(one.count for one in plot.bins) or 1
    bars = format_html_join(
        "",
        '<span style="--v:{}"></span>',
        ((f"{100 * one.count / largest:.2f}",) for one in plot.bins),
    )
    words = _("Samples in each bin; %(n)s in the largest") % {"n": f"{largest:,}"}
    return format_html(
        '<p class="xs muted mt-8">{}</p><div class="hist" aria-hidden="true">{}</div>', words, bars
    )


def reliability_sentence(known: list[Bin]) -> str:
    gap = max(known, key=lambda one: abs((one.confidence or 0) - (one.accuracy or 0)))
    values = {
        "confidence": figures.percent(gap.confidence),
        "accuracy": figures.percent(gap.accuracy),
        "n": gap.count,
    }
    return (
        _(
            "Largest gap: where it says %(confidence)s, it is right in %(accuracy)s of %(n)s samples."
        )
        % values
    )
