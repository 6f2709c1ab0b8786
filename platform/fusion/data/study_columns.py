"""The columns of a study folder for the join: files are looked at and hashed when they are asked
for.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fusion.data.alignment import Aligned, AlignmentError, Cell
from fusion.data.child import Inspector
from fusion.data.join import join
from fusion.data.modalities import BrokenFile, text
from fusion.data.study import FILE, Problem, Study, StudyError, StudyTable
from fusion.data.tables.cells import media_paths, series_of
from fusion.data.tables.findings import Finding


def align(study: Study, on_finding: Callable[[Finding], None] | None = None) -> Aligned:
    """Join the tables of a study as its `alignment` says; everything odd in them is told, broken
    files are left out and their samples stay. Raises StudyError.
    """
    spec = study.spec.alignment
    if spec is None:
        reason = "has no alignment: say which column is the label and which are the modalities"
        raise StudyError([Problem(FILE, reason)])
    try:
        with Inspector() as inspector:
            columns = StudyColumns(study, inspector)
            aligned = join(
                columns, spec, study.spec.key, study.spec.knowledge, study.spec.protocols
            )
    except AlignmentError as error:
        raise StudyError([Problem(FILE, str(error))]) from error
    tell_guessed_task(study, columns, aligned)
    for finding in study.findings:
        if on_finding:
            on_finding(finding)
    return aligned


def tell_guessed_task(study: Study, columns: "StudyColumns", aligned: Aligned) -> None:
    """Tell that a label of two different numbers is taken as two classes."""
    table, name = columns.place(aligned.label)
    assert study.spec.alignment is not None
    guessed = study.spec.alignment.task is None and aligned.task == "classification"
    if guessed and table.columns[name].kind == "number":
        study.findings.add(
            "guessed_label", table.file, column=name, text=" and ".join(aligned.label_order)
        )


class StudyColumns:
    """The tables of a study as `fusion.data.join.ColumnSource`."""

    def __init__(self, study: Study, inspector: Inspector) -> None:
        self.study, self.inspector = study, inspector
        self.tables = study.tables()
        self.paths: dict[str, Path] = {}

    def place(self, column: str) -> tuple[StudyTable, str]:
        dataset, name = column.split(".", 1)
        return self.tables[dataset], name

    def kinds(self) -> Mapping[str, str]:
        return {
            f"{table.name}.{name}": column.kind
            for table in self.tables.values()
            for name, column in table.columns.items()
        }

    def keys(self, column: str) -> list[str]:
        return self.place(column)[0].keys

    def values(self, column: str) -> Mapping[str, Any]:
        table, name = self.place(column)
        return table.by_key(name)

    def media(self, column: str) -> tuple[Mapping[str, str], list[tuple[str, str]]]:
        table, name = self.place(column)
        kind, digests, flags = table.columns[name].kind, dict[str, str](), list[tuple[str, str]]()
        paths = media_paths(table, name, self.study.files, self.study.findings)
        for key, path in zip(table.keys, paths):
            if path is None:
                continue
            inspection = self.inspector.inspect(path, kind)
            if isinstance(inspection, BrokenFile):
                self.tell_broken(table, name, key, inspection)
                continue
            flags += [(key, flag) for flag in inspection.flags]
            with path.open("rb") as file:
                digests[key] = hashlib.file_digest(file, "sha256").hexdigest()
            self.paths.setdefault(digests[key], path)
        return digests, flags

    def cell(self, column: str, key: str, value: Any) -> Cell | None:
        table, name = self.place(column)
        try:
            if table.columns[name].kind == "text":
                return Cell.text(text.clean(value))
            return Cell.numbers(series_of(value, self.study.files))
        except BrokenFile as broken:
            self.tell_broken(table, name, key, broken)
            return None

    def tell_broken(self, table: StudyTable, column: str, key: str, broken: BrokenFile) -> None:
        written = str(table.by_key(column)[key])[:80]
        place = (table.file, table.line_of[key], key, column)
        self.study.findings.add("broken_file", *place, name=written, text=broken.reason)

    def file_of(self, digest: str) -> Path:
        return self.paths[digest]
