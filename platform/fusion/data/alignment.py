"""An alignment: the samples of several data sets joined on the sample key, with label, groups and
split. What the engine trains on.

    aligned = align(Study.load(folder), print)                      # fusion.data.study_columns
    write_alignment(aligned, path); read_alignment(path, media)     # fusion.data.alignment_files
    for name, train, test in folds(aligned): ...                    # fusion.data.splits

Rows keep the order of the label's table. Nothing is removed from an alignment: `left_out()` says
which rows take no part.
"""

import hashlib
import json
import math
import struct
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from fusion.core.column_values import MEDIA_KINDS
from fusion.data.splits import AlignmentError, Fold, folds, inner_folds, inner_split
from fusion.data.study_spec import Split
from fusion.schema.task_names import TaskName

__all__ = [
    "Aligned",
    "AlignmentError",
    "Cell",
    "Flag",
    "Fold",
    "Modality",
    "Split",
    "folds",
    "inner_folds",
    "inner_split",
]

SCHEMA = 1

Content = str | tuple[float, ...] | None


@dataclass(frozen=True, slots=True)
class Cell:
    """The content of a sample in a modality. digest: SHA-256 of the file, the text or the numbers;
    content: text or numbers, None for media.
    """

    digest: str
    content: Content = None

    @classmethod
    def text(cls, text: str) -> "Cell":
        return cls(hashlib.sha256(text.encode()).hexdigest(), text)

    @classmethod
    def numbers(cls, values: Sequence[float | None]) -> "Cell":
        """NaN where a number is missing."""
        numbers = tuple(math.nan if v is None or math.isnan(v) else float(v) for v in values)
        return cls(hashlib.sha256(struct.pack(f"<{len(numbers)}d", *numbers)).hexdigest(), numbers)


@dataclass
class Modality:
    """One input of a model. kind: image, audio, text, table or series; cells: one a sample, None
    where it is missing.

    columns: the dataset.column it comes from; fields: names of the numbers of a table
    ("balance.r1", "site=A"); media: where the file of a digest lies.
    """

    kind: str
    cells: list[Cell | None]
    columns: list[str] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    media: Callable[[str], Path] | None = None

    def content(self, row: int) -> Path | str | tuple[float, ...]:
        """The file, text or numbers of a row that is present."""
        cell = self.cells[row]
        if cell is None:
            raise ValueError(f"row {row} has nothing in this modality")
        if self.kind not in MEDIA_KINDS:
            assert cell.content is not None
            return cell.content
        if self.media is None:
            raise ValueError(
                f"nobody said where the {self.kind} files lie: pass media= when reading the "
                "alignment"
            )
        return self.media(cell.digest)

    def present(self) -> list[bool]:
        return [cell is not None for cell in self.cells]


class Flag(NamedTuple):
    """A readable cell that a person should look at: silent, clipped, blank ..."""

    key: str
    modality: str
    flag: str


@dataclass
class Aligned:
    """keys, labels and every list below have one entry a sample. A label is a text, by `task` a
    number (regression) or a list of texts (multi-label), None where there is none; label_order: all
    that there are, none of a number.

    groups: dataset.column -> values, never on both sides of a split; cluster: the column that is
    the unit of the bootstrap (one of `groups` or `extras`); extras: dataset.column -> values of all
    other columns, for subgroups, slices and rules; fixed: train, validation or test where the split
    is fixed; flags: what was found in the files; knowledge: what the study
    knows beside its tables: rules as study.yaml writes them, broader: concept -> the one above it;
    protocols: what its disciplines ask of a model, as study.yaml writes them; they judge and change
    no content.
    """

    keys: list[str]
    labels: list[Any]
    modalities: dict[str, Modality]
    label_order: list[str] = field(default_factory=list)
    groups: dict[str, list[Any]] = field(default_factory=dict)
    cluster: str | None = None
    split: Split = field(default_factory=lambda: Split())
    extras: dict[str, list[Any]] = field(default_factory=dict)
    fixed: list[str | None] | None = None
    key: str = "key"
    label: str = "label"
    task: TaskName = "classification"
    flags: list[Flag] = field(default_factory=list)
    knowledge: dict[str, Any] = field(default_factory=dict)
    protocols: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.label_order:
            self.label_order = sorted(self.named_labels())
        self.check()

    def __len__(self) -> int:
        return len(self.keys)

    def check(self) -> None:
        """Raise AlignmentError if the parts do not fit together."""
        lengths = {"labels": len(self.labels)} | {
            n: len(m.cells) for n, m in self.modalities.items()
        }
        lengths |= {n: len(v) for n, v in (self.groups | self.extras).items()} | (
            {"split": len(self.fixed)} if self.fixed else {}
        )
        for name, length in lengths.items():
            if length != len(self):
                raise AlignmentError(f"{name} has {length} values for {len(self)} samples")
        if not self.modalities:
            raise AlignmentError("an alignment needs at least one modality")
        if unknown := self.named_labels() - set(self.label_order):
            raise AlignmentError(
                f"label {min(unknown)} is not among the allowed labels "
                f"{', '.join(self.label_order)}"
            )
        if self.cluster and self.cluster not in self.groups | self.extras:
            raise AlignmentError(f"the cluster column {self.cluster} is not part of the alignment")
        if twice := [key for key, n in Counter(self.keys).items() if n > 1]:
            raise AlignmentError(f"the sample key {twice[0]} occurs twice")

    def named_labels(self, rows: Iterable[int] | None = None) -> set[str]:
        """Every label that some sample (of `rows`) bears; none where a label is a number."""
        labels = self.labels if rows is None else [self.labels[row] for row in rows]
        known = [] if self.task == "regression" else [y for y in labels if y is not None]
        return (
            {y for labels_of_sample in known for y in labels_of_sample}
            if self.task == "multi-label"
            else set(known)
        )

    def manifest(self) -> dict[str, Any]:
        """Everything but the rows, as JSON."""
        return self.content() | ({"protocols": self.protocols} if self.protocols else {})

    def content(self) -> dict[str, Any]:
        """The manifest without what leaves the data as they are."""
        return {
            "schema": SCHEMA,
            "task": self.task,
            "key": self.key,
            "label": self.label,
            "labels": self.label_order,
            "modalities": {
                n: {"kind": m.kind, "columns": m.columns, "fields": m.fields}
                for n, m in self.modalities.items()
            },
            "groups": list(self.groups),
            "cluster": self.cluster,
            "split": self.split.short(),
        } | ({"knowledge": self.knowledge} if self.knowledge else {})

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the content of the manifest and every row: the same for the same content,
        wherever it came from.
        """
        whole = hashlib.sha256(canonical(self.content()))
        columns = [m.cells for m in self.modalities.values()]
        others = [*self.groups.values(), *(self.extras[name] for name in sorted(self.extras))]
        for row, key in enumerate(self.keys):
            digests = [cell.digest if (cell := cells[row]) else None for cells in columns]
            fixed = self.fixed[row] if self.fixed else None
            whole.update(
                canonical(
                    [
                        key,
                        plain(self.labels[row]),
                        fixed,
                        *digests,
                        *(plain(v[row]) for v in others),
                    ]
                )
            )
        return whole.hexdigest()

    def column(self, name: str) -> list[Any]:
        """Values of a group or extra column by dataset.column."""
        return self.groups[name] if name in self.groups else self.extras[name]

    def cluster_values(self) -> list[str]:
        """Unit of the bootstrap of each sample; a sample without one, or an alignment without a
        cluster column, is its own unit.
        """
        if self.cluster is None:
            return list(self.keys)
        return [
            f"({key})" if v is None else str(v)
            for key, v in zip(self.keys, self.column(self.cluster))
        ]

    def duplicates(self) -> dict[int, int]:
        """Row -> the earlier row that has the same digest in every modality. A sample with nothing
        in it equals none.
        """
        first: dict[tuple[str | None, ...], int] = {}
        copies = {}
        for row in range(len(self)):
            cells = tuple(
                c.digest if (c := m.cells[row]) else None for m in self.modalities.values()
            )
            if any(cells) and first.setdefault(cells, row) != row:
                copies[row] = first[cells]
        return copies

    def left_out(self) -> dict[str, list[int]]:
        """Rows that take no part in training or test: duplicate, no label, no group (it could stand
        on both sides), no modality.
        """
        twice = self.duplicates()
        reasons: dict[str, list[int]] = {
            "duplicate": [],
            "no label": [],
            "no group": [],
            "no modality": [],
        }
        for row in range(len(self)):
            if row in twice:
                reasons["duplicate"].append(row)
            elif self.labels[row] is None:
                reasons["no label"].append(row)
            elif any(v[row] is None for v in self.groups.values()):
                reasons["no group"].append(row)
            elif all(m.cells[row] is None for m in self.modalities.values()):
                reasons["no modality"].append(row)
        return reasons

    def kept(self) -> list[int]:
        """All rows that are not left out, in order."""
        out = {row for rows in self.left_out().values() for row in rows}
        return [row for row in range(len(self)) if row not in out]


def canonical(value: Any) -> bytes:
    return (
        json.dumps(
            value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
        ).encode()
        + b"\n"
    )


def plain(value: Any) -> Any:
    """Numbers as floats and lists as lists, so that a value read back hashes the same."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    number = float(value)
    return None if math.isnan(number) else number
