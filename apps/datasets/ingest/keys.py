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
from fusion.data.columns import ID_NAMES

from .draft import key_text


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
    """The column that names the samples: unique values, then those of the project, then the usual
    names, then the first.
    """
    keys = known.keys()

    def rank(place_name: tuple[int, str]) -> tuple[bool, float, bool, bool, int]:
        place, name = place_name
        values = [key_text(value) for value in columns[name] if not missing(value)]
        share = len(set(values)) / max(1, len(columns[name]))
        overlap = len(keys.intersection(values)) / max(1, len(values)) if keys else 0.0
        return (
            share > 0.9,
            round(overlap, 2),
            name in known.key_names,
            bool(ID_NAMES.search(name.lower())),
            -place,
        )

    return max(enumerate(columns), key=rank)[1]


def matches(keys: list[str], known: Known) -> list[dict[str, Any]]:
    """How many of the new keys each data set of the project has."""
    mine = set(keys)
    return [
        {"dataset": name, "shared": len(mine & theirs), "of": len(mine), "theirs": len(theirs)}
        for name, theirs in known.by_dataset.items()
    ]
