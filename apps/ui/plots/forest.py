"""Forest plot: a row a group with its point, interval, target and reference on one scale."""

from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.ui import figures
from apps.ui.html import component
from apps.ui.plots import scales
from apps.ui.plots.data import Table, sentence, toggle
from apps.ui.plots.model import Forest, ForestRow
from apps.ui.states import state_of

NAMED_STATES = ("met", "undecided", "not_met", "too_few")


def forest(plot: Forest) -> SafeString:
    previous = [None, *(row.group for row in plot.rows)]
    return component(
        "plots/forest",
        plot=plot,
        sentence=sentence(plot, forest_sentence(plot)),
        level=_("95 %"),
        keys=_keys(plot),
        ticks=_ticks(plot),
        grouped=any(row.group for row in plot.rows),
        with_n=any(row.n is not None for row in plot.rows),
        rows=[
            {**forest_marks(plot, row), **_words(plot, row), "first": row.group != group}
            for row, group in zip(plot.rows, previous)
        ],
        data=toggle(plot, forest_table(plot)),
    )


def _keys(plot: Forest) -> list[dict[str, Any]]:
    words = {
        "met": _("met"),
        "undecided": _("undecided"),
        "not_met": _("not met"),
        "too_few": _("too few samples"),
    }
    if not plot.show_state:
        words["met"] = _("%(metric)s and 95 %% interval") % {"metric": plot.metric}
    keys: list[dict[str, Any]] = [
        {
            "look": f"{'k-ci' if state == 'met' else ''} s-{state}",
            "state": state,
            "label": words[state],
        }
        for state in NAMED_STATES
        if any(row.state == state for row in plot.rows)
    ]
    if plot.target is not None or any(row.target is not None for row in plot.rows):
        keys.append({"look": "k-target", "label": plot.target_label or _("target")})
    if plot.reference_label and any(row.reference is not None for row in plot.rows):
        keys.append({"look": "k-ref", "label": plot.reference_label})
    return keys


def _ticks(plot: Forest) -> list[tuple[str, str]]:
    digits = 2 if plot.high - plot.low >= 0.04 else 3
    ticks = scales.ticks(plot.low, plot.high)
    return [(_place(plot, tick), figures.score(tick, digits)) for tick in ticks]


def forest_marks(plot: Forest, row: ForestRow) -> dict[str, str]:
    """Return where point, interval, target and reference stand on the scale of the plot, in
    percent; empty where there is none.
    """
    target = row.target if row.target is not None else plot.target
    return {
        "place": _place(plot, row.value),
        "low": _place(plot, row.low),
        "high": _place(plot, row.high),
        "target": _place(plot, target),
        "reference": _place(plot, row.reference),
    }


def _words(plot: Forest, row: ForestRow) -> dict[str, Any]:
    bare = row.state == "too_few" and row.n is not None
    return {
        "state": row.state or "met",
        "known_state": row.state,
        "group": row.group,
        "label": row.label,
        "href": row.href,
        "note": row.note,
        "bare": bare,
        "n": "" if row.n is None else f"{row.n:,}",
        "value": _("n %(n)s") % {"n": row.n} if bare else figures.score(row.value, plot.digits),
        "interval": figures.interval(row.low, row.high, plot.digits, narrow=True),
    }


def _place(plot: Forest, value: float | None) -> str:
    if value is None or figures.is_missing(value):
        return ""
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
    text = _("%(metric)s of %(n)s rows with 95 %% intervals; lowest: %(worst)s with %(value)s.")
    return text % words


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
