"""The numbers behind a plot: table, CSV, and the sentence that is read out instead of the picture."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.ui import figures
from apps.ui.components.basics import icon
from apps.ui.plots.model import Plot

ROWS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Table:
    head: Sequence[Any]
    rows: Sequence[Sequence[Any]]


def toggle(plot: Plot, table: Table) -> SafeString:
    """`Data`: a fold with the table and its download; works without JavaScript."""
    if not plot.toggle:
        return SafeString("")
    head = format_html_join(
        "",
        '<th scope="col"{}>{}</th>',
        ((_numeric(table, index), text) for index, text in enumerate(table.head)),
    )
    rows = format_html_join("", "<tr>{}</tr>", ((_cells(row),) for row in table.rows[:ROWS_SHOWN]))
    return format_html(
        '<details class="plot__data"><summary>{}{}</summary><div class="scroll-x"><table class="table table--dense"><thead><tr>{}</tr></thead>'
        '<tbody>{}</tbody></table></div><p class="plot__tools"><a href="{}" download="{}.csv">{}</a></p></details>',
        icon("table", 15), _("Data"), head, rows, plot.csv_url or data_url(table), plot.name, _("Download CSV"),
    )  # fmt: skip


def _numeric(table: Table, index: int) -> SafeString:
    numeric = index > 0 and any(isinstance(row[index], (int, float)) for row in table.rows[:5])
    return SafeString(' class="n"') if numeric else SafeString("")


def _cells(row: Sequence[Any]) -> SafeString:
    first = format_html('<th scope="row">{}</th>', row[0])
    return first + format_html_join(
        "", "<td{}>{}</td>", ((_class(cell), text(cell)) for cell in row[1:])
    )


def _class(cell: Any) -> SafeString:
    return SafeString(' class="n"') if isinstance(cell, (int, float)) else SafeString("")


def text(cell: Any) -> Any:
    if cell is None:
        return figures.NONE
    if isinstance(cell, float):
        return figures.NONE if figures.is_missing(cell) else f"{cell:.4g}"
    return cell


def as_csv(table: Table) -> str:
    """RFC 4180; a missing value is an empty cell. A leading sign that a spreadsheet would run is
    quoted by a space.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([str(cell) for cell in table.head])
    for row in table.rows:
        writer.writerow(
            [
                ""
                if cell is None or (isinstance(cell, float) and figures.is_missing(cell))
                else _safe(cell)
                for cell in row
            ]
        )
    return out.getvalue()


def _safe(cell: Any) -> Any:
    if isinstance(cell, (int, float)):
        return cell
    plain = str(cell)
    return f" {plain}" if plain[:1] in "=+-@\t\r" else plain


def data_url(table: Table) -> str:
    return "data:text/csv;charset=utf-8," + quote(as_csv(table))


def sentence(plot: Plot, made: str) -> Any:
    return plot.sentence or made
