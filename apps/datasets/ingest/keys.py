"""The keys that a project has already: which column of a new table is the key, and what it will
match.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.datasets.blobs import blob_path
from apps.datasets.models import DataSet
from apps.datasets.queries import newest_versions
from apps.projects.models import Project
from fusion.core.column_values import missing
from fusion.data.tables.kinds import ID_NAMES
from fusion.data.tables.typed import key_text

UNIQUE = 0.9
MOSTLY_UNIQUE = 0.5
"""Shares of different values in a column that may be the key."""


@dataclass
class Known:
    """by_dataset: name -> its keys; key_names: names of key columns; labels: "dataset.column" ->
    its values.
    """

    by_dataset: dict[str, set[str]] = field(default_factory=dict)
    key_names: Counter[str] = field(default_factory=Counter)
    labels: dict[str, set[str]] = field(default_factory=dict)

    def keys(self) -> set[str]:
        return set().union(*self.by_dataset.values()) if self.by_dataset else set()


def known_of(project: Project) -> Known:
    from pyarrow import parquet

    known = Known()
    for version in newest_versions(project):
        if version.dataset.kind != DataSet.Kind.DATA:
            continue
        labels = [column["name"] for column in version.columns if column["kind"] == "label"]
        table = parquet.read_table(
            blob_path(version.table.sha256), columns=[version.key_column, *labels]
        )
        known.by_dataset[version.dataset.name] = {
            str(key) for key in table.column(version.key_column).to_pylist()
        }
        known.key_names[version.key_column] += 1
        for name in labels:
            known.labels[f"{version.dataset.slug}.{name}"] = {
                value for value in table.column(name).to_pylist() if value is not None
            }
    return known


def guess_key(columns: Mapping[str, list[Any]], known: Known) -> str:
    """The column that names the samples: with keys of the project, then of the usual name, then of
    unique values, then the first. A few repeated keys are told, and change nothing.
    """
    keys = known.keys()

    def rank(place_name: tuple[int, str]) -> tuple[bool, float, bool, bool, int]:
        place, name = place_name
        values = [key_text(value) for value in columns[name] if not missing(value)]
        share = len(set(values)) / max(1, len(columns[name]))
        overlap = len(keys.intersection(values)) / max(1, len(values)) if keys else 0.0
        named = name in known.key_names or bool(ID_NAMES.search(name.lower()))
        return (
            share > MOSTLY_UNIQUE and (named or share > UNIQUE),
            round(overlap, 2),
            named,
            share > UNIQUE,
            -place,
        )

    return max(enumerate(columns), key=rank)[1]


def matches(keys: list[str], known: Known) -> list[dict[str, Any]]:
    """Per data set of the project, how many of the new keys it has."""
    mine = set(keys)
    return [
        {"dataset": name, "shared": len(mine & theirs), "of": len(mine), "theirs": len(theirs)}
        for name, theirs in known.by_dataset.items()
    ]
