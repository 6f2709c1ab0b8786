"""Tables: CSV by the standard library, Parquet by pyarrow. Every cell keeps its line, so that a
message can name it.
"""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fusion.data.modalities import BrokenFile, Inspection, head_of, sniff

MAX_BYTES = 2_000_000_000
MAX_COLUMNS = 2_000
MAX_ROWS = 5_000_000
MAX_CELL = 1_000_000


@dataclass
class Table:
    """columns: name -> one value a row (str or None from CSV; also numbers and lists from Parquet);
    lines: where each row stands in the file.
    """

    columns: dict[str, list[Any]]
    lines: list[int]

    def __len__(self) -> int:
        return len(self.lines)


def read(path: Path) -> Table:
    """A whole CSV or Parquet file, recognised by content; raises BrokenFile with the line where
    something is wrong.
    """
    head, _ = head_of(path, MAX_BYTES)
    kind = sniff(head)
    if kind == "table":
        return read_parquet(path)
    if kind == "text":
        return read_csv(path)
    if kind is None and b"\0" in head:
        raise BrokenFile(
            "is neither CSV nor Parquet (a NUL character stands in it, which no text may have)"
        )
    raise BrokenFile("is neither CSV in UTF-8 nor Parquet")


def read_csv(path: Path) -> Table:
    """The first row names the columns; the separator is the comma, semicolon or tab that this row
    uses.
    """
    previous = csv.field_size_limit(MAX_CELL)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter=max(",;\t", key=first.count), strict=True)
            return rows_of(reader)
    except UnicodeDecodeError as error:
        raise BrokenFile(
            f"is not UTF-8 text (byte {error.object[error.start]:#04x}); save it as CSV UTF-8"
        ) from error
    except csv.Error as error:
        raise BrokenFile(f"is no proper CSV: {error}") from error
    finally:
        csv.field_size_limit(previous)


def rows_of(reader: Any) -> Table:
    names = headings(next(reader, []))
    table = Table({name: [] for name in names}, [])
    columns = list(table.columns.values())
    while True:
        line = reader.line_num + 1
        row = next(reader, None)
        if row is None:
            return table
        if not row:
            continue
        if len(row) != len(names):
            raise BrokenFile(
                f"line {line} has {len(row)} cells, the heading names {len(names)} columns"
            )
        if any("\0" in cell for cell in row):
            raise BrokenFile(f"line {line} holds a NUL character, which no text may have")
        if len(table.lines) >= MAX_ROWS:
            raise BrokenFile(f"has more than {MAX_ROWS:,} rows")
        table.lines.append(line)
        for column, cell in zip(columns, row):
            column.append(cell if cell.strip() else None)


def headings(row: list[str]) -> list[str]:
    names = [name.strip() for name in row]
    if not any(names):
        raise BrokenFile("has no heading: its first line must name the columns")
    if len(names) > MAX_COLUMNS:
        raise BrokenFile(f"has {len(names):,} columns; at most {MAX_COLUMNS:,} are read")
    for place, name in enumerate(names, 1):
        if not name:
            raise BrokenFile(f"column {place} has no name in the heading")
        if "\0" in name:
            raise BrokenFile("the heading holds a NUL character, which no text may have")
        if names.index(name) != place - 1:
            raise BrokenFile(f"the heading names column {name} twice")
    return names


def read_parquet(path: Path) -> Table:
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            if file.metadata.num_rows > MAX_ROWS:
                raise BrokenFile(
                    f"has {file.metadata.num_rows:,} rows; at most {MAX_ROWS:,} are read"
                )
            names = headings(file.schema_arrow.names)
            read = file.read()
    except (pyarrow.ArrowException, OSError) as error:
        raise BrokenFile(f"cannot be read as Parquet ({str(error).splitlines()[0]})") from error
    columns = {name: read.column(place).to_pylist() for place, name in enumerate(names)}
    for name, values in columns.items():
        for row, value in enumerate(values, 1):
            if isinstance(value, str) and "\0" in value:
                raise BrokenFile(
                    f"row {row}, column {name} holds a NUL character, which no text may have"
                )
    return Table(columns, list(range(1, read.num_rows + 1)))


def inspect(path: Path) -> Inspection:
    """Describe a table; raises BrokenFile."""
    head, size = head_of(path, MAX_BYTES)
    table = read(path)
    facts = {"rows": len(table), "columns": len(table.columns)}
    name = "application/vnd.apache.parquet" if sniff(head) == "table" else "text/csv"
    return Inspection("table", name, size, facts, [] if len(table) else ["empty"])
