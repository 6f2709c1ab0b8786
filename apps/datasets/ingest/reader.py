"""The child that reads a table of strangers: CSV in any usual encoding, or Parquet. Run as a
module; prints one JSON line a part.

Out: {"about": {...}}, then {"name", "values"} for each column, then {"lines": [...]}; or {"broken":
"reason"}. It writes no file, has little memory and no secret (fusion.data.modalities.child sets the
limits).
"""

import codecs
import csv
import json
import sys
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from fusion.data.modalities import BrokenFile, forbidden

MAX_BYTES = 2_000_000_000
MAX_COLUMNS = 2_000
MAX_ROWS = 5_000_000
MAX_CELL = 1_000_000
MAX_PROBLEMS = 1_000
HEAD = 1 << 16
SEPARATORS = ",;\t|"
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def encoding_of(path: Path) -> str:
    """By mark, then by trying: UTF-8, UTF-16 without mark, GB18030, at last Latin-1, which reads
    anything.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    for mark, name in MARKS:
        if head.startswith(mark):
            return name
    if b"\0" in head:
        return unmarked_utf16(head)
    return next(
        name
        for name in ("utf-8", "gb18030", "latin-1")
        if name == "latin-1" or (decodes(path, name) and plausible(path, name))
    )


def unmarked_utf16(head: bytes) -> str:
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) < 0.3 * len(head) / 2:
        raise BrokenFile("holds NUL characters, which no text may have")
    return "utf-16-le" if odd > even else "utf-16-be"


def decodes(path: Path, name: str) -> bool:
    try:
        with path.open(encoding=name, newline="") as file:
            while file.read(HEAD):
                pass
    except UnicodeError:
        return False
    return True


def plausible(path: Path, name: str) -> bool:
    """GB18030 also reads much Latin-1: it is believed only where most of what it finds beyond ASCII
    are usual Chinese characters.
    """
    if name != "gb18030":
        return True
    with path.open(encoding=name, newline="") as file:
        beyond = [c for c in file.read(HEAD) if ord(c) > 127]
    usual = sum(
        "\u4e00" <= c <= "\u9fff" or "\u3000" <= c <= "\u303f" or "\uff00" <= c <= "\uffef"
        for c in beyond
    )
    with path.open("rb") as file:
        raw = sum(byte > 127 for byte in file.read(HEAD))
    return usual >= 0.9 * len(beyond) and raw >= 1.9 * len(beyond) and encodes_to_gb2312(beyond)


def encodes_to_gb2312(characters: list[str]) -> bool:
    known = 0
    for character in characters:
        try:
            character.encode("gb2312")
            known += 1
        except UnicodeEncodeError:
            continue
    return known >= 0.7 * len(characters)


def separator_of(first: str) -> str:
    return max(SEPARATORS, key=first.count)


def read_csv(path: Path) -> Iterator[dict[str, Any]]:
    csv.field_size_limit(MAX_CELL)
    encoding = encoding_of(path)
    with path.open(encoding=encoding, newline="") as file:
        separator = separator_of(file.readline(MAX_CELL))
        file.seek(0)
        reader = csv.reader(file, delimiter=separator)
        try:
            names = headings(next(reader, []))
            columns, lines, problems = rows_of(reader, names)
        except UnicodeDecodeError as error:
            raise BrokenFile(f"is not {encoding} text throughout; save it as CSV UTF-8") from error
        except csv.Error as error:
            raise BrokenFile(f"is no proper CSV at line {reader.line_num}: {error}") from error
    about = {
        "format": "csv",
        "encoding": encoding,
        "separator": separator,
        "rows": len(lines),
        "columns": names,
        "problems": problems,
    }
    yield {"about": about}
    yield from ({"name": name, "values": values} for name, values in zip(names, columns))
    yield {"lines": lines}


def rows_of(
    reader: Any, names: list[str]
) -> tuple[list[list[str | None]], list[int], list[dict[str, Any]]]:
    """Columns, the line of each row, and the rows that had to be left out."""
    columns: list[list[str | None]] = [[] for _ in names]
    lines: list[int] = []
    problems: list[dict[str, Any]] = []
    start = reader.line_num + 1
    for row in reader:
        line, start = start, reader.line_num + 1
        if not any(cell.strip() for cell in row):
            continue
        if problem := row_problem(row, names, line):
            problems.append(problem)
            continue
        if len(lines) >= MAX_ROWS:
            raise BrokenFile(f"has more than {MAX_ROWS:,} rows")
        lines.append(line)
        for column, cell in zip(columns, row):
            column.append(cell if cell.strip() else None)
    return columns, lines, problems[:MAX_PROBLEMS]


def row_problem(row: list[str], names: list[str], line: int) -> dict[str, Any] | None:
    if len(row) != len(names):
        return {
            "code": "ragged",
            "row": line,
            "text": f"{len(row)} cells where the heading names {len(names)} columns",
        }
    if any("\0" in cell for cell in row):
        return {"code": "nul", "row": line, "text": "holds a NUL character, which no text may have"}
    return None


def headings(row: list[str]) -> list[str]:
    names = [name.strip() for name in row]
    if not any(names):
        raise BrokenFile("has no heading: its first line must name the columns")
    if len(names) > MAX_COLUMNS:
        raise BrokenFile(f"has {len(names):,} columns; at most {MAX_COLUMNS:,} are read")
    for place, name in enumerate(names, 1):
        if not name:
            raise BrokenFile(f"has no name for column {place} in its heading")
        if "\0" in name or len(name) > 120:
            raise BrokenFile(
                f"has a name for column {place} that is too long or holds a NUL character"
            )
        if names.index(name) != place - 1:
            raise BrokenFile(f"names column {name} twice in its heading")
    return names


def read_parquet(path: Path) -> Iterator[dict[str, Any]]:
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            rows = file.metadata.num_rows
            if rows > MAX_ROWS:
                raise BrokenFile(f"has {rows:,} rows; at most {MAX_ROWS:,} are read")
            names = headings(file.schema_arrow.names)
            yield {"about": {"format": "parquet", "rows": rows, "columns": names, "problems": []}}
            for place, name in enumerate(names):
                column = file.read(columns=[file.schema_arrow.names[place]]).column(0)
                yield {"name": name, "values": [plain(value, name) for value in column.to_pylist()]}
    except (pyarrow.ArrowException, OSError) as error:
        raise BrokenFile(f"cannot be read as Parquet ({str(error).splitlines()[0]})") from error
    yield {"lines": list(range(1, rows + 1))}


def plain(value: Any, name: str) -> Any:
    """A cell of Parquet as JSON can hold it. Raises BrokenFile for what no column kind can be."""
    if isinstance(value, str) and "\0" in value:
        raise BrokenFile(f"holds a NUL character in column {name}, which no text may have")
    if value is None or isinstance(value, bool | int | float | str):
        return str(value).lower() if isinstance(value, bool) else value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, list):
        return [plain(one, name) for one in value]
    raise BrokenFile(
        f"has values in column {name} that no kind of column can hold ({type(value).__name__})"
    )


def read(path: Path) -> Iterator[dict[str, Any]]:
    size = path.stat().st_size
    if not size:
        raise BrokenFile("is empty (0 bytes)")
    if size > MAX_BYTES:
        raise BrokenFile(
            f"is too large ({size / 1e6:,.0f} MB; at most {MAX_BYTES // 1_000_000:,} MB)"
        )
    with path.open("rb") as file:
        head = file.read(4096)
    if what := forbidden(head):
        raise BrokenFile(f"is {what}, not a table; save it as CSV or Parquet")
    yield from read_parquet(path) if head.startswith(b"PAR1") else read_csv(path)


def main() -> None:
    from fusion.data.modalities.child import limit_this_process

    path = Path(sys.argv[1])
    if sys.argv[2] == "parquet":
        import pyarrow.parquet  # noqa: F401  before the limits: loading it needs more open files than reading does
    limit_this_process()
    try:
        for part in read(path):
            tell(part)
    except BrokenFile as broken:
        tell({"broken": broken.reason})
    except MemoryError:
        tell({"broken": "needs more memory than a table may use"})


def tell(part: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(part) + "\n")


if __name__ == "__main__":
    main()
