"""Tables that draw themselves: forest, confusion, UpSet."""

from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.ui import figures
from apps.ui.components.basics import state as state_tag
from apps.ui.components.modalities import MODALITIES, kind_of, modality_dots
from apps.ui.plots import scales
from apps.ui.plots.data import Table, sentence, toggle
from apps.ui.plots.model import Combination, Confusion, Forest, ForestRow, UpSet
from apps.ui.plots.palette import heat_ink
from apps.ui.states import state_of

NAMED_STATES = ("met", "undecided", "not_met", "too_few")


def forest(plot: Forest) -> SafeString:
    grouped = any(row.group for row in plot.rows)
    with_n = any(row.n is not None for row in plot.rows)
    head = _forest_head(plot, grouped, with_n)
    rows, previous = [], None
    for row in plot.rows:
        rows.append(_forest_row(plot, row, grouped, with_n, row.group != previous))
        previous = row.group
    body = format_html_join("", "{}", ((row,) for row in rows))
    return format_html(
        '<div class="plot">{}<div class="plot__fit"><table class="table table--dense table--stack forest"><caption class="sr">{}</caption><thead>{}</thead><tbody>{}</tbody></table></div>{}</div>',
        _forest_key(plot), sentence(plot, forest_sentence(plot)), head, body, toggle(plot, forest_table(plot)),
    )  # fmt: skip


def _forest_key(plot: Forest) -> SafeString:
    states = [name for name in NAMED_STATES if any(row.state == name for row in plot.rows)]
    words = {
        "met": _("met"),
        "undecided": _("undecided"),
        "not_met": _("not met"),
        "too_few": _("too few samples"),
    }
    if not plot.show_state:
        words["met"] = _("%(metric)s and 95 %% interval") % {"metric": plot.metric}
    keys = [
        format_html(
            '<span><span class="{} s-{}"><span class="forest__pt s-{}"></span></span>{}</span>',
            "k-ci" if s == "met" else "",
            s,
            s,
            words[s],
        )
        for s in states
    ]
    if plot.target is not None or any(row.target is not None for row in plot.rows):
        keys.append(
            format_html(
                '<span><span class="k-target"></span>{}</span>', plot.target_label or _("target")
            )
        )
    if plot.reference_label and any(row.reference is not None for row in plot.rows):
        keys.append(format_html('<span><span class="k-ref"></span>{}</span>', plot.reference_label))
    return format_html(
        '<p class="legend" aria-hidden="true">{}</p>',
        format_html_join("", "{}", ((key,) for key in keys)),
    )


def _forest_head(plot: Forest, grouped: bool, with_n: bool) -> SafeString:
    places = scales.ticks(plot.low, plot.high)
    digits = 2 if plot.high - plot.low >= 0.04 else 3
    axis = format_html_join(
        "",
        '<span style="--x:{}">{}</span>',
        ((f"{scales.share(t, plot.low, plot.high):.2f}", figures.score(t, digits)) for t in places),
    )
    cells = [format_html('<th scope="col">{}</th>', plot.first_column or _("Group"))]
    if grouped:
        cells.append(
            format_html('<th scope="col"><span class="sr">{}</span></th>', _("Value of the column"))
        )
    if with_n:
        cells.append(format_html('<th scope="col" class="n">{}</th>', _("n")))
    cells.append(
        format_html(
            '<th scope="col" class="forest__plot"><span class="sr">{}</span><span class="forest__axis" aria-hidden="true">{}</span></th>',
            _("Plot"),
            axis,
        )
    )
    cells += [
        format_html('<th scope="col" class="n">{}</th>', text) for text in (plot.metric, _("95 %"))
    ]
    if plot.show_state:
        cells.append(format_html('<th scope="col">{}</th>', _("State")))
    return format_html("<tr>{}</tr>", format_html_join("", "{}", ((cell,) for cell in cells)))


def _forest_row(
    plot: Forest, row: ForestRow, grouped: bool, with_n: bool, first: bool
) -> SafeString:
    label = format_html('<a href="{}">{}</a>', row.href, row.label) if row.href else row.label
    note = format_html(' <span class="muted">{}</span>', row.note) if row.note else ""
    if grouped:
        shown = row.group if first else format_html('<span class="sr">{}</span>', row.group)
        cell = format_html(
            '<td class="muted {}">{}</td>', "forest__group" if first else "hide-s", shown
        )
        names = format_html(
            '{}<th scope="row" style="font-weight:400">{}{}</th>', cell, label, note
        )
    else:
        names = format_html('<th scope="row">{}{}</th>', label, note)
    bare = row.state == "too_few" and row.n is not None
    value = _("n %(n)s") % {"n": row.n} if bare else figures.score(row.value, plot.digits)
    told = "" if row.n is None else f"{row.n:,}"
    n = (
        format_html('<td class="n muted{}" data-l="n">{}</td>', " hide-s" if bare else "", told)
        if with_n
        else ""
    )
    state = (
        format_html('<td class="forest__state">{}</td>', state_tag(row.state) if row.state else "")
        if plot.show_state
        else ""
    )
    return format_html(
        '<tr class="s-{}{}">{}{}<td class="forest__plot">{}</td><td class="n strong">{}</td><td class="n ci">{}</td>{}</tr>',
        row.state or "met", " is-fail" if row.state == "not_met" else "", names, n, forest_cell(plot, row), value,
        figures.interval(row.low, row.high, plot.digits, narrow=True), state,
    )  # fmt: skip


def forest_cell(plot: Forest, row: ForestRow) -> SafeString:
    """Interval, point, dashed target and grey reference on the scale of the plot."""
    marks: list[SafeString] = []
    target = row.target if row.target is not None else plot.target
    if target is not None:
        marks.append(
            format_html('<span class="forest__target" style="--t:{}"></span>', _place(plot, target))
        )
    if row.reference is not None and not figures.is_missing(row.reference):
        marks.append(
            format_html(
                '<span class="forest__ref" style="--r:{}"></span>', _place(plot, row.reference)
            )
        )
    if (
        row.low is not None
        and row.high is not None
        and not figures.is_missing(row.low)
        and not figures.is_missing(row.high)
    ):
        marks.append(
            format_html(
                '<span class="forest__ci" style="--lo:{};--hi:{}"></span>',
                _place(plot, row.low),
                _place(plot, row.high),
            )
        )
    if row.value is not None and not figures.is_missing(row.value):
        marks.append(
            format_html('<span class="forest__pt" style="--v:{}"></span>', _place(plot, row.value))
        )
    return format_html(
        '<span class="forest__cell s-{}" aria-hidden="true">{}</span>',
        row.state or "met",
        format_html_join("", "{}", ((m,) for m in marks)),
    )


def _place(plot: Forest, value: float) -> str:
    return f"{scales.share(value, plot.low, plot.high):.2f}"


def forest_sentence(plot: Forest) -> str:
    known = [
        row for row in plot.rows if row.value is not None and not figures.is_missing(row.value)
    ]
    if not known:
        return _("No value has been computed yet.")
    worst = min(known, key=lambda row: row.value or 0)
    words = {
        "metric": plot.metric,
        "n": len(known),
        "worst": f"{worst.group} {worst.label}".strip(),
        "value": figures.score(worst.value, plot.digits),
    }
    return (
        _("%(metric)s of %(n)s rows with 95 %% intervals; lowest: %(worst)s with %(value)s.")
        % words
    )


def forest_table(plot: Forest) -> Table:
    head = [
        _("Group"),
        _("n"),
        plot.metric,
        _("95 % from"),
        _("95 % to"),
        _("Target"),
        plot.reference_label or _("Reference"),
        _("State"),
    ]
    rows = [
        (
            f"{row.group} {row.label}".strip(),
            row.n,
            row.value,
            row.low,
            row.high,
            row.target if row.target is not None else plot.target,
            row.reference,
            state_of(row.state).label if row.state else "",
        )
        for row in plot.rows
    ]
    return Table(head, rows)


def confusion(plot: Confusion) -> SafeString:
    short = plot.short or plot.labels
    head = format_html_join("", '<th scope="col">{}</th>', ((label,) for label in short))
    rows = format_html_join(
        "", "{}", ((_confusion_row(plot, index),) for index in range(len(plot.labels)))
    )
    table = Table(
        [_("Truth"), *plot.labels],
        [(label, *counts) for label, counts in zip(plot.labels, plot.counts)],
    )
    return format_html(
        '<div class="plot"><div class="scroll-x"><table class="confusion"><caption class="sr">{}</caption><thead><tr><th scope="col"><span class="sr">{}</span></th>{}'
        '<th scope="col" class="n">{}</th></tr></thead><tbody>{}</tbody></table></div>{}</div>',
        sentence(plot, confusion_sentence(plot)), _("Truth"), head, _("n"), rows, toggle(plot, table),
    )  # fmt: skip


def _confusion_row(plot: Confusion, i: int) -> SafeString:
    counts = plot.counts[i]
    total = sum(counts)
    cells = format_html_join(
        "",
        "{}",
        (
            (_confusion_cell(plot, i, j, count / total if total else 0.0),)
            for j, count in enumerate(counts)
        ),
    )
    return format_html(
        '<tr><th scope="row">{}</th>{}<td class="n">{}</td></tr>',
        plot.labels[i],
        cells,
        f"{total:,}",
    )


def _confusion_cell(plot: Confusion, i: int, j: int, share: float) -> SafeString:
    text = f"{100 * share:.0f}" if share >= 0.005 else ""
    words = _("%(truth)s taken for %(answer)s: %(share)s %%") % {
        "truth": plot.labels[i],
        "answer": plot.labels[j],
        "share": f"{100 * share:.0f}",
    }
    if text and (url := plot.urls.get((i, j))):
        inner: Any = format_html('<a href="{}" title="{}">{}</a>', url, words, text)
    else:
        inner = format_html('<span title="{}">{}</span>', words, text)
    look = heat_ink(share) + (" is-marked" if (i, j) in plot.marked else "")
    return format_html('<td class="{}" style="--v:{}">{}</td>', look, f"{100 * share:.1f}", inner)


def frequent_confusions(plot: Confusion, limit: int = 6) -> list[dict[str, Any]]:
    """The largest cells off the diagonal: truth, answer, share of the row, count, link."""
    found = [
        {
            "truth": plot.labels[i],
            "answer": plot.labels[j],
            "share": count / sum(row),
            "count": count,
            "url": plot.urls.get((i, j), ""),
        }
        for i, row in enumerate(plot.counts)
        for j, count in enumerate(row)
        if i != j and count
    ]
    return sorted(found, key=lambda one: (-one["share"], -one["count"]))[:limit]


def confusion_sentence(plot: Confusion) -> str:
    worst = frequent_confusions(plot, 1)
    if not worst:
        return _("No sample was taken for another label.")
    values = {
        "truth": worst[0]["truth"],
        "answer": worst[0]["answer"],
        "share": f"{100 * worst[0]['share']:.0f}",
    }
    return (
        _(
            "Confusion in %% of each row; most often %(truth)s is taken for %(answer)s: %(share)s %%."
        )
        % values
    )


def upset(plot: UpSet) -> SafeString:
    total = sum(row.count for row in plot.rows) or 1
    largest = max((row.count for row in plot.rows), default=0) or 1
    matching = any(row.match is not None for row in plot.rows)
    heads = [
        _("Has"),
        _("Inputs"),
        _("Samples of this kind"),
        _("Samples"),
        _("Share"),
        *([_("Match")] if matching else []),
    ]
    looks = ("", "", "upset__plot", "n", "n hide-s", "n")
    head = format_html_join(
        "",
        '<th scope="col" class="{}">{}</th>',
        (
            (look, _hidden(text) if index in (1, 2) else text)
            for index, (look, text) in enumerate(zip(looks, heads))
        ),
    )
    rows = format_html_join(
        "", "{}", ((_combination(plot, row, total, largest, matching),) for row in plot.rows)
    )
    table = Table(
        [_("Has"), _("Samples"), _("Match")],
        [(combination_name(plot, row), row.count, row.match) for row in plot.rows],
    )
    made = _("%(n)s samples in %(rows)s combinations of inputs.") % {
        "n": f"{total:,}",
        "rows": len(plot.rows),
    }
    return format_html(
        '<div class="plot"><div class="plot__fit"><table class="table table--dense table--stack upset"><caption class="sr">{}</caption><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>{}</div>',
        sentence(plot, made), head, rows, toggle(plot, table),
    )  # fmt: skip


def _hidden(text: Any) -> SafeString:
    return format_html('<span class="sr">{}</span>', text)


def _combination(
    plot: UpSet, row: Combination, total: int, largest: int, matching: bool
) -> SafeString:
    name = combination_name(plot, row)
    label = (
        format_html(
            '<a href="{}"{}>{}</a>',
            row.href,
            SafeString(' aria-current="true"') if row.chosen else "",
            name,
        )
        if row.href
        else name
    )
    match = row.match if row.match is not None else row.count
    bar = format_html(
        '<span class="upset__bar" style="--all:{};--v:{}" aria-hidden="true"></span>',
        f"{100 * row.count / largest:.2f}",
        f"{100 * match / largest:.2f}",
    )
    last = format_html('<td class="n muted">{}</td>', f"{match:,}") if matching else ""
    return format_html(
        '<tr class="{}"><th scope="row" class="hide-s" style="font-weight:400">{}</th><td class="tight">{}</td><td class="upset__plot">{}</td><td class="n strong">{}</td>'
        '<td class="n muted hide-s">{}</td>{}</tr>',
        "is-on" if row.chosen else "", label, modality_dots(row.present, plot.kinds), bar, f"{row.count:,}", figures.percent(row.count / total, 1), last,
    )  # fmt: skip


def combination_name(plot: UpSet, row: Combination) -> Any:
    """All, none, "Only text", "No image, no text"."""
    if row.label:
        return row.label
    present = [kind for kind in plot.kinds if kind in row.present]
    absent = [kind for kind in plot.kinds if kind not in row.present]
    if not absent:
        return _("All")
    if not present:
        return _("None")
    if len(present) == 1 and len(absent) > 1:
        return _("Only %(modality)s") % {"modality": _in_text(plot, present[0])}
    return _(", ").join(
        _("No %(modality)s") % {"modality": _in_text(plot, kind)} for kind in absent
    )


def _in_text(plot: UpSet, kind: str) -> str:
    return str(plot.names.get(kind) or MODALITIES[kind_of(kind)].label).lower()
