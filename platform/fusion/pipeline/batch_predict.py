"""A bundle on many samples at once: those of a study folder, or of a table with a column for each
modality. Parquet comes out.

The table is CSV or Parquet: `key` names the samples (or else the first column that is no input
does); a column called after a modality holds its texts, series, or paths of files relative to the
table; the numbers of a table modality stand in columns called after its fields. What rules ask for
stands in columns called dataset.column.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fusion.core.arrays import Array
from fusion.core.column_values import MEDIA_KINDS
from fusion.core.files import write_bytes
from fusion.core.progress import Progress
from fusion.data.alignment import Aligned
from fusion.data.modalities import BrokenFile, series
from fusion.data.study import Study
from fusion.data.study_columns import align
from fusion.data.tables.reader import read_table
from fusion.encoders.cache import Cache
from fusion.pipeline.bundle import Bundle, BundleError
from fusion.pipeline.predictions_file import prediction_columns
from fusion.pipeline.raw_inputs import InputError, Reader, columns_in


def predict(
    bundle: Bundle, source: Path, cache: Cache | None, progress: Progress, method: str | None = None
) -> pa.Table:
    """Columns: key, answer, confidence, probabilities (in the order of `labels` in the metadata; of
    a number its spread in place of both), present (modalities that were read).

    What cannot be read is told to `progress` and counts as missing. Raises InputError, StudyError,
    EncoderError or BundleError in words.
    """
    aligned, x, mask = embedded(bundle, source, cache, progress)
    p = bundle.predict_features(
        x, mask, method, columns_in(aligned) | aligned.groups | aligned.extras
    )
    columns = {
        "key": pa.array(aligned.keys, pa.string()),
        **prediction_columns(bundle.learning_task, p),
        "present": pa.array([present(bundle, row) for row in mask], pa.list_(pa.string())),
    }
    return pa.table(columns).replace_schema_metadata(
        {"labels": "\n".join(bundle.labels), "task": bundle.learning_task.name}
    )


def represent(
    bundle: Bundle, source: Path, cache: Cache | None, progress: Progress, method: str | None = None
) -> pa.Table:
    """Columns: key, vector (the fused representation, fusion.features.representation), present."""
    aligned, x, mask = embedded(bundle, source, cache, progress)
    columns = {
        "key": pa.array(aligned.keys, pa.string()),
        "vector": lists(bundle.represent_features(x, mask, method)),
        "present": pa.array([present(bundle, row) for row in mask], pa.list_(pa.string())),
    }
    return pa.table(columns).replace_schema_metadata({"method": method or bundle.recipe.method})


def write(table: pa.Table, path: Path) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    write_bytes(path, sink.getvalue().to_pybytes())


def lists(values: Array) -> pa.Array:
    """(n, d) -> n lists of float32"""
    return pa.array(list(values.astype(np.float32)), pa.list_(pa.float32()))


def present(bundle: Bundle, row: NDArray[np.bool_]) -> list[str]:
    return [name for name, there in zip(bundle.modalities, row) if there]


def embedded(
    bundle: Bundle, source: Path, cache: Cache | None, progress: Progress
) -> tuple[Aligned, dict[str, Array], Array]:
    progress.stages(("read", "embed"))
    progress.stage("read")
    with Reader(bundle.kinds, bundle.fields, progress.log) as reader:
        aligned = (
            of_study(bundle, source, progress) if source.is_dir() else of_table(reader, source)
        )
        progress.stage("embed")
        return aligned, *bundle.embedded(aligned, cache, progress)


def of_study(bundle: Bundle, folder: Path, progress: Progress) -> Aligned:
    """The samples of a study, labelled or not, with those of its modalities that the
    bundle reads.
    """
    aligned = align(Study.load(folder), lambda finding: progress.log(str(finding)))
    known = {
        name: aligned.modalities[name] for name in bundle.modalities if name in aligned.modalities
    }
    if not known:
        raise BundleError(
            f"The study has the modalities {', '.join(aligned.modalities)}; the model reads "
            f"{', '.join(bundle.modalities)}."
        )
    return replace(aligned, modalities=known)


def of_table(reader: Reader, path: Path) -> Aligned:
    try:
        table = read_table(path)
    except BrokenFile as error:
        raise InputError(f"{path} {error.reason}.") from error
    places = {name: columns_of(name, reader, table.columns) for name in reader.kinds}
    places = {name: columns for name, columns in places.items() if columns}
    if not places:
        wanted = [
            field
            for name in reader.kinds
            for field in (reader.fields[name] if reader.kinds[name] == "table" else [name])
        ]
        raise InputError(
            f"{path.name} has the columns {', '.join(table.columns)}; the model reads "
            f"{', '.join(wanted)}."
        )
    used = {column for columns in places.values() for column in columns.values()}
    key = (
        "key"
        if "key" in table.columns
        else next((name for name in table.columns if name not in used), None)
    )
    keys = (
        [str(value) for value in table.columns[key]]
        if key
        else [f"row {line}" for line in table.lines]
    )
    rows = [
        {
            name: input_of(reader, name, columns, table.columns, row, path.parent)
            for name, columns in places.items()
        }
        for row in range(len(table))
    ]
    others = {name: values_of(column) for name, column in table.columns.items() if name not in used}
    return replace(reader.aligned(rows, keys), extras=others)


def values_of(column: Sequence[Any]) -> list[Any]:
    """Numbers where all are numbers, as a CSV cannot tell."""
    present = [value for value in column if value is not None]
    if not all(isinstance(value, str) and series.is_number(value) for value in present):
        return list(column)
    return [None if value is None else float(value) for value in column]


def columns_of(name: str, reader: Reader, columns: Mapping[str, Any]) -> dict[str, str]:
    """Field -> its column in the table; for all but table modalities the modality's own name is the
    field.
    """
    if reader.kinds[name] != "table":
        return {name: name} if name in columns else {}
    fields = {field.split("=", 1)[0] for field in reader.fields.get(name, [])}
    return {
        field: column
        for field in sorted(fields)
        for column in (field, field.split(".", 1)[-1])
        if column in columns
    }


def input_of(
    reader: Reader,
    name: str,
    places: Mapping[str, str],
    columns: Mapping[str, Any],
    row: int,
    folder: Path,
) -> Any:
    kind = reader.kinds[name]
    if kind == "table":
        return {field: columns[column][row] for field, column in places.items()}
    value = columns[places[name]][row]
    if value is None:
        return None
    if (
        kind == "series"
        and isinstance(value, str)
        and not any(c in value for c in " ;[,")
        and not series.is_number(value)
    ):
        return folder / value
    return folder / value if kind in MEDIA_KINDS else value
