"""The join: columns of several data sets, put together on the sample key as an alignment asks. The
same for a study folder and for the data set versions of an installation.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from fusion.core.column_values import MEDIA_KINDS
from fusion.data.alignment import Aligned, AlignmentError, Cell, Flag, Modality
from fusion.data.labels import labels_of
from fusion.data.study_spec import KIND_OF_COLUMN, AlignmentSpec, extra_columns


class ColumnSource(Protocol):
    """Columns by their full name, dataset.column."""

    def kinds(self) -> Mapping[str, str]:
        """Every column but the keys, in order -> its kind."""

    def keys(self, column: str) -> list[str]:
        """The sample keys of the table that has this column, in its order."""

    def values(self, column: str) -> Mapping[str, Any]:
        """Sample key -> value in the kind of the column; moments as ISO 8601 text."""

    def media(self, column: str) -> tuple[Mapping[str, str], list[tuple[str, str]]]:
        """Sample key -> SHA-256 of its file; and (sample key, flag) where a file is silent,
        blank...
        """

    def cell(self, column: str, key: str, value: Any) -> Cell | None:
        """A text or the numbers of a series; None, told, where they cannot be read."""

    def file_of(self, digest: str) -> Path:
        """The path of the file of this SHA-256."""


def join(
    source: ColumnSource,
    spec: AlignmentSpec,
    key: str,
    knowledge: Mapping[str, Any],
    protocols: Sequence[Mapping[str, Any]],
) -> Aligned:
    """Return the samples in the order of the label's table, then those that only an input's table
    has. Raises AlignmentError in words.
    """
    kinds = source.kinds()
    labels = source.values(spec.label)
    keys = list(dict.fromkeys([*source.keys(spec.label), *input_keys(source, spec)]))
    values, task, order = labels_of(
        [labels.get(key) for key in keys], kinds[spec.label], spec.task, spec.order
    )
    flags: list[Flag] = []
    modalities = {
        name: modality_of(source, kinds, name, columns_of(columns), keys, flags)
        for name, columns in spec.modalities.items()
    }
    extras = spec.extras
    if extras is None:
        extras = extra_columns(kinds, spec.label, spec.groups, spec.cluster)
    return Aligned(
        keys=keys,
        labels=values,
        modalities=modalities,
        label_order=order,
        groups={column: aligned(source, column, keys) for column in spec.groups},
        extras={column: aligned(source, column, keys) for column in extras},
        cluster=spec.cluster or cluster_column(source, spec, kinds),
        split=spec.split,
        fixed=aligned(source, spec.split.column, keys) if spec.split.column else None,
        key=key,
        label=spec.label,
        task=task,
        flags=flags,
        knowledge=dict(knowledge),
        protocols=[dict(protocol) for protocol in protocols],
    )


def columns_of(columns: str | list[str]) -> list[str]:
    return [columns] if isinstance(columns, str) else columns


def input_keys(source: ColumnSource, spec: AlignmentSpec) -> Iterable[str]:
    for columns in spec.modalities.values():
        for column in columns_of(columns):
            yield from source.keys(column)


def aligned(source: ColumnSource, column: str, keys: Sequence[str]) -> list[Any]:
    """The values of a column for these samples, None where one has none."""
    values = source.values(column)
    return [values.get(key) for key in keys]


def cluster_column(
    source: ColumnSource, spec: AlignmentSpec, kinds: Mapping[str, str]
) -> str | None:
    """The group column with most values: of the groups of the split, else of all."""
    candidates = [column for column in spec.groups or kinds if kinds[column] == "group"]
    distinct = {column: len(set(source.values(column).values())) for column in candidates}
    return max(distinct, key=lambda column: distinct[column], default=None)


def modality_kind(name: str, columns: Sequence[str], kinds: Mapping[str, str]) -> str:
    """image, audio, text, table or series; raises AlignmentError for columns that cannot be one
    input.
    """
    refused = [kinds[column] for column in columns if kinds[column] not in KIND_OF_COLUMN]
    if refused:
        raise AlignmentError(
            f"modality {name}: a column of kind {refused[0]} cannot be an input; use"
            f" {', '.join(KIND_OF_COLUMN)}"
        )
    media = {KIND_OF_COLUMN[kinds[column]] for column in columns}
    if media != {"table"} and len(columns) > 1:
        raise AlignmentError(
            f"modality {name}: only numbers and categories can be joined to one modality"
        )
    return media.pop()


def modality_of(
    source: ColumnSource,
    kinds: Mapping[str, str],
    name: str,
    columns: list[str],
    keys: Sequence[str],
    flags: list[Flag],
) -> Modality:
    """One input of the model; flags of its files are added to `flags`."""
    kind = modality_kind(name, columns, kinds)
    if kind == "table":
        return table_modality(source, kinds, columns, keys)
    column = columns[0]
    if kind in MEDIA_KINDS:
        digests, marked = source.media(column)
        wanted = set(keys)
        flags += [Flag(key, name, flag) for key, flag in marked if key in wanted]
        cells = [Cell(digests[key]) if key in digests else None for key in keys]
        return Modality(kind, cells, columns, media=source.file_of)
    values = source.values(column)
    cells = [
        None if values.get(key) is None else source.cell(column, key, values[key]) for key in keys
    ]
    return Modality(kind, cells, columns)


def table_modality(
    source: ColumnSource, kinds: Mapping[str, str], columns: list[str], keys: Sequence[str]
) -> Modality:
    """Numbers as they are; a category becomes one number a value (1 where it holds). A row with
    nothing at all is missing.
    """
    fields: list[str] = []
    numbers: list[list[float]] = []
    for column in columns:
        values = aligned(source, column, keys)
        if kinds[column] == "number":
            fields.append(column)
            numbers.append([math.nan if value is None else value for value in values])
            continue
        for choice in sorted({value for value in values if value is not None}):
            fields.append(f"{column}={choice}")
            numbers.append(
                [math.nan if value is None else float(value == choice) for value in values]
            )
    cells = [None if all(map(math.isnan, row)) else Cell.numbers(row) for row in zip(*numbers)]
    return Modality("table", cells, columns, fields)
