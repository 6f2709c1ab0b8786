"""A table on its way to become a version: keys checked, every column in its kind, media cells as
files.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from fusion.core.column_values import MEDIA_KINDS, BadCell, value_of
from fusion.data.columns import guess_kind
from fusion.data.modalities import BrokenFile, series

from .files import Files
from .findings import Findings
from .tables import RawTable


@dataclass
class DraftColumn:
    """values: one a row in the column's kind, None where missing; of media: a Path, after the
    inspection a digest.
    """

    kind: str
    values: list[Any]
    guessed: bool = False
    unit: str = ""
    description: str = ""
    names: list[Any] = field(default_factory=list)
    broken: int = 0


@dataclass
class Choice:
    """What is known of a column before it is read: from the person, from study.yaml or from the
    last version.
    """

    kind: str = ""
    unit: str = ""
    description: str = ""


@dataclass
class Draft:
    """One data set: keys[i] and lines[i] belong to row i of every column."""

    name: str
    file: str
    key: str
    keys: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    columns: dict[str, DraftColumn] = field(default_factory=dict)
    kind: str = "data"
    title: str = ""
    discipline: str = ""
    licence: str = ""
    description: str = ""
    encoding: str = ""
    duplicates: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)

    @cached_property
    def lines_by_key(self) -> dict[str, int]:
        return dict(zip(self.keys, self.lines))

    def media(self) -> dict[str, DraftColumn]:
        return {name: column for name, column in self.columns.items() if column.kind in MEDIA_KINDS}


def fill(
    draft: Draft,
    raw: RawTable,
    choices: Mapping[str, Choice],
    files: Files,
    findings: Findings,
    unique: bool = True,
) -> None:
    """Rows with a usable key, then every column. `unique`: a sample has one row (not so for
    annotations).
    """
    draft.encoding = raw.encoding
    if raw.encoding not in ("", "utf-8", "utf-8-sig"):
        findings.add("encoding", table=draft.file, file=draft.file, text=raw.encoding)
    for problem in raw.problems:
        findings.add(
            problem["code"],
            table=draft.file,
            file=draft.file,
            row=problem["row"],
            text=problem["text"],
        )
    kept = usable_rows(draft, raw, findings, unique)
    draft.keys = [key_text(raw.columns[draft.key][place]) for place in kept]
    draft.lines = [raw.lines[place] for place in kept]
    for name in [name for name in raw.columns if name != draft.key]:
        values = raw.columns.pop(name)
        draft.columns[name] = column_of(
            draft,
            name,
            [values[place] for place in kept],
            choices.get(name, Choice()),
            files,
            findings,
        )


def key_text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).strip()


def usable_rows(draft: Draft, raw: RawTable, findings: Findings, unique: bool) -> list[int]:
    first: dict[str, int] = {}
    kept = []
    for place, value in enumerate(raw.columns[draft.key]):
        key, line = key_text(value), raw.lines[place]
        if not key:
            findings.add("missing_key", table=draft.file, file=draft.file, row=line)
        elif unique and key in first:
            findings.add(
                "duplicate_key",
                table=draft.file,
                file=draft.file,
                row=line,
                key=key,
                text=str(first[key]),
            )
        else:
            first.setdefault(key, line)
            kept.append(place)
    return kept


def column_of(
    draft: Draft, name: str, raw: list[Any], choice: Choice, files: Files, findings: Findings
) -> DraftColumn:
    kind = choice.kind or guess_kind(raw, name, files.sniff)
    column = DraftColumn(kind, [], not choice.kind, choice.unit, choice.description)
    if kind in MEDIA_KINDS:
        column.names = raw
    for place, value in enumerate(raw):
        try:
            column.values.append(cell(value, kind, files))
        except (BadCell, BrokenFile) as bad:
            column.values.append(None)
            code = "missing_file" if kind in MEDIA_KINDS else "bad_value"
            findings.add(
                code,
                table=draft.file,
                file=draft.file,
                row=draft.lines[place],
                key=draft.keys[place],
                column=name,
                text=str(bad),
            )
    return column


def cell(raw: Any, kind: str, files: Files) -> Any:
    """One value in its kind, a Path for media. Raises BadCell or BrokenFile."""
    value = value_of(raw, kind)
    if value is None:
        return None
    return READERS.get(kind, as_it_is)(value, files)


def as_it_is(value: Any, files: Files) -> Any:
    return value


def media_file(value: str, files: Files) -> Path:
    path = files.find(value)
    if path is None:
        raise BrokenFile(f"{value} is not among the uploaded files")
    return path


def moment(value: str, files: Files) -> datetime:
    """Times with a zone are kept in UTC, others as they are written."""
    try:
        found = datetime.fromisoformat(value)
    except ValueError as error:
        raise BadCell(
            f"{value[:40]!r} is no time; write it as 2026-11-24 or 2026-11-24T09:30"
        ) from error
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found


def numbers(value: Any, files: Files) -> list[float]:
    """A list in the cell, or the numbers of the file that it names."""
    path = files.find(value) if isinstance(value, str) and len(value) < 300 else None
    return series.decode(path) if path else series.parse(value)


READERS: dict[str, Callable[[Any, Files], Any]] = {
    "image": media_file,
    "audio": media_file,
    "time": moment,
    "series": numbers,
}
