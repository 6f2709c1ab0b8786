"""Facts about tables of who said what."""

from typing import Any

import pytest

from apps.datasets.blobs import blob_path
from apps.datasets.models import DataSet

from .conftest import table

pytestmark = pytest.mark.django_db

SAMPLES = table(["id", "truth_label"], *([f"D{i}", "one" if i % 2 else "two"] for i in range(1, 7)))


def rows_of(version: Any) -> list[dict[str, Any]]:
    from pyarrow import parquet

    return parquet.read_table(blob_path(version.table.sha256)).to_pylist()


def test_annotations_become_a_version_of_their_own_kind(bring: Any) -> None:
    bring("table", {"samples.csv": SAMPLES}, kinds={"truth_label": "label"})
    said = table(
        ["sure", "reader", "digit", "id"],
        *([i, who, "one", f"D{i}"] for i in range(1, 4) for who in ("Ana", "Bo")),
    )
    version = bring("annotation", {"said.csv": said}).versions.get()
    assert version.dataset.kind == DataSet.Kind.ANNOTATION
    assert [(c["name"], c["kind"]) for c in version.columns] == [
        ("id", "id"),
        ("annotator", "category"),
        ("label", "label"),
        ("sure", "number"),
    ]
    assert version.statistics["roles"]["annotator"] == "reader"
    assert (version.n_rows, version.statistics["n_samples"]) == (6, 3)
    assert rows_of(version)[0] == {"id": "D1", "annotator": "Ana", "label": "one", "sure": 1.0}


def test_unknown_samples_labels_and_second_annotations_are_listed(bring: Any) -> None:
    bring("table", {"samples.csv": SAMPLES}, kinds={"truth_label": "label"})
    said = table(
        ["id", "who", "label"],
        ["D1", "Ana", "one"],
        ["D1", "Ana", "two"],
        ["D9", "Ana", "two"],
        ["D2", "Bo", "seven"],
        ["D3", "", "one"],
    )
    version = bring("annotation", {"said.csv": said}).versions.get()
    found = {group["code"]: group["examples"][0]["row"] for group in version.report["groups"]}
    assert found == {
        "annotated_twice": 3,
        "missing_annotator": 6,
        "unknown_key": 4,
        "unknown_label": 5,
    }
    assert version.n_rows == 3


def test_the_person_may_say_which_column_is_which(bring: Any) -> None:
    said = table(["a", "b", "c"], ["D1", "one", "Ana"], ["D2", "two", "Bo"])
    version = bring(
        "annotation", {"said.csv": said}, key="a", annotator="c", label="b"
    ).versions.get()
    assert rows_of(version)[1] == {"a": "D2", "annotator": "Bo", "label": "two"}
