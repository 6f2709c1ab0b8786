"""The frame of a page of samples: one Parquet file, its columns by their full names, the modalities
among them.

A data set's page shows the file of one version; the project's samples, or an alignment's, the
cached join of several (joins.py).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from apps.datasets.browsing.duck import Files, identifier
from apps.datasets.browsing.joins import INPUTS, MAJORITY, joined_file, presence, table_file
from apps.datasets.models import Alignment, DataSet, Version

MEDIA = ("image", "audio")
CHOICES = ("category", "label", "group", "tags")
MAX_MODALITIES = 8


@dataclass(frozen=True)
class FrameColumn:
    """One column of the file. `ref` is its full name, `dataset.column`, the same on every page and
    in every address.
    """

    ref: str
    name: str
    kind: str
    dataset: str
    dataset_name: str
    discipline: str
    sql: str
    unit: str = ""
    description: str = ""
    missing: int = 0
    distinct: int = 0
    rows: int = 0
    """How many rows its data set has."""
    there: str = ""
    """SQL: whether a row has it; in a join a column of its own, since reading a million digests to
    see which are missing is slow.
    """


@dataclass(frozen=True)
class FrameModality:
    name: str
    kind: str
    columns: tuple[FrameColumn, ...]

    @property
    def present(self) -> str:
        """SQL: whether a sample has it."""
        return "(" + " OR ".join(column.there for column in self.columns) + ")"


@dataclass(frozen=True)
class Frame:
    files: Files
    key: str
    """The key column, quoted for SQL."""
    key_name: str
    columns: tuple[FrameColumn, ...]
    modalities: tuple[FrameModality, ...]
    label: FrameColumn | None
    votes: tuple[str, ...] = ()
    """Slugs of the annotation data sets that are joined in, as majority, agreement and number of
    votes.
    """
    flags: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Flag -> keys of the samples that bear it."""
    broken: dict[tuple[str, str], str] = field(default_factory=dict)
    """(key, ref) -> why the file of a cell was set aside."""
    is_joined: bool = False
    digest: str = ""

    def column(self, ref: str) -> FrameColumn | None:
        return next((column for column in self.columns if column.ref == ref), None)

    def of_kind(self, *kinds: str) -> list[FrameColumn]:
        return [column for column in self.columns if column.kind in kinds]


def columns_of(version: Version, joined: bool) -> list[FrameColumn]:
    """The columns of a version without its key; in a join each is stored under its full name."""
    dataset = version.dataset
    columns = []
    for spec in version.columns:
        if spec["name"] == version.key_column:
            continue
        ref = f"{dataset.slug}.{spec['name']}"
        columns.append(_column(spec, ref, version, ref if joined else spec["name"]))
    return columns


def _column(spec: dict[str, Any], ref: str, version: Version, stored: str) -> FrameColumn:
    dataset = version.dataset
    return FrameColumn(
        ref=ref,
        name=spec["name"],
        kind=spec["kind"],
        dataset=dataset.slug,
        dataset_name=dataset.name,
        discipline=dataset.discipline.code,
        sql=identifier(stored),
        unit=spec.get("unit") or "",
        description=spec.get("description") or "",
        missing=spec.get("missing") or 0,
        distinct=spec.get("distinct") or 0,
        rows=version.n_rows,
        there=identifier(presence(ref))
        if stored == ref and spec["kind"] in INPUTS
        else f"{identifier(stored)} IS NOT NULL",
    )


def vote_columns(version: Version) -> list[FrameColumn]:
    """Return the columns that a join holds of an annotation data set: the majority, whether the
    annotators agree, how many there were.
    """
    slug = version.dataset.slug
    distinct = next(
        (spec.get("distinct") or 0 for spec in version.columns if spec["name"] == "label"), 0
    )
    specs = (
        {
            "name": MAJORITY,
            "kind": "label",
            "distinct": distinct,
            "description": _("What most annotators say"),
        },
        {
            "name": "agreement",
            "kind": "category",
            "distinct": 3,
            "description": _("Whether the annotators agree"),
        },
        {"name": "votes", "kind": "votes"},
        {"name": "most", "kind": "votes"},
    )
    return [
        _column(spec, f"{slug}.{spec['name']}", version, f"{slug}.{spec['name']}") for spec in specs
    ]


def frame_of_version(version: Version) -> Frame:
    columns = columns_of(version, joined=False)
    return Frame(
        files=(table_file(version),),
        key=identifier(version.key_column),
        key_name=version.key_column,
        columns=tuple(columns),
        modalities=tuple(modalities_of(columns))
        if version.dataset.kind == DataSet.Kind.DATA
        else (),
        label=next((column for column in columns if column.kind == "label"), None),
        flags=flags_of([version]),
        broken=broken_of([version]),
        digest=version.digest,
    )


def frame_of_versions(versions: Iterable[Version]) -> Frame:
    """All of them joined on the key."""
    chosen = list(versions)
    data = [version for version in chosen if version.dataset.kind == DataSet.Kind.DATA]
    votes = [version for version in chosen if version.dataset.kind == DataSet.Kind.ANNOTATION]
    columns = [column for version in data for column in columns_of(version, joined=True)]
    columns += [column for version in votes for column in vote_columns(version)]
    path, digest = joined_file(data, votes)
    label = next((column for column in columns if column.kind == "label"), None)
    key_name = data[0].key_column if data else "key"
    return Frame(
        files=(path,),
        key=identifier("key"),
        key_name=key_name,
        columns=tuple(columns),
        modalities=tuple(modalities_of(columns)),
        label=label,
        votes=tuple(version.dataset.slug for version in votes),
        flags=flags_of(data),
        broken=broken_of(data),
        is_joined=True,
        digest=digest,
    )


def frame_of_alignment(alignment: Alignment, versions: Iterable[Version]) -> Frame:
    """The samples as this alignment joins them: its versions, its modalities, its label."""
    frame = frame_of_versions(versions)
    chosen = []
    for name, modality in alignment.spec.get("modalities", {}).items():
        columns = [column for ref in modality["columns"] if (column := frame.column(ref))]
        if columns:
            chosen.append(FrameModality(name, modality["kind"], tuple(columns)))
    source = alignment.spec.get("label", {}).get("source", "")
    label = (
        frame.column(source) or frame.column(f"{source.split('.')[0]}.{MAJORITY}") or frame.label
    )
    return Frame(
        **{**frame.__dict__, "modalities": tuple(chosen) or frame.modalities, "label": label}
    )


def modalities_of(columns: list[FrameColumn]) -> list[FrameModality]:
    """Every picture, recording, text and series; and the numbers of a data set that holds nothing
    else and no label.
    """
    single = [column for column in columns if column.kind in INPUTS]
    modalities = [FrameModality(_name(column, single), column.kind, (column,)) for column in single]
    for slug in dict.fromkeys(column.dataset for column in columns):
        own = [column for column in columns if column.dataset == slug]
        numbers = tuple(column for column in own if column.kind == "number")
        if numbers and not any(column.kind in (*INPUTS, "label", "votes") for column in own):
            modalities.append(FrameModality(numbers[0].dataset_name, "table", numbers))
    return modalities[:MAX_MODALITIES]


def _name(column: FrameColumn, single: list[FrameColumn]) -> str:
    """The data set's name, with the column's where it has several."""
    alone = sum(other.dataset == column.dataset for other in single) == 1
    return column.dataset_name if alone else f"{column.dataset_name}, {column.name}"


FLAGS = ("silent", "clipped", "blank", "animated", "location")


def flags_of(versions: list[Version]) -> dict[str, tuple[str, ...]]:
    """Samples that the check marked and kept: silent recordings, blank pictures, duplicates."""
    keys_of: dict[str, set[str]] = {}
    for version in versions:
        if twins := version.statistics.get("duplicates"):
            keys_of.setdefault("duplicate", set()).update(twins)
        for group in version.report.get("groups", []):
            if group["code"] in FLAGS:
                keys_of.setdefault(group["code"], set()).update(
                    example["key"] for example in group["examples"] if "key" in example
                )
    return {flag: tuple(sorted(keys)) for flag, keys in sorted(keys_of.items())}


def broken_of(versions: list[Version]) -> dict[tuple[str, str], str]:
    """(key, dataset.column) -> why the file of this cell could not be read."""
    return {
        (example["key"], f"{version.dataset.slug}.{example['column']}"): example.get("text", "")
        for version in versions
        for group in version.report.get("groups", [])
        if group["code"] == "broken_file"
        for example in group["examples"]
        if "key" in example and "column" in example
    }
