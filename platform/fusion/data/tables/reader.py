"""Cells of a table as they stand in its file, CSV or Parquet, recognised by content. Every row
keeps its line, so that a message can name it.
"""

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from fusion.data.modalities import BrokenFile, head_of

MAX_BYTES = 2_000_000_000
MAX_COLUMNS = 2_000
MAX_ROWS = 5_000_000
MAX_CELL = 1_000_000
MAX_NAME = 120
MAX_REMARKS = 1_000
HEAD = 1 << 16
SEPARATORS = ",;\t|"
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
LIKELY_ENCODINGS = ["gb18030", "cp1252"]
SEPARATOR_LINE = re.compile(r"^\ufeff?sep=(.)\r?\n?$", re.IGNORECASE)
PARQUET = b"PAR1"


class Remark(NamedTuple):
    """A finding about a raw table: its code, the line (0: the whole table), the column,
    its fields.
    """

    code: str
    line: int
    column: str
    fields: dict[str, Any]


@dataclass
class RawTable:
    """columns: name -> one value a row, None where empty (text from CSV; also numbers and lists
    from Parquet); lines: where each row stands in the file; remarks: what was found while reading,
    of each code `MAX_REMARKS` at most; counts: code -> how many there were.
    """

    columns: dict[str, list[Any]] = field(default_factory=dict)
    lines: list[int] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    encoding: str = ""
    separator: str = ""

    def __len__(self) -> int:
        return len(self.lines)

    def remark(self, code: str, line: int = 0, column: str = "", **fields: Any) -> None:
        self.counts[code] = self.counts.get(code, 0) + 1
        if self.counts[code] <= MAX_REMARKS:
            self.remarks.append(Remark(code, line, column, fields))


def is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == PARQUET


def read_table(path: Path) -> RawTable:
    """Return the whole table; raises BrokenFile with the line where it is no table."""
    head, _ = head_of(path, MAX_BYTES)
    return read_parquet(path) if head.startswith(PARQUET) else read_csv(path)


def encoding_of(path: Path) -> str:
    """Name the encoding: by its mark, by the zeros of UTF-16, UTF-8 where the whole file is, else
    the likelier of GB18030 and Windows-1252 by the lines that are not in ASCII.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    for mark, name in BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return name
    if utf16 := unmarked_utf16(head):
        return utf16
    if b"\0" in head:
        raise BrokenFile("holds NUL characters, which no text may have; save it as CSV UTF-8")
    if decodes(path, "utf-8"):
        return "utf-8"
    foreign = foreign_lines(path)
    runs = [len(run) % 2 for run in re.findall(rb"[\x80-\xff]+", foreign)]
    if 2 * sum(runs) > len(runs) or not decodes(path, "gb18030"):
        return "cp1252"
    from charset_normalizer import from_bytes

    best = from_bytes(foreign, cp_isolation=LIKELY_ENCODINGS).best()
    return best.encoding.replace("_", "-") if best else "cp1252"


def foreign_lines(path: Path) -> bytes:
    """Return the first lines that are not in ASCII, `HEAD` bytes at most."""
    lines, size = [], 0
    with path.open("rb") as file:
        for line in file:
            if not line.isascii():
                lines.append(line)
                size += len(line)
                if size >= HEAD:
                    break
    return b"".join(lines)[:HEAD]


def decodes(path: Path, encoding: str) -> bool:
    """Return whether the whole file is text in this encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while chunk := file.read(HEAD):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def unmarked_utf16(head: bytes) -> str:
    """Return the form of UTF-16 in which nearly all line ends have their zero byte, "" for none."""
    starts = [match.start() for match in re.finditer(b"\n", head)]
    little = sum(start % 2 == 0 and head[start + 1 : start + 2] == b"\0" for start in starts)
    big = sum(start % 2 == 1 and head[start - 1 : start] == b"\0" for start in starts)
    if not starts or max(little, big) < 0.9 * len(starts):
        return ""
    return "utf-16-le" if little > big else "utf-16-be"


def read_csv(path: Path) -> RawTable:
    previous = csv.field_size_limit(MAX_CELL)
    encoding = encoding_of(path)
    try:
        with path.open(encoding=encoding, newline="") as file:
            return CsvReader(file, encoding).table()
    except UnicodeDecodeError as error:
        raise BrokenFile(
            f"is not {encoding} text throughout (byte {error.object[error.start]:#04x}); save it as"
            " CSV UTF-8"
        ) from error
    finally:
        csv.field_size_limit(previous)


class CsvReader:
    """One pass over a CSV file: blank lines and a `sep=` line before the heading, the heading, then
    the rows.
    """

    def __init__(self, file: TextIO, encoding: str) -> None:
        self.raw = RawTable(encoding=encoding)
        self.before = 0
        lines = iter(file)
        first = ""
        for first in lines:
            self.before += 1
            if marked := SEPARATOR_LINE.match(first):
                self.raw.separator = marked.group(1)
                self.raw.remark("separator_line", self.before, text=first.strip())
            elif first.strip(" \t\r\n,;\ufeff"):
                break
        self.before -= 1
        self.raw.separator = self.raw.separator or max(SEPARATORS, key=first.count)
        self.reader = csv.reader(chain([first], lines), delimiter=self.raw.separator, strict=True)

    @property
    def line(self) -> int:
        """The last line that was read."""
        return self.before + self.reader.line_num

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Every row with the line at which it begins; raises BrokenFile where a quote
        goes wrong.
        """
        while True:
            start = self.line + 1
            try:
                row = next(self.reader, None)
            except csv.Error as error:
                raise BrokenFile(csv_fault(error, start, self.line)) from error
            if row is None:
                return
            yield start, row

    def table(self) -> RawTable:
        raw, rows = self.raw, self.rows()
        start, row = next(rows, (1, []))
        heading = headings(row, start)
        names = [name for name in heading if name]
        columns: list[list[str | None]] = [[] for _ in names]
        for line, cells in rows:
            if not any(map(str.strip, cells)):
                continue
            if len(cells) == len(heading) and any(map(str.strip, cells[len(names) :])):
                refuse_title(names, cells, start, raw)
                raise BrokenFile(
                    f"has no name for column {len(names) + 1} in its heading (line {start}), but a"
                    f" value in it in line {line}"
                )
            cells = without_trailing_blanks(cells, len(names))
            if any("\0" in cell for cell in cells):
                raw.remark("nul", line)
            elif len(cells) != len(names):
                refuse_title(names, cells, start, raw)
                counts = f"{len(cells)} cells where the heading names {len(names)} columns"
                raw.remark("ragged", line, text=counts)
            elif len(raw.lines) >= MAX_ROWS:
                raise BrokenFile(f"has more than {MAX_ROWS:,} rows")
            else:
                if self.line > line + 1 and holds_rows(cells, raw.separator):
                    raw.remark("rows_in_quotes", line, text=str(self.line))
                raw.lines.append(line)
                for column, cell in zip(columns, cells):
                    column.append(cell if cell.strip() else None)
        if len(heading) > len(names):
            raw.remark("empty_columns", start, text=str(len(heading) - len(names)))
        if not raw.lines:
            raw.remark("no_rows", start)
        raw.columns = dict(zip(names, columns))
        return raw


def holds_rows(cells: list[str], separator: str) -> bool:
    """Return whether all lines inside a quoted cell look like rows of the table."""
    inner = [line for cell in cells for line in cell.splitlines()[1:-1]]
    return bool(inner) and all(line.count(separator) == len(cells) - 1 for line in inner)


def without_trailing_blanks(cells: list[str], width: int) -> list[str]:
    while len(cells) > width and not cells[-1].strip():
        cells = cells[:-1]
    return cells


def refuse_title(names: list[str], cells: list[str], line: int, raw: RawTable) -> None:
    """Raise BrokenFile where a heading of one name stands above a row of several cells."""
    if len(names) == 1 and len(cells) > 1 and not raw.lines:
        raise BrokenFile(
            f"has {names[0]!r} alone in line {line}, which looks like a title: the first"
            " line must name the columns, so delete the lines above them"
        )


def csv_fault(error: csv.Error, start: int, end: int) -> str:
    reason = str(error)
    if "field larger" in reason:
        return (
            f"is no proper CSV: line {start} has a cell of more than {MAX_CELL:,} characters; is a"
            " quotation mark not closed?"
        )
    if "expected after" in reason:
        return (
            f"is no proper CSV: line {end} has a quotation mark inside a quoted cell; write it"
            ' twice ("")'
        )
    if "unexpected end" in reason:
        return f"is no proper CSV: the quotation mark that opens in line {start} is never closed"
    return f"is no proper CSV at line {end}: {reason}"


def headings(row: list[str], line: int = 1) -> list[str]:
    """Return the names of the columns; trailing empty names stay, as empty text."""
    names = [name.strip().removeprefix("\ufeff") for name in row]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise BrokenFile("has no heading: its first line must name the columns")
    if len(names) > MAX_COLUMNS:
        raise BrokenFile(f"has {len(names):,} columns; at most {MAX_COLUMNS:,} are read")
    for place, name in enumerate(names, 1):
        if not name:
            raise BrokenFile(f"has no name for column {place} in its heading (line {line})")
        if "\0" in name or len(name) > MAX_NAME:
            raise BrokenFile(
                f"has no name for column {place} in its heading (line {line}) but data, or a name"
                f" of more than {MAX_NAME} characters; if it is a workbook, save it as CSV UTF-8"
            )
        if names.index(name) != place - 1:
            raise BrokenFile(f"names column {name} twice in its heading (line {line})")
    return names + [""] * (len(row) - len(names))


def read_parquet(path: Path) -> RawTable:
    import pyarrow
    from pyarrow import parquet

    raw = RawTable()
    try:
        with parquet.ParquetFile(path) as file:
            rows = file.metadata.num_rows
            if rows > MAX_ROWS:
                raise BrokenFile(f"has {rows:,} rows; at most {MAX_ROWS:,} are read")
            for place, name in enumerate(headings(file.schema_arrow.names)):
                column = file.read(columns=[file.schema_arrow.names[place]]).column(0)
                add_parquet_column(raw, name, column)
    except (pyarrow.ArrowException, OSError) as error:
        raise BrokenFile(f"cannot be read as Parquet ({str(error).splitlines()[0]})") from error
    raw.lines = list(range(1, rows + 1))
    if not rows:
        raw.remark("no_rows")
    return raw


def add_parquet_column(raw: RawTable, name: str, column: Any) -> None:
    from pyarrow import timestamp, types

    if types.is_timestamp(column.type):
        column = column.cast(timestamp("us", column.type.tz), safe=False)
    elif types.is_float32(column.type):
        column = column.cast("string").cast("float64")
    try:
        raw.columns[name] = [plain(value) for value in column.to_pylist()]
    except (TypeError, ValueError, OverflowError):
        raw.remark("unusable_column", column=name, text=str(column.type))


def plain(value: Any) -> Any:
    """Return a cell of Parquet as JSON can hold it; raises TypeError for what no kind can be."""
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("a NUL character")
        return value if value.strip() else None
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return None if value != value else value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, list):
        return [plain(part) for part in value]
    raise TypeError(type(value).__name__)
