"""The columns of data set versions for the engine's join. In a worker alone: it reads whole columns
with pyarrow.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pyarrow import parquet

from apps.datasets.blobs import blob_path, blobs_by_digest
from apps.datasets.models import Alignment, Version
from fusion.core.column_values import to_text
from fusion.data.alignment import Aligned, Cell
from fusion.data.join import join
from fusion.data.modalities import BrokenFile, text
from fusion.data.study_spec import AlignmentSpec

from .spec import is_annotation, sources_of


def align(alignment: Alignment) -> Aligned:
    """The versions of an alignment joined as it asks. Raises AlignmentError in words."""
    spec = alignment.spec
    versions = list(alignment.versions.select_related("dataset", "table").order_by("pk"))
    columns = VersionColumns(versions, spec["label"].get("annotator", ""))
    knowledge, protocols = spec.get("knowledge", {}), spec.get("protocols", [])
    return join(columns, engine_spec(spec), versions[0].key_column, knowledge, protocols)


def engine_spec(spec: Mapping[str, Any]) -> AlignmentSpec:
    """The stored description of an alignment in the form of the engine."""
    label = spec["label"]
    return AlignmentSpec.model_validate(
        {
            "label": label["source"],
            "task": label.get("task", "classification"),
            "order": label.get("order", []),
            "groups": spec["groups"],
            "cluster": spec["cluster"] or None,
            "modalities": {name: item["columns"] for name, item in spec["modalities"].items()},
            "split": spec["split"],
            "extras": spec["extras"],
        }
    )


class VersionColumns:
    """Versions as `fusion.data.join.ColumnSource`. annotator: whose labels an annotation data set
    gives, "" for the majority.
    """

    def __init__(self, versions: Iterable[Version], annotator: str) -> None:
        self.sources = sources_of(versions)
        self.annotator = annotator

    def kinds(self) -> Mapping[str, str]:
        return {column: source.kind for column, source in self.sources.items()}

    def keys(self, column: str) -> list[str]:
        version = self.sources[column].version
        keys = read_columns(version, [version.key_column])[version.key_column]
        return list(dict.fromkeys(keys))

    def values(self, column: str) -> Mapping[str, Any]:
        source = self.sources[column]
        key = source.version.key_column
        if is_annotation(source.version):
            return majority_labels(source.version, source.column, self.annotator)
        table = read_columns(source.version, [key, source.column])
        return {k: plain(value) for k, value in zip(table[key], table[source.column])}

    def media(self, column: str) -> tuple[Mapping[str, str], list[tuple[str, str]]]:
        digests = {key: digest for key, digest in self.values(column).items() if digest is not None}
        blobs = blobs_by_digest(set(digests.values()))
        flags = [
            (key, flag)
            for key, digest in digests.items()
            if digest in blobs
            for flag in blobs[digest].facts.get("flags") or []
        ]
        return digests, flags

    def cell(self, column: str, key: str, value: Any) -> Cell | None:
        if self.sources[column].kind == "series":
            return Cell.numbers(value)
        try:
            return Cell.text(text.clean(value))
        except BrokenFile:
            return None

    def file_of(self, digest: str) -> Path:
        return blob_path(digest)


def read_columns(version: Version, names: Iterable[str]) -> dict[str, list[Any]]:
    table = parquet.read_table(blob_path(version.table.sha256), columns=list(dict.fromkeys(names)))
    return {name: table.column(name).to_pylist() for name in table.column_names}


def plain(value: Any) -> Any:
    """A moment as text, as the engine keeps it."""
    return value.isoformat() if isinstance(value, datetime | date) else value


def majority_labels(version: Version, column: str, annotator: str) -> dict[str, str | None]:
    """Sample -> the label that most annotators give it, or that this one gives it."""
    key = version.key_column
    table = read_columns(version, [key, "annotator", column])
    votes: dict[str, list[str]] = {}
    for sample, person, label in zip(table[key], table["annotator"], table[column]):
        sample_votes = votes.setdefault(sample, [])
        if label is not None and (not annotator or person == annotator):
            sample_votes.append(to_text(label))
    return {sample: majority(labels) for sample, labels in votes.items()}


def majority(votes: list[str]) -> str | None:
    """The label that most say; None where two labels have most votes."""
    counts = sorted(((votes.count(label), label) for label in set(votes)), reverse=True)
    if not counts or (len(counts) > 1 and counts[0][0] == counts[1][0]):
        return None
    return counts[0][1]
