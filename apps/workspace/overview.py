"""Parts of a project's overview: the consilience map, what joining brings, how far the runs have come, where it is weakest."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.experiments.models import Run

from .queries import MapRow

Cell = dict[str, Any]


def map_of(rows: list[MapRow], user: User, reviewed: bool) -> dict[str, Any]:
    """Cells in words; a cell that waits for the reader is the one that is filled. Cells that are not needed count in neither number."""
    table = [{"discipline": row.discipline, "cells": [_data(row), *([_review(row, user)] if reviewed else [])]} for row in rows]
    cells = [cell for row in table for cell in row["cells"] if cell["state"] != "none"]
    ready = sum(cell["state"] == "ready" for cell in cells)
    return {"rows": table, "ready": ready, "total": len(cells)}


def _data(row: MapRow) -> Cell:
    if not row.datasets:
        return {"state": "waits", "icon": "upload", "word": _("None yet"), "note": _("no data set"), "url": ""}
    first = row.datasets[0]
    if len(row.datasets) == 1:
        note = _("v%(version)s, %(rows)s") % {"version": first.newest_number, "rows": f"{row.rows:,}"}
    else:
        sets = ngettext("%(n)s data set", "%(n)s data sets", len(row.datasets)) % {"n": len(row.datasets)}
        note = _("%(sets)s, %(rows)s rows") % {"sets": sets, "rows": f"{row.rows:,}"}
    return {"state": "ready", "icon": "check", "word": _("Ready"), "note": note, "dataset": first}


REVIEW_WORDS = {"approved": ("ready", "check"), "changes": ("bad", "message-square-warning"), "waiting": ("waits", "hourglass")}


def _review(row: MapRow, user: User) -> Cell:
    column = row.column
    if column is None:
        return {"state": "none", "icon": "minus", "word": _("Not needed"), "note": ""}
    if column.state == "waiting" and column.turn_of(user):
        return {"state": "turn", "icon": "arrow-right", "word": _("Your turn"), "note": _("no decision yet"), "review": True}
    state, icon = REVIEW_WORDS.get(column.state, ("waits", "hourglass"))
    words = {"approved": _("Approved"), "changes": _("Asks changes"), "waiting": _("Waiting")}
    return {"state": state, "icon": icon, "word": words.get(column.state, _("Waiting")), "note": column.person or "", "review": True}


def joining(run: Run | None) -> dict[str, Any] | None:
    return None


def progress(runs: list[Run], leader: Run | None) -> Any:
    return None


def weakest(run: Run | None) -> list[Any]:
    """The four subgroups with the lowest macro-F1, as they were measured."""
    if run is None or run.evaluation is None:
        return []
    return sorted(run.evaluation.subgroups, key=lambda one: one.macro_f1.value)[:4]
