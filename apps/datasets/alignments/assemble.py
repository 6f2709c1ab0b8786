"""From versions to `fusion.data.alignment.Aligned`. In a worker alone: it reads whole columns with
pyarrow.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from pyarrow import parquet

from apps.datasets.blobs import blob_path, blobs_by_digest
from apps.datasets.models import Alignment, Version
from fusion.core.column_values import MEDIA_KINDS, to_text
from fusion.data.alignment import Aligned, Cell, Flag, Modality
from fusion.data.labels import labels_of
from fusion.data.modalities import text
from fusion.data.study_spec import Split

from .spec import Source, is_annotation, sources_of

Values = dict[str, Any]


def assemble(alignment: Alignment) -> Aligned:
    """Rows: keys of the label's table in its order, then those that only an input's table has."""
    spec = alignment.spec
    versions = list(alignment.versions.select_related("dataset", "table").order_by("pk"))
    sources = sources_of(versions)
    inputs = [ref for one in spec["modalities"].values() for ref in one["columns"]]
    asked, source = spec["label"], sources[spec["label"]["source"]]
    labels = label_values(source, asked.get("annotator", ""))
    keys = list(
        dict.fromkeys([*labels, *(key for ref in inputs for key in keys_of(sources[ref].version))])
    )
    values = [labels.get(key) for key in keys]
    named, task, order = labels_of(
        values, source.kind, asked.get("task", "classification"), asked.get("order", ())
    )
    modalities = {name: modality(one, sources, keys) for name, one in spec["modalities"].items()}
    fixed = spec["split"].get("column")
    return Aligned(
        keys=keys,
        labels=named,
        modalities=modalities,
        label_order=order,
        groups={ref: aligned_values(sources[ref], keys) for ref in spec["groups"]},
        extras={ref: aligned_values(sources[ref], keys) for ref in spec["extras"]},
        cluster=spec["cluster"] or None,
        split=Split.model_validate(spec["split"]),
        fixed=aligned_values(sources[fixed], keys) if fixed else None,
        key=versions[0].key_column,
        label=asked["source"],
        task=task,
        flags=list(flags(modalities, keys)),
        knowledge=spec.get("knowledge", {}),
        protocols=spec.get("protocols", []),
    )


def read_columns(version: Version, names: Iterable[str]) -> dict[str, list[Any]]:
    table = parquet.read_table(blob_path(version.table.sha256), columns=list(dict.fromkeys(names)))
    return {name: table.column(name).to_pylist() for name in table.column_names}


def keys_of(version: Version) -> list[str]:
    return read_columns(version, [version.key_column])[version.key_column]


def values_by_key(source: Source) -> Values:
    found = read_columns(source.version, [source.version.key_column, source.column])
    return {
        key: plain(value)
        for key, value in zip(found[source.version.key_column], found[source.column])
    }


def plain(value: Any) -> Any:
    """A moment as text, as the engine keeps it."""
    return value.isoformat() if isinstance(value, datetime | date) else value


def aligned_values(source: Source, keys: list[str]) -> list[Any]:
    values = values_by_key(source)
    return [values.get(key) for key in keys]


def label_values(source: Source, annotator: str) -> Values:
    if not is_annotation(source.version):
        return values_by_key(source)
    key = source.version.key_column
    found = read_columns(source.version, [key, "annotator", source.column])
    said: dict[str, list[str]] = {}
    for sample, who, label in zip(found[key], found["annotator"], found[source.column]):
        votes = said.setdefault(sample, [])
        if label is not None and (not annotator or who == annotator):
            votes.append(to_text(label))
    return {sample: majority(votes) for sample, votes in said.items()}


def majority(votes: list[str]) -> str | None:
    """What most say; None where two labels have most votes."""
    counts = sorted(((votes.count(label), label) for label in set(votes)), reverse=True)
    if not counts or (len(counts) > 1 and counts[0][0] == counts[1][0]):
        return None
    return counts[0][1]


def modality(one: dict[str, Any], sources: dict[str, Source], keys: list[str]) -> Modality:
    kind, columns = one["kind"], one["columns"]
    if kind == "table":
        return table_modality([sources[ref] for ref in columns], keys)
    values = aligned_values(sources[columns[0]], keys)
    make = {"text": lambda value: Cell.text(text.clean(value)), "series": Cell.numbers}.get(
        kind, Cell
    )
    cells = [None if value is None else make(value) for value in values]
    return Modality(kind, cells, list(columns), media=blob_path if kind in MEDIA_KINDS else None)


def table_modality(sources: list[Source], keys: list[str]) -> Modality:
    """Numbers as they are; a category becomes one number a value. A row with nothing at all is
    missing.
    """
    fields: list[str] = []
    parts: list[list[float | None]] = []
    for source in sources:
        values = aligned_values(source, keys)
        if source.kind == "number":
            fields.append(source.ref)
            parts.append(values)
            continue
        for choice in sorted({value for value in values if value is not None}):
            fields.append(f"{source.ref}={choice}")
            parts.append([None if value is None else float(value == choice) for value in values])
    rows = zip(*parts)
    cells = [None if all(value is None for value in row) else Cell.numbers(row) for row in rows]
    return Modality("table", cells, [source.ref for source in sources], fields)


def flags(modalities: dict[str, Modality], keys: list[str]) -> Iterable[Flag]:
    """What the inspection of each file marked: silent, clipped, blank."""
    for name, one in modalities.items():
        if one.kind not in MEDIA_KINDS:
            continue
        blobs = blobs_by_digest({cell.digest for cell in one.cells if cell})
        for key, cell in zip(keys, one.cells):
            if cell and cell.digest in blobs:
                yield from (
                    Flag(key, name, flag) for flag in blobs[cell.digest].facts.get("flags") or []
                )
