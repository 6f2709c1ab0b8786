"""A study folder: plain files and one study.yaml beside them. This is its only reader and writer.

    study = Study.load("spoken-digits")      # StudyError names file, line and column
    study.spec.disciplines                   # what study.yaml says
    study.tables()["handwriting"].columns    # name -> Column(kind, values)

Light: pydantic and PyYAML; Parquet tables load pyarrow when one is read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import yaml
from pydantic import ValidationError

from fusion.core.column_values import MEDIA_KINDS, BadCell, value_of
from fusion.core.yaml_lines import YamlProblem, read_yaml
from fusion.data.columns import Leak, find_leaks, guess_kind
from fusion.data.modalities import HEAD_BYTES, BrokenFile, sniff
from fusion.data.modalities.table import Table, read
from fusion.data.study_spec import Annotations, Dataset, StudySpec

FILE = "study.yaml"
MAX_PROBLEMS = 50


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, where it stands and what follows from it."""

    file: str
    message: str
    line: int | None = None
    key: str | None = None
    column: str | None = None

    def __str__(self) -> str:
        line = f", line {self.line}" if self.line else ""
        key = f" ({self.key})" if self.key else ""
        column = f", column {self.column}" if self.column else ""
        return f"{self.file}{line}{key}{column}: {self.message}"


class StudyError(Exception):
    """The study cannot be read; `problems` says everything that was found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(p) for p in problems))
        self.problems = list(problems)


@dataclass
class Column:
    """values: one a row in the column's kind, None where missing; `guessed` if study.yaml does not
    name it.
    """

    kind: str
    values: list[Any]
    guessed: bool = False
    unit: str | None = None
    description: str | None = None


@dataclass
class StudyTable:
    """One data set: keys[i] and lines[i] belong to row i of every column."""

    name: str
    discipline: str
    file: str
    keys: list[str]
    lines: list[int]
    columns: dict[str, Column] = field(default_factory=dict)

    def by_key(self, column: str) -> dict[str, Any]:
        return dict(zip(self.keys, self.columns[column].values))


class Study:
    """A study folder whose study.yaml has been read and checked; tables are read when they are
    asked for.
    """

    def __init__(self, folder: Path, spec: StudySpec) -> None:
        self.folder = folder
        self.spec = spec
        self.read_tables: dict[str, StudyTable] | None = None

    @classmethod
    def load(cls, folder: str | Path) -> "Study":
        """Read study.yaml and see that every table is there; raises StudyError."""
        folder = Path(folder).resolve()
        if not folder.is_dir():
            raise StudyError([Problem(str(folder), "is no folder")])
        study = cls(folder, read_spec(folder / FILE))
        problems = [p for name in study.files() if (p := study.absent(name))]
        if problems:
            raise StudyError(problems)
        return study

    def files(self) -> list[str]:
        """Every table that study.yaml names."""
        tables = [
            dataset.table for discipline in self.spec.disciplines for dataset in discipline.datasets
        ]
        return tables + [a.table for a in self.spec.annotations]

    def absent(self, name: str) -> Problem | None:
        try:
            path = self.path(name)
        except BrokenFile as broken:
            return Problem(FILE, f"table {name} {broken.reason}")
        return (
            None
            if path.is_file()
            else Problem(
                FILE, f"table {name} is not in the folder; put it there or correct its name"
            )
        )

    def path(self, name: str) -> Path:
        """The file of this name inside the folder; raises BrokenFile for a name that leads out of
        it.
        """
        return inside(self.folder, name)

    def sniff(self, name: str) -> str | None:
        """The medium of a file by its content; None if there is no such file."""
        try:
            with self.path(name).open("rb") as file:
                return sniff(file.read(HEAD_BYTES))
        except (BrokenFile, OSError):
            return None

    def tables(self) -> dict[str, StudyTable]:
        """All data sets by name, read once; raises StudyError with everything that is wrong in
        them.
        """
        if self.read_tables is None:
            problems: list[Problem] = []
            self.read_tables = {
                dataset.name: self.read_table(discipline.code, dataset, problems)
                for discipline in self.spec.disciplines
                for dataset in discipline.datasets
            }
            problems += self.unknown_columns() if not problems else []
            if problems:
                self.read_tables = None
                raise StudyError(problems[:MAX_PROBLEMS])
        return self.read_tables

    def read_table(self, discipline: str, dataset: Dataset, problems: list[Problem]) -> StudyTable:
        """Problems are added to the list, so that a person sees all of them at once."""
        found = StudyTable(dataset.name, discipline, dataset.table, [], [])
        try:
            raw = read(self.path(dataset.table))
        except BrokenFile as broken:
            problems.append(Problem(dataset.table, broken.reason))
            return found
        if self.spec.key not in raw.columns:
            problems.append(
                Problem(
                    dataset.table,
                    f"has no column {self.spec.key}, the key of this study; it has {', '.join(raw.columns)}",
                )
            )
            return found
        problems += [
            Problem(
                FILE,
                f"data set {dataset.name} names column {c}, which {dataset.table} does not have",
            )
            for c in dataset.columns
            if c not in raw.columns
        ]
        found.keys = ["" if v is None else str(v).strip() for v in raw.columns[self.spec.key]]
        found.lines = raw.lines
        problems += key_problems(found)
        for name, values in raw.columns.items():
            if name != self.spec.key:
                found.columns[name] = self.column(found, dataset, name, values, problems)
        return found

    def column(
        self,
        table: StudyTable,
        dataset: Dataset,
        name: str,
        values: list[Any],
        problems: list[Problem],
    ) -> Column:
        spec = dataset.columns.get(name)
        kind = spec.kind if spec else guess_kind(values, name, self.sniff)
        column = Column(
            kind, [], spec is None, spec.unit if spec else None, spec.description if spec else None
        )
        for place, raw in enumerate(values):
            try:
                column.values.append(value_of(raw, kind))
            except BadCell as bad:
                column.values.append(None)
                problems.append(
                    Problem(table.file, str(bad), table.lines[place], table.keys[place], name)
                )
        return column

    def unknown_columns(self) -> list[Problem]:
        assert self.read_tables is not None
        known = {f"{t.name}.{c}" for t in self.read_tables.values() for c in t.columns}
        return [
            Problem(
                FILE,
                f"alignment names {name}, but there is no such column; write dataset.column, for instance {min(known, default='-')}",
            )
            for name in (self.spec.alignment.columns() if self.spec.alignment else [])
            if name not in known
        ]

    def annotations(self) -> Iterator[tuple[Annotations, Table]]:
        """Tables of who said what: rows of key, annotator and label. Raises StudyError."""
        for one in self.spec.annotations:
            try:
                table = read(self.path(one.table))
            except BrokenFile as broken:
                raise StudyError([Problem(one.table, broken.reason)]) from broken
            for name in (self.spec.key, one.annotator, one.label):
                if name not in table.columns:
                    raise StudyError(
                        [
                            Problem(
                                one.table,
                                f"has no column {name}; it has {', '.join(table.columns)}",
                            )
                        ]
                    )
            yield one, table

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
            for name, found in table.columns.items():
                if f"{table.name}.{name}" != target:
                    values = table.by_key(name)
                    columns[f"{table.name}.{name}"] = (found.kind, [values.get(k) for k in keys])
        return find_leaks(columns, [truth[k] for k in keys])


def inside(folder: Path, name: str) -> Path:
    """`folder / name`; raises BrokenFile if the name is absolute, climbs out, or goes through a
    link that does.
    """
    pure = PurePosixPath(name)
    if "\0" in name or "\\" in name or pure.is_absolute() or ".." in pure.parts or not pure.parts:
        raise BrokenFile("is no path inside the study folder")
    path = folder / pure
    if not path.resolve().is_relative_to(folder.resolve()):
        raise BrokenFile("leads out of the study folder")
    return path


def key_problems(table: StudyTable) -> list[Problem]:
    problems, first = [], dict[str, int]()
    for key, line in zip(table.keys, table.lines):
        if not key:
            problems.append(Problem(table.file, "the sample key is empty", line))
        elif key in first:
            problems.append(
                Problem(
                    table.file,
                    f"the key stands already in line {first[key]}; a sample has one row in a table",
                    line,
                    key,
                )
            )
        first.setdefault(key, line)
    return problems


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
    import csv

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


__all__ = [
    "MEDIA_KINDS",
    "Column",
    "Problem",
    "Study",
    "StudyError",
    "StudySpec",
    "StudyTable",
    "guess_kind",
    "inside",
    "write",
]
