"""Cells that name files: the path of each picture and recording, the numbers of each series."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fusion.data.modalities import BrokenFile, series
from fusion.data.tables.findings import Findings
from fusion.data.tables.media_files import MediaFiles, slashed
from fusion.data.tables.typed import TypedTable

LONGEST_PATH = 300


def media_paths(
    table: TypedTable, column: str, files: MediaFiles, findings: Findings
) -> list[Path | None]:
    """Return the file of each row, None where the cell is empty or its file is not there; tell the
    latter, and names that were matched loosely.
    """
    names = table.columns[column].values
    paths = [None if name is None else files.find(name) for name in names]
    absent = [row for row, path in enumerate(paths) if path is None and names[row] is not None]
    for row in absent:
        place = (table.file, table.lines[row], table.keys[row], column)
        findings.add("missing_file", *place, text=names[row])
    if absent and not any(paths):
        findings.add("files_missing", table.file, column=column, text=str(len(absent)))
    for row, path in enumerate(paths):
        if path is not None and (known := files.name_of(path)) != names[row]:
            place = (table.file, table.lines[row], table.keys[row], column)
            if known != slashed(names[row]) or "\\" in names[row]:
                findings.add("file_name_differs", *place, text=names[row], hint=known)
    return paths


def series_values(
    table: TypedTable, column: str, files: MediaFiles, findings: Findings
) -> list[list[float] | None]:
    """Return the numbers of each row, from the cell or from the file that it names; None, told,
    where they cannot be read.
    """
    return read_cells(
        table, column, findings, lambda value: series_of(value, files), table.columns[column].values
    )


def read_cells(
    table: TypedTable,
    column: str,
    findings: Findings,
    read: Callable[[Any], Any],
    values: list[Any],
) -> list[Any]:
    """Return what `read` makes of each value; a value that raises BrokenFile is None, and told."""
    cells: list[Any] = []
    for row, value in enumerate(values):
        try:
            cells.append(None if value is None else read(value))
        except BrokenFile as broken:
            cells.append(None)
            place = (table.file, table.lines[row], table.keys[row], column)
            findings.add("broken_file", *place, name=str(value)[:80], text=broken.reason)
    return cells


def series_of(value: Any, files: MediaFiles) -> list[float]:
    path = files.find(value) if isinstance(value, str) and len(value) < LONGEST_PATH else None
    return series.decode(path) if path else series.parse(value)
