"""The numbers behind a plot: table, CSV, and the sentence that is read out instead of
the picture.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.utils.safestring import SafeString

from apps.ui import figures
from apps.ui.html import component
from apps.ui.plots.model import Plot

ROWS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Table:
    head: Sequence[Any]
    rows: Sequence[Sequence[Any]]


def toggle(plot: Plot, table: Table) -> SafeString:
    """Draw `Data`: a fold with the table and its download; works without JavaScript."""
    if not plot.toggle:
        return SafeString("")
    return component(
        "plots/data",
        head=[(name, _is_numeric(table, index)) for index, name in enumerate(table.head)],
        rows=[
            {"name": row[0], "cells": [_cell(cell) for cell in row[1:]]}
            for row in table.rows[:ROWS_SHOWN]
        ],
        csv_url=plot.csv_url or data_url(table),
        name=plot.name,
    )


def _is_numeric(table: Table, index: int) -> bool:
    return index > 0 and any(isinstance(row[index], (int, float)) for row in table.rows[:5])


def _cell(cell: Any) -> dict[str, Any]:
    """Return a cell as a mapping: templates read it in half the time of a pair."""
    return {"text": text(cell), "numeric": isinstance(cell, (int, float))}


def text(cell: Any) -> Any:
    if cell is None:
        return figures.NONE
    if isinstance(cell, float):
        return figures.NONE if figures.is_missing(cell) else f"{cell:.4g}"
    return str(cell) if isinstance(cell, int) else cell


def as_csv(table: Table) -> str:
    """Write RFC 4180; a missing value is an empty cell. A leading sign that a spreadsheet would run
    is quoted by a space.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([str(cell) for cell in table.head])
    for row in table.rows:
        writer.writerow([_csv_cell(cell) for cell in row])
    return out.getvalue()


def _csv_cell(cell: Any) -> Any:
    if cell is None or (isinstance(cell, float) and figures.is_missing(cell)):
        return ""
    if isinstance(cell, (int, float)):
        return cell
    plain = str(cell)
    return f" {plain}" if plain[:1] in "=+-@\t\r" else plain


def data_url(table: Table) -> str:
    return "data:text/csv;charset=utf-8," + quote(as_csv(table))


def sentence(plot: Plot, made: str) -> Any:
    return plot.sentence or made
