"""The Parquet file of an alignment.

Columns: `key`, `label`, `split` where it is fixed, `m:<modality>` (digest of a file; text; list of
numbers), `c:<dataset.column>` for groups and all other columns. The manifest stands as JSON in the
schema metadata under `consilience.manifest`.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import parquet

from fusion.core.column_values import MEDIA_KINDS
from fusion.data.alignment import SCHEMA, Aligned, Cell, Modality, plain
from fusion.data.splits import AlignmentError
from fusion.data.study_spec import Split
from fusion.schema.task_names import TaskName

MANIFEST = b"consilience.manifest"


def label_type(task: TaskName) -> pyarrow.DataType:
    """The Parquet type of labels: a number, a list of texts, or a text."""
    return {"regression": pyarrow.float64(), "multi-label": pyarrow.list_(pyarrow.string())}.get(
        task, pyarrow.string()
    )


def write_alignment(aligned: Aligned, path: Path) -> dict[str, Any]:
    """Write one Parquet file, beside and renamed; return the manifest that it carries."""
    manifest = aligned.manifest()
    columns: dict[str, pyarrow.Array] = {
        "key": pyarrow.array(aligned.keys, pyarrow.string()),
        "label": pyarrow.array(aligned.labels, label_type(aligned.task)),
    }
    if aligned.fixed is not None:
        columns["split"] = pyarrow.array(aligned.fixed, pyarrow.string())
    for name, modality in aligned.modalities.items():
        columns[f"m:{name}"] = modality_array(modality)
    for name, values in (aligned.groups | aligned.extras).items():
        columns[f"c:{name}"] = value_array(values)
    table = pyarrow.table(columns).replace_schema_metadata(
        {MANIFEST: json.dumps(manifest, ensure_ascii=False).encode()}
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        parquet.write_table(table, beside, compression="zstd")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return manifest


def modality_array(modality: Modality) -> pyarrow.Array:
    if modality.kind in MEDIA_KINDS:
        return pyarrow.array([c.digest if c else None for c in modality.cells], pyarrow.string())
    kind = pyarrow.string() if modality.kind == "text" else pyarrow.list_(pyarrow.float64())
    return pyarrow.array([c.content if c else None for c in modality.cells], kind)


def value_array(values: list[Any]) -> pyarrow.Array:
    """double, string or list<string>: whichever holds every value."""
    present = [v for v in values if v is not None]
    if present and all(isinstance(v, int | float) and not isinstance(v, bool) for v in present):
        return pyarrow.array([plain(v) for v in values], pyarrow.float64())
    if present and all(isinstance(v, list | tuple) for v in present):
        return pyarrow.array(
            [None if v is None else [str(x) for x in v] for v in values],
            pyarrow.list_(pyarrow.string()),
        )
    return pyarrow.array([None if v is None else str(v) for v in values], pyarrow.string())


def manifest_of(table: pyarrow.Table, name: str) -> dict[str, Any]:
    """Return what an alignment's file says of itself; raises AlignmentError for another file."""
    raw = (table.schema.metadata or {}).get(MANIFEST)
    if raw is None:
        raise AlignmentError(f"{name} is a Parquet file, but no alignment: it carries no manifest")
    manifest: dict[str, Any] = json.loads(raw)
    if manifest["schema"] != SCHEMA:
        raise AlignmentError(f"{name} has schema {manifest['schema']}; this version reads {SCHEMA}")
    return manifest


def read_alignment(path: Path, media: Callable[[str], Path] | None = None) -> Aligned:
    """Read the Parquet file that `write_alignment` made; media(digest) says where a file lies.
    Raises AlignmentError.
    """
    try:
        table = parquet.read_table(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise AlignmentError(
            f"{path.name} cannot be read as an alignment ({str(error).splitlines()[0]})"
        ) from error
    manifest = manifest_of(table, path.name)
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    others = {name[2:]: values for name, values in columns.items() if name.startswith("c:")}
    return Aligned(
        keys=columns["key"],
        labels=columns["label"],
        label_order=manifest["labels"],
        modalities={
            name: modality(description, columns[f"m:{name}"], media)
            for name, description in manifest["modalities"].items()
        },
        groups={name: others.pop(name) for name in manifest["groups"]},
        extras=others,
        cluster=manifest["cluster"],
        split=Split.model_validate(manifest["split"]),
        fixed=columns.get("split"),
        key=manifest["key"],
        label=manifest["label"],
        task=manifest["task"],
        knowledge=manifest.get("knowledge", {}),
        protocols=manifest.get("protocols", []),
    )


def modality(
    manifest: dict[str, Any], values: list[Any], media: Callable[[str], Path] | None
) -> Modality:
    kind = manifest["kind"]
    make = Cell if kind in MEDIA_KINDS else Cell.text if kind == "text" else Cell.numbers
    cells = [None if v is None else make(v) for v in values]
    return Modality(
        kind, cells, manifest["columns"], manifest["fields"], media if kind in MEDIA_KINDS else None
    )
