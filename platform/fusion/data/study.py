"""A study folder: plain files and one study.yaml beside them. This is its only reader and writer.

    study = Study.load("spoken-digits")      # StudyError names file, line and column
    study.spec.disciplines                   # what study.yaml says
    study.tables()["handwriting"].columns    # name -> TypedColumn(kind, values)
    study.findings                           # rows left out, odd values (data.tables.findings)

Light: pydantic and PyYAML; Parquet tables load pyarrow when one is read.
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from fusion.core.yaml_lines import YamlProblem, read_yaml
from fusion.data.leaks import Leak, find_leaks
from fusion.data.modalities import BrokenFile
from fusion.data.study_spec import Annotations, ColumnSpec, Dataset, StudySpec
from fusion.data.tables.findings import Findings
from fusion.data.tables.media_files import MediaFiles, inside
from fusion.data.tables.reader import RawTable, read_table
from fusion.data.tables.typed import ColumnChoice, TypedTable, fill

FILE = "study.yaml"
MAX_PROBLEMS = 50


@dataclass(frozen=True)
class Problem:
    """One thing in a study that makes it unreadable, and where it stands."""

    file: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        line = f", line {self.line}" if self.line else ""
        return f"{self.file}{line}: {self.message}"


class StudyError(Exception):
    """The study cannot be read; `problems` are all faults of it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = list(problems)


@dataclass
class StudyTable(TypedTable):
    """The table of one data set of a discipline."""

    name: str = ""
    discipline: str = ""


def choices_of(columns: Mapping[str, ColumnSpec]) -> dict[str, ColumnChoice]:
    """Return the columns of study.yaml as the reader of tables takes them."""
    return {
        name: ColumnChoice(
            kind=column.kind,
            unit=column.unit or "",
            description=column.description or "",
            decimal=column.decimal or "",
            join_capitals=column.join_capitals,
        )
        for name, column in columns.items()
    }


class Study:
    """A study folder whose study.yaml has been read and checked; tables are read when they are
    asked for.
    """

    def __init__(
        self,
        folder: Path,
        spec: StudySpec,
        files: MediaFiles | None = None,
        read: Callable[[Path], RawTable] = read_table,
    ) -> None:
        self.folder = folder
        self.spec = spec
        self.files = files or MediaFiles(folder=folder)
        self.read = read
        self.findings = Findings()
        self.read_tables: dict[str, StudyTable] | None = None

    @classmethod
    def load(
        cls,
        folder: str | Path,
        files: MediaFiles | None = None,
        read: Callable[[Path], RawTable] = read_table,
    ) -> "Study":
        """Read study.yaml and see that every table is there; raises StudyError.

        files: where media are looked for, by default the folder; read: what reads a table, for
        tables of strangers `fusion.data.child.read_in_child`.
        """
        folder = Path(folder).resolve()
        if not folder.is_dir():
            raise StudyError([Problem(str(folder), "is no folder")])
        study = cls(folder, read_spec(folder / FILE), files, read)
        problems = [problem for name in study.table_files() if (problem := study.absent(name))]
        if problems:
            raise StudyError(problems)
        return study

    def table_files(self) -> list[str]:
        """Every table that study.yaml names."""
        tables = [dataset.table for _, dataset in self.datasets()]
        return tables + [annotations.table for annotations in self.spec.annotations]

    def datasets(self) -> Iterator[tuple[str, Dataset]]:
        """Every data set with the code of its discipline, in the order of study.yaml."""
        for discipline in self.spec.disciplines:
            for dataset in discipline.datasets:
                yield discipline.code, dataset

    def absent(self, name: str) -> Problem | None:
        try:
            path = self.path(name)
        except BrokenFile as broken:
            return Problem(FILE, f"table {name} {broken.reason}")
        if path.is_file():
            return None
        return Problem(FILE, f"table {name} is not in the folder; put it there or correct its name")

    def path(self, name: str) -> Path:
        """The file of this name inside the folder; raises BrokenFile for a name that leads out of
        it.
        """
        return inside(self.folder, name)

    def tables(self) -> dict[str, StudyTable]:
        """All data sets by name, read once; raises StudyError with everything that makes a table
        unreadable. Single rows and cells that are left out stand in `findings`.
        """
        if self.read_tables is None:
            problems: list[Problem] = []
            tables = {}
            for code, dataset in self.datasets():
                table = StudyTable(dataset.table, self.spec.key, name=dataset.name, discipline=code)
                self.read_dataset(table, dataset, problems)
                tables[dataset.name] = table
            problems += self.unknown_columns(tables) if not problems else []
            if problems:
                raise StudyError(problems[:MAX_PROBLEMS])
            self.read_tables = tables
        return self.read_tables

    def read_dataset(self, table: TypedTable, dataset: Dataset, problems: list[Problem]) -> None:
        """Fill the table; faults are added to the list, so that a person sees all of
        them at once.
        """
        try:
            raw = self.read(self.path(dataset.table))
        except BrokenFile as broken:
            problems.append(Problem(dataset.table, broken.reason))
            return
        if problem := lacking(raw, self.spec.key, dataset.table):
            problems.append(problem)
            return
        for name in dataset.columns:
            if name not in raw.columns:
                self.findings.add("unknown_column", FILE, column=name, text=dataset.table)
        fill(table, raw, choices_of(dataset.columns), self.files.sniff, self.findings)

    def unknown_columns(self, tables: Mapping[str, StudyTable]) -> list[Problem]:
        known = {f"{table.name}.{name}" for table in tables.values() for name in table.columns}
        return [
            Problem(
                FILE,
                f"alignment names {name}, but there is no such column; write dataset.column, for"
                f" instance {min(known, default='-')}",
            )
            for name in (self.spec.alignment.columns() if self.spec.alignment else [])
            if name not in known
        ]

    def annotations(self) -> Iterator[tuple[Annotations, RawTable]]:
        """Tables of who labelled what: rows of key, annotator and label. Raises StudyError."""
        for annotations in self.spec.annotations:
            try:
                raw = self.read(self.path(annotations.table))
            except BrokenFile as broken:
                raise StudyError([Problem(annotations.table, broken.reason)]) from broken
            for name in (self.spec.key, annotations.annotator, annotations.label):
                if problem := lacking(raw, name, annotations.table):
                    raise StudyError([problem])
            yield annotations, raw

    def leaks(self, label: str | None = None) -> list[Leak]:
        """Columns that alone determine the label (default: the one of the alignment)."""
        target = label or (self.spec.alignment.label if self.spec.alignment else None)
        if target is None:
            return []
        tables = self.tables()
        dataset, column = target.split(".", 1)
        truth = tables[dataset].by_key(column)
        keys = list(truth)
        columns: dict[str, tuple[str, Sequence[Any]]] = {}
        for table in tables.values():
            for name, typed in table.columns.items():
                if f"{table.name}.{name}" != target:
                    values = table.by_key(name)
                    columns[f"{table.name}.{name}"] = (typed.kind, [values.get(k) for k in keys])
        return find_leaks(columns, [truth[key] for key in keys])


def lacking(raw: RawTable, column: str, file: str) -> Problem | None:
    if column in raw.columns:
        return None
    return Problem(file, f"has no column {column}; it has {', '.join(list(raw.columns)[:30])}")


def read_spec(path: Path) -> StudySpec:
    """study.yaml checked against its form; raises StudyError with the line of each fault."""
    if not path.is_file():
        raise StudyError([Problem(FILE, f"is not in {path.parent}; a study folder needs one")])
    try:
        content, lines = read_yaml(path.read_bytes())
    except YamlProblem as problem:
        raise StudyError([Problem(FILE, problem.message, problem.line)]) from problem
    try:
        return StudySpec.model_validate(content)
    except ValidationError as error:
        raise StudyError([spec_problem(e, lines) for e in error.errors()[:MAX_PROBLEMS]]) from error


def spec_problem(error: Any, lines: dict[tuple[str | int, ...], int]) -> Problem:
    place = tuple(error["loc"])
    known = next((place[:n] for n in range(len(place), -1, -1) if place[:n] in lines), ())
    words = {
        "missing": "is needed",
        "extra_forbidden": "is not known here; correct its name or remove it",
    }
    message = words.get(error["type"], error["msg"].removeprefix("Value error, "))
    where = ".".join(str(p) for p in place)
    return Problem(FILE, f"{where}: {message}" if where else message, lines.get(known))


def write(folder: Path, spec: StudySpec, tables: dict[str, dict[str, list[Any]]]) -> None:
    """Write study.yaml and a CSV for each data set (data set name -> column -> values, the key
    column among them).

    Media files are the caller's: it puts them where the media columns say.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for dataset in (d for discipline in spec.disciplines for d in discipline.datasets):
        path = inside(folder, dataset.table)
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = tables[dataset.name]
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows([written(v) for v in row] for row in zip(*columns.values()))
    content = spec.model_dump(exclude_none=True, exclude_defaults=True)
    (folder / FILE).write_text(
        yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120), encoding="utf-8"
    )


def written(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return ";".join(str(v) for v in value)
    return int(value) if isinstance(value, float) and value.is_integer() else value
