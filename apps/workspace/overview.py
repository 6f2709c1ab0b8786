"""Parts of a project's overview: the consilience map, what joining brings, how far the runs have
come, where it is weakest.
"""

from itertools import accumulate
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.experiments.models import Run
from apps.ui import figures
from apps.ui.plots.model import Bar, Bars, Forest, ForestRow, Level, Line, Lines
from fusion.schema.intervals import Interval

from .queries import MapRow

Cell = dict[str, Any]


def map_of(rows: list[MapRow], user: User, reviewed: bool) -> dict[str, Any]:
    """Cells in words; a cell that waits for the reader is the one that is filled. Cells that are
    not needed count in neither number.
    """
    table = [
        {
            "discipline": row.discipline,
            "cells": [_data(row), *([_review(row, user)] if reviewed else [])],
        }
        for row in rows
    ]
    cells = [cell for row in table for cell in row["cells"] if cell["state"] != "none"]
    ready = sum(cell["state"] == "ready" for cell in cells)
    return {"rows": table, "ready": ready, "total": len(cells)}


def _data(row: MapRow) -> Cell:
    if not row.datasets:
        return {
            "state": "waits",
            "icon": "upload",
            "word": _("None yet"),
            "note": _("no data set"),
            "url": "",
        }
    first = row.datasets[0]
    if len(row.datasets) == 1:
        note = _("v%(version)s, %(rows)s") % {
            "version": first.newest_number,
            "rows": f"{row.rows:,}",
        }
    else:
        sets = ngettext("%(n)s data set", "%(n)s data sets", len(row.datasets)) % {
            "n": len(row.datasets)
        }
        note = _("%(sets)s, %(rows)s rows") % {"sets": sets, "rows": f"{row.rows:,}"}
    return {"state": "ready", "icon": "check", "word": _("Ready"), "note": note, "dataset": first}


REVIEW_WORDS = {
    "approved": ("ready", "check"),
    "changes": ("changes", "message-square-warning"),
    "waiting": ("waits", "hourglass"),
}


def _review(row: MapRow, user: User) -> Cell:
    column = row.column
    if column is None:
        return {"state": "none", "icon": "minus", "word": _("Not needed"), "note": ""}
    if column.state == "waiting" and column.turn_of(user):
        return {
            "state": "yours",
            "icon": "arrow-right",
            "word": _("Your turn"),
            "note": _("no decision yet"),
            "review": True,
        }
    state, icon = REVIEW_WORDS.get(column.state, ("waits", "hourglass"))
    words = {"approved": _("Approved"), "changes": _("Asks changes"), "waiting": _("Waiting")}
    return {
        "state": state,
        "icon": icon,
        "word": words.get(column.state, _("Waiting")),
        "note": column.person or "",
        "review": True,
    }


def kinds_of(run: Run) -> dict[str, str]:
    """Modality name -> kind, which gives it its hue and icon."""
    return {name: part["kind"] for name, part in run.alignment.spec.get("modalities", {}).items()}


def joining(run: Run | None) -> dict[str, Any] | None:
    """Each modality alone beside all together, and the paired gain in words."""
    result = run.evaluation if run else None
    if run is None or result is None:
        return None
    kinds = kinds_of(run)
    alone = [_("%(modality)s alone") % {"modality": single.modality} for single in result.singles]
    bars = [
        _bar(label, single.score, kinds.get(single.modality, ""))
        for label, single in zip(alone, result.singles, strict=True)
    ]
    together = _("Together, run %(n)s") % {"n": run.number}
    gain = result.headline.gain_over_best_single
    words = _("than %(modality)s alone, the best single modality") % {"modality": gain.over}
    metric = figures.metric(result.headline.metric)
    sub = _("%(metric)s on %(n)s test samples.") % {"metric": metric, "n": f"{result.n_samples:,}"}
    rows = [*bars, _bar(together, result.headline.score, "")]
    return {
        "plot": Bars(rows=rows, maximum=1, show_interval=True, metric=metric, toggle=False),
        "gain": gain,
        "verdict": VERDICTS[gain.verdict],
        "words": words,
        "sub": sub,
    }


VERDICTS = {"clearly better": "better", "clearly worse": "worse", "no clear difference": "same"}


def _bar(label: str, score: Interval, kind: str) -> Bar:
    return Bar(label, score.value, score.low, score.high, kind)


def progress(runs: list[Run], leader: Run | None) -> Lines | None:
    """Every finished run as a dot, the best so far as a line; from two runs on."""
    runs = [run for run in runs if leader and run.metric == leader.metric]
    if len(runs) < 2 or leader is None or leader.evaluation is None:
        return None
    numbers = [float(run.number) for run in runs]
    scores = [run.score for run in runs]
    best = list(accumulate(scores, max))
    single = max(leader.evaluation.singles, key=lambda single: single.score.value)
    lines = [
        Line(label="", xs=numbers, ys=best, end_label=False),
        Line(
            label=_("run %(n)s") % {"n": leader.number},
            xs=numbers,
            ys=scores,
            style="accent",
            dash="0 1000",
            dots=True,
            end_label=False,
        ),
    ]
    level = Level(
        single.score.value, _("best single modality: %(modality)s") % {"modality": single.modality}
    )
    return Lines(
        lines=lines,
        levels=[level],
        x_label=_("Run"),
        y_label=leader.metric_name,
        x_ticks=numbers,
        height=150,
        toggle=False,
    )


def weakest(run: Run | None) -> Forest | None:
    """The four subgroups with the lowest score, as they were measured."""
    result = run.evaluation if run else None
    if result is None or not result.subgroups:
        return None
    lowest = sorted(result.subgroups, key=lambda subgroup: subgroup.score.value)[:4]
    rows = [
        ForestRow(
            label=subgroup.value,
            value=subgroup.score.value,
            low=subgroup.score.low,
            high=subgroup.score.high,
            n=subgroup.n,
            state="",
        )
        for subgroup in lowest
    ]
    bounds = [
        bound for row in rows for bound in (row.low, row.high, row.value) if bound is not None
    ]
    return Forest(
        rows=rows,
        low=min(bounds) - 0.02,
        high=min(1.0, max(bounds) + 0.02),
        metric=figures.metric(result.headline.metric),
        show_state=False,
        toggle=False,
    )
