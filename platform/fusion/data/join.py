"""From the tables and files of a study folder to an alignment."""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fusion.core.column_values import MEDIA_KINDS
from fusion.data.alignment import Aligned, Cell, Flag, Modality
from fusion.data.labels import labels_of
from fusion.data.modalities import BrokenFile, series, text
from fusion.data.modalities.child import Inspector
from fusion.data.study import FILE, Problem, Study, StudyError, StudyTable, inside
from fusion.data.study_spec import AlignmentSpec

KIND_OF_COLUMN = {
    "image": "image",
    "audio": "audio",
    "text": "text",
    "series": "series",
    "number": "table",
    "category": "table",
}
KEPT_AS_VALUES = ("number", "category", "label", "group", "tags", "time", "text")
CONSEQUENCE = "The sample keeps its other modalities."


@dataclass
class Reading:
    """What is found while the cells are read."""

    study: Study
    inspector: Inspector
    on_broken: Callable[[Problem], None]
    problems: list[Problem] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)
    files: dict[str, Path] = field(default_factory=dict)


def join(study: Study, on_broken: Callable[[Problem], None] | None) -> Aligned:
    spec = study.spec.alignment
    if spec is None:
        raise StudyError(
            [
                Problem(
                    FILE,
                    "has no alignment: say which column is the label and which are the modalities",
                )
            ]
        )
    tables = study.tables()
    keys = keys_of(tables, spec)
    others = {c: values_of(tables, c, keys) for c in kept_columns(tables, spec)}
    table, column = place_of(tables, spec.label)
    labels, task, order = labels_of(
        values_of(tables, spec.label, keys), table.columns[column].kind, spec.task, spec.order
    )
    with Inspector() as inspector:
        reading = Reading(study, inspector, on_broken or (lambda problem: None))
        modalities = {
            name: modality_of(reading, tables, name, columns_of(value), keys)
            for name, value in spec.modalities.items()
        }
    return Aligned(
        keys=keys,
        labels=labels,
        modalities=modalities,
        label_order=order,
        groups={c: values_of(tables, c, keys) for c in spec.groups},
        extras={c: v for c, v in others.items() if c not in spec.groups},
        cluster=spec.cluster or cluster_of(tables, spec.groups or list(others)),
        split=spec.split,
        fixed=values_of(tables, spec.split.column, keys) if spec.split.column else None,
        key=study.spec.key,
        label=spec.label,
        task=task,
        problems=reading.problems,
        flags=reading.flags,
        knowledge=study.spec.knowledge,
        protocols=study.spec.protocols,
    )


def columns_of(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def place_of(tables: dict[str, StudyTable], name: str) -> tuple[StudyTable, str]:
    dataset, column = name.split(".", 1)
    return tables[dataset], column


def keys_of(tables: dict[str, StudyTable], spec: AlignmentSpec) -> list[str]:
    """Keys of the label's table in its order, then those that only a modality's table has (they
    bear no label).
    """
    found = dict.fromkeys(place_of(tables, spec.label)[0].keys)
    for value in spec.modalities.values():
        for name in columns_of(value):
            found |= dict.fromkeys(place_of(tables, name)[0].keys)
    return list(found)


def values_of(tables: dict[str, StudyTable], name: str, keys: list[str]) -> list[Any]:
    table, column = place_of(tables, name)
    by_key = table.by_key(column)
    return [by_key.get(key) for key in keys]


def kept_columns(tables: dict[str, StudyTable], spec: AlignmentSpec) -> list[str]:
    """Every column that a subgroup, slice or rule may ask for: all but media, series, ids and the
    label itself.
    """
    names = [
        f"{t.name}.{c}"
        for t in tables.values()
        for c, column in t.columns.items()
        if column.kind in KEPT_AS_VALUES
    ]
    asked = [*spec.groups, *([spec.cluster] if spec.cluster else [])]
    return [name for name in dict.fromkeys([*asked, *names]) if name != spec.label]


def cluster_of(tables: dict[str, StudyTable], columns: list[str]) -> str | None:
    """The group column with most values."""

    def distinct(name: str) -> int:
        table, column = place_of(tables, name)
        return (
            len(set(table.columns[column].values)) if table.columns[column].kind == "group" else 0
        )

    best = max(columns, key=distinct, default=None)
    return best if best and distinct(best) else None


def medium_of(tables: dict[str, StudyTable], name: str, columns: list[str]) -> str:
    """image, audio, text, table or series; raises StudyError for columns that cannot be one input."""
    found = [table.columns[column].kind for table, column in (place_of(tables, c) for c in columns)]
    refused = [kind for kind in found if kind not in KIND_OF_COLUMN]
    if refused:
        raise StudyError(
            [
                Problem(
                    FILE,
                    f"modality {name}: a column of kind {refused[0]} cannot be an input; use {', '.join(KIND_OF_COLUMN)}",
                )
            ]
        )
    media = {KIND_OF_COLUMN[kind] for kind in found}
    if media != {"table"} and len(columns) > 1:
        raise StudyError(
            [
                Problem(
                    FILE,
                    f"modality {name}: only numbers and categories can be joined to one modality",
                )
            ]
        )
    return media.pop()


def modality_of(
    reading: Reading, tables: dict[str, StudyTable], name: str, columns: list[str], keys: list[str]
) -> Modality:
    kind = medium_of(tables, name, columns)
    if kind == "table":
        return table_modality(tables, columns, keys)
    table, column = place_of(tables, columns[0])
    lines = dict(zip(table.keys, table.lines))
    raw = table.by_key(column)
    read = {"image": file_cell, "audio": file_cell, "text": text_cell, "series": series_cell}[kind]
    cells: list[Cell | None] = []
    for key in keys:
        try:
            cells.append(None if raw.get(key) is None else read(reading, name, kind, key, raw[key]))
        except BrokenFile as broken:
            cells.append(None)
            shown = f"{raw[key]} " if kind in MEDIA_KINDS else ""
            problem = Problem(
                table.file, f"{shown}{broken.reason}. {CONSEQUENCE}", lines[key], key, column
            )
            reading.problems.append(problem)
            reading.on_broken(problem)
    return Modality(
        kind, cells, columns, media=reading.files.__getitem__ if kind in MEDIA_KINDS else None
    )


def file_cell(reading: Reading, modality: str, kind: str, key: str, value: str) -> Cell:
    path = inside(reading.study.folder, value)
    found = reading.inspector.inspect(path, kind)
    if isinstance(found, BrokenFile):
        raise found
    reading.flags += [Flag(key, modality, flag) for flag in found.flags]
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    reading.files.setdefault(digest, path)
    return Cell(digest)


def text_cell(reading: Reading, modality: str, kind: str, key: str, value: str) -> Cell:
    return Cell.text(text.clean(value))


def series_cell(reading: Reading, modality: str, kind: str, key: str, value: Any) -> Cell:
    """Numbers in the cell, or the name of a file that holds them."""
    if (
        isinstance(value, str)
        and not any(c in value for c in " ;[")
        and not series.is_number(value)
    ):
        return Cell.numbers(series.decode(inside(reading.study.folder, value)))
    return Cell.numbers(series.parse(value))


def table_modality(tables: dict[str, StudyTable], columns: list[str], keys: list[str]) -> Modality:
    """Numbers as they are; a category becomes one number a value (1 where it holds). A row with
    nothing at all is missing.
    """
    fields: list[str] = []
    parts: list[list[float]] = []
    for name in columns:
        table, column = place_of(tables, name)
        values = values_of(tables, name, keys)
        if table.columns[column].kind == "number":
            fields.append(name)
            parts.append([math.nan if v is None else v for v in values])
            continue
        for choice in sorted({v for v in values if v is not None}):
            fields.append(f"{name}={choice}")
            parts.append([math.nan if v is None else float(v == choice) for v in values])
    rows = zip(*parts)
    return Modality(
        "table",
        [None if all(map(math.isnan, row)) else Cell.numbers(row) for row in rows],
        columns,
        fields,
    )
