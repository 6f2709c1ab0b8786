"""Raw inputs, as a person has them, to what a trained model reads.

    {"image": "scan.png", "clue": "a pair"}                 one sample; None or left out: missing
    {"image": ["a.png", None], "clue": ["one", "two"]}      several, a list for each modality
    [{"image": "a.png", "clue": "one"}, {"clue": "two"}]    the same, a mapping for each sample

image, audio: a path, the bytes of a file, or a Pillow image. text: a string, or the path
(pathlib.Path) of a text file. table: numbers in the order of the model's fields, or {field: value}.
series: a list of numbers, or the path of a file that holds them.
"""

import hashlib
import io
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

import numpy as np

from fusion.core.column_values import MEDIA_KINDS
from fusion.data.alignment import Aligned, Cell, Modality
from fusion.data.modalities import BrokenFile, inspect, series, text

Fields = Mapping[str, Sequence[str]]


class InputError(ValueError):
    """An input that cannot be read; the message names the modality, the sample and what to do."""


class Reader:
    """Makes an alignment of raw inputs; what comes as bytes lies in a temporary folder until the
    end of the `with` block.

    kinds: modality -> its kind; fields: modality -> names of the numbers of a table, in order.
    broken: told of an input that cannot be read, which then counts as missing; without it, such an
    input is an InputError.
    """

    def __init__(
        self, kinds: Mapping[str, str], fields: Fields, broken: Callable[[str], None] | None = None
    ) -> None:
        self.kinds, self.fields, self.broken = kinds, fields, broken
        self.files: dict[str, Path] = {}
        self.opened = ExitStack()

    def __enter__(self) -> "Reader":
        self.folder = Path(self.opened.enter_context(TemporaryDirectory(prefix="fusion-")))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.opened.close()

    def aligned(
        self, rows: Sequence[Mapping[str, Any]], keys: Sequence[str] | None = None
    ) -> Aligned:
        """One row a sample, none of them labelled. Modalities that no row has are left out. Raises
        InputError.
        """
        present = {name for row in rows for name, value in row.items() if value is not None}
        if unknown := sorted({name for row in rows for name in row} - set(self.kinds)):
            raise InputError(
                f"The model knows no modality {unknown[0]}; it reads {', '.join(self.kinds)}."
            )
        if not present:
            raise InputError(
                f"Nothing to predict from: give at least one of {', '.join(self.kinds)}."
            )
        names = list(keys or (f"sample {place}" for place in range(1, len(rows) + 1)))
        modalities = {
            name: Modality(
                kind,
                [self.cell(name, row.get(name), key) for row, key in zip(rows, names, strict=True)],
                **{"fields" if kind == "table" else "columns": list(self.fields.get(name, []))},
                media=self.files.__getitem__ if kind in MEDIA_KINDS else None,
            )
            for name, kind in self.kinds.items()
            if name in present
        }
        return Aligned(names, [None] * len(names), modalities)

    def cell(self, name: str, value: Any, key: str) -> Cell | None:
        if value is None:
            return None
        kind = self.kinds[name]
        try:
            if kind in MEDIA_KINDS:
                return self.medium(kind, value)
            return {"text": text_cell, "table": self.table_cell, "series": series_cell}[kind](
                name, value
            )
        except BrokenFile as error:
            shown = (
                f" ({value})"
                if isinstance(value, Path) or (kind in MEDIA_KINDS and isinstance(value, str))
                else ""
            )
            problem = f"{name} of {key}{shown} {error.reason}."
        if self.broken is None:
            raise InputError(problem)
        self.broken(problem)
        return None

    def medium(self, kind: str, value: Any) -> Cell:
        path = value if isinstance(value, Path) else Path(value) if isinstance(value, str) else None
        data = path.read_bytes() if path and path.is_file() else b"" if path else bytes_of(value)
        digest = hashlib.sha256(data).hexdigest()
        if digest not in self.files:
            if path is None:
                path = self.folder / digest
                path.write_bytes(data)
            inspect(path, kind)
            self.files[digest] = path
        return Cell(digest)

    def table_cell(self, name: str, value: Any) -> Cell | None:
        fields = self.fields.get(name, [])
        values = (
            numbers_of(value, fields)
            if isinstance(value, Mapping)
            else [series.number(part) for part in listed(value)]
        )
        if fields and len(values) != len(fields):
            raise BrokenFile(
                f"has {len(values)} numbers; the model reads {len(fields)}: {', '.join(fields)}"
            )
        return None if all(map(math.isnan, values)) else Cell.numbers(values)


def in_fields(modality: Modality, fields: Sequence[str] | None) -> Modality:
    """The numbers of a table in the order of training: one that is lacking is missing, a choice
    that nobody made is not it.
    """
    if modality.kind != "table" or not fields or modality.fields == list(fields):
        return modality
    at = {field: place for place, field in enumerate(modality.fields)}
    columns = {field.split("=", 1)[0]: field for field in modality.fields}

    def value(content: Sequence[float], field: str) -> float:
        if field in at:
            return content[at[field]]
        other = columns.get(field.split("=", 1)[0]) if "=" in field else None
        return math.nan if other is None or math.isnan(content[at[other]]) else 0.0

    def in_order(cell: Cell | None) -> Cell | None:
        content: Any = cell and cell.content
        return cell and Cell.numbers([value(content, field) for field in fields])

    return replace(modality, cells=list(map(in_order, modality.cells)), fields=list(fields))


def columns_in(aligned: Aligned) -> dict[str, list[Any]]:
    """dataset.column -> values of the texts and numbers among the modalities, for the conditions of
    rules.
    """
    columns: dict[str, list[Any]] = {}
    for modality in aligned.modalities.values():
        contents = [None if cell is None else cell.content for cell in modality.cells]
        if modality.kind == "text":
            columns |= dict.fromkeys(modality.columns, contents)
        if modality.kind == "table":
            numbers = {
                field: place for place, field in enumerate(modality.fields) if "=" not in field
            }
            columns |= {
                field: [None if row is None else row[place] for row in contents]
                for field, place in numbers.items()
            }  # type: ignore[misc]
    return columns


def rows_of(inputs: Any, kinds: Mapping[str, str]) -> list[dict[str, Any]]:
    """One mapping a sample, from any of the three forms above. Raises InputError where lists differ
    in length.
    """
    if not isinstance(inputs, Mapping):
        rows = (
            list(inputs)
            if isinstance(inputs, Sequence) and not isinstance(inputs, str | bytes)
            else [inputs]
        )
        if wrong := next((row for row in rows if not isinstance(row, Mapping)), None):
            raise InputError(
                f"An input is a mapping of modality to content, not {type(wrong).__name__}."
            )
        return [dict(row) for row in rows]
    lists = {name: value for name, value in inputs.items() if several(kinds.get(name, ""), value)}
    if not lists:
        return [dict(inputs)]
    if single := [
        name for name, value in inputs.items() if name not in lists and value is not None
    ]:
        raise InputError(
            f"{next(iter(lists))} holds a list of samples, but {single[0]} a single one; give a "
            "list for each modality."
        )
    lengths = {name: len(value) for name, value in lists.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(
            "The lists differ in length: "
            f"{', '.join(f'{name} {n}' for name, n in lengths.items())}."
        )
    return [dict(zip(lists, values)) for values in zip(*lists.values())]


def several(kind: str, value: Any) -> bool:
    """Return whether this is a list of samples and not the numbers of one."""
    if isinstance(value, np.ndarray):
        return value.ndim > (1 if kind in ("table", "series") else 0)
    if not isinstance(value, list | tuple):
        return False
    return kind not in ("table", "series") or any(
        not isinstance(part, int | float | np.number) and part is not None for part in value
    )


def bytes_of(value: Any) -> bytes:
    """The bytes of a file in memory, or of a Pillow image, which is kept without loss."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if not hasattr(value, "save") or not hasattr(value, "mode"):
        raise BrokenFile(
            f"is a {type(value).__name__}; give a path, the bytes of a file, or a Pillow image"
        )
    out = io.BytesIO()
    plain = (
        value
        if value.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "F", "I")
        else value.convert("RGB")
    )
    plain.save(out, "TIFF" if plain.mode in ("F", "I") else "PNG")
    return out.getvalue()


def text_cell(name: str, value: Any) -> Cell:
    if isinstance(value, Path):
        return Cell.text(text.decode(value))
    if not isinstance(value, str):
        raise BrokenFile(f"is a {type(value).__name__}; give a string")
    return Cell.text(text.clean(value))


def series_cell(name: str, value: Any) -> Cell:
    return Cell.numbers(
        series.decode(value)
        if isinstance(value, Path)
        else series.parse(value if isinstance(value, str) else listed(value))
    )


def listed(value: Any) -> list[Any]:
    try:
        return list(value)
    except TypeError as error:
        raise BrokenFile(f"is a {type(value).__name__}; give a list of numbers") from error


def numbers_of(value: Mapping[str, Any], fields: Sequence[str]) -> list[float]:
    """A number for each field "dataset.column" or "dataset.column=choice"; the data set's name may
    be left out.

    A column that is not given is missing (NaN), a choice that training did not know is none of
    those that it knew.
    """
    columns = {field: field.split("=", 1)[0] for field in fields}
    short = Counter(column.split(".", 1)[-1] for column in set(columns.values()))
    names = {
        column: [column, *([last] if short[last := column.split(".", 1)[-1]] == 1 else [])]
        for column in columns.values()
    }
    known = {column: name for column, either in names.items() for name in either if name in value}
    if unknown := sorted(set(value) - set(known.values())):
        raise BrokenFile(
            f"has {unknown[0]}, which the model does not read; its columns are "
            f"{', '.join(dict.fromkeys(columns.values()))}"
        )
    numbers = []
    for field, column in columns.items():
        cell = value.get(known.get(column, ""))
        if cell is None:
            numbers.append(math.nan)
        else:
            numbers.append(
                float(str(cell) == field.split("=", 1)[1]) if "=" in field else series.number(cell)
            )
    return numbers
