"""A table on its way to become a version: typed by the engine, its media cells as files."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fusion.core.column_values import MEDIA_KINDS
from fusion.data.modalities import text
from fusion.data.tables.cells import media_paths, read_cells, series_values
from fusion.data.tables.findings import Findings
from fusion.data.tables.media_files import MediaFiles
from fusion.data.tables.reader import RawTable
from fusion.data.tables.typed import ColumnChoice, TypedTable, fill


@dataclass
class Draft(TypedTable):
    """One data set. Cells of media hold a Path, after the inspection a digest; names: media column
    -> the names as they are written; broken: media column -> how many of its files are.
    """

    name: str = ""
    kind: str = "data"
    title: str = ""
    discipline: str = ""
    licence: str = ""
    description: str = ""
    duplicates: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    names: dict[str, list[Any]] = field(default_factory=dict)
    broken: Counter[str] = field(default_factory=Counter)


def fill_draft(
    draft: Draft,
    raw: RawTable,
    choices: Mapping[str, ColumnChoice],
    files: MediaFiles,
    findings: Findings,
    unique: bool = True,
) -> None:
    """Rows with a usable key, then every column; see `fusion.data.tables.typed.fill`."""
    fill(draft, raw, choices, files.sniff, findings, unique)
    read_files(draft, files, findings)


def read_files(draft: Draft, files: MediaFiles, findings: Findings) -> None:
    """Give cells the form in which they are stored: paths, numbers of series, moments."""
    for name, column in draft.columns.items():
        if column.kind in MEDIA_KINDS:
            draft.names[name] = column.values
            column.values = media_paths(draft, name, files, findings)
        elif column.kind == "series":
            column.values = series_values(draft, name, files, findings)
        elif column.kind == "text":
            column.values = read_cells(draft, name, findings, text.clean, column.values)
        elif column.kind == "time":
            column.values = [
                None if moment is None else datetime.fromisoformat(moment)
                for moment in column.values
            ]
