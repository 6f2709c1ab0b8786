"""Confusion matrix: truth in rows, predictions in columns, in percent of the row."""

from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.ui.html import component
from apps.ui.plots.data import Table, sentence, toggle
from apps.ui.plots.model import Confusion
from apps.ui.plots.palette import heat_ink


def confusion(plot: Confusion) -> SafeString:
    table = Table(
        [_("Truth"), *plot.labels],
        [(label, *counts) for label, counts in zip(plot.labels, plot.counts)],
    )
    return component(
        "plots/confusion",
        sentence=sentence(plot, confusion_sentence(plot)),
        head=plot.short or plot.labels,
        rows=[_row(plot, index) for index in range(len(plot.labels))],
        data=toggle(plot, table),
    )


def _row(plot: Confusion, truth: int) -> dict[str, Any]:
    counts = plot.counts[truth]
    total = sum(counts)
    cells = [
        _cell(plot, truth, column, count / total if total else 0.0)
        for column, count in enumerate(counts)
    ]
    return {"label": plot.labels[truth], "cells": cells, "total": f"{total:,}"}


def _cell(plot: Confusion, truth: int, column: int, share: float) -> dict[str, Any]:
    text = f"{100 * share:.0f}" if share >= 0.005 else ""
    names = {
        "truth": plot.labels[truth],
        "answer": plot.labels[column],
        "share": f"{100 * share:.0f}",
    }
    return {
        "look": heat_ink(share) + (" is-marked" if (truth, column) in plot.marked else ""),
        "percent": f"{100 * share:.1f}",
        "href": plot.urls.get((truth, column), "") if text else "",
        "text": text,
        "words": _("%(truth)s taken for %(answer)s: %(share)s %%") % names,
    }


def frequent_confusions(plot: Confusion, limit: int = 6) -> list[dict[str, Any]]:
    """Return the largest cells off the diagonal: truth, answer, share of the row, count, link."""
    confusions = [
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
    return sorted(confusions, key=lambda pair: (-pair["share"], -pair["count"]))[:limit]


def confusion_sentence(plot: Confusion) -> str:
    worst = frequent_confusions(plot, 1)
    if not worst:
        return _("No sample was taken for another label.")
    values = {
        "truth": worst[0]["truth"],
        "answer": worst[0]["answer"],
        "share": f"{100 * worst[0]['share']:.0f}",
    }
    text = _(
        "Confusion in %% of each row; most often %(truth)s is taken for %(answer)s: %(share)s %%."
    )
    return text % values
