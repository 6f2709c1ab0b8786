"""Facts about reading what people bring: good files go in, bad ones are listed, hostile ones
refused.
"""

import io
import json
import stat
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from django.core.files.storage import default_storage
from pyarrow import parquet

from apps.datasets.blobs import blob_path, quarantine_name
from apps.datasets.ingest import jobs as ingest
from apps.datasets.ingest.media import Inspections
from apps.datasets.ingest.unpack import Refused, Unpacked, decoded, unpack
from apps.datasets.models import Blob, BlobUse, Upload, Version
from apps.datasets.uploads import services
from apps.datasets.uploads.upload_folder import workspace_of
from apps.jobs.leases import Fenced, claim
from apps.jobs.models import Job
from apps.jobs.work import Work
from fusion.data.child import read_in_child
from fusion.data.modalities import BrokenFile

from .conftest import packed, picture, table  # isort: skip

pytestmark = pytest.mark.django_db


def groups(report: dict[str, Any]) -> dict[str, int]:
    return {group["code"]: group["count"] for group in report["groups"]}


def test_a_broken_png_is_quarantined_and_the_rest_imported(
    bring: Any, small: dict[str, bytes], team: Any
) -> None:
    upload = bring("table", small)
    version = upload.versions.get()
    assert upload.state == Upload.State.DONE
    assert (version.n_rows, version.key_column) == (6, "id")
    found = next(group for group in version.report["groups"] if group["code"] == "broken_file")
    example = found["examples"][0]
    assert found["count"] == 1
    assert (example["file"], example["row"], example["key"], example["column"]) == (
        "images/D3.png",
        4,
        "D3",
        "face",
    )
    assert "ends in the middle" in example["text"]
    rows = {
        row["id"]: row for row in parquet.read_table(blob_path(version.table.sha256)).to_pylist()
    }
    assert rows["D3"]["face"] is None
    assert blob_path(rows["D1"]["face"]).read_bytes() == picture(1)
    assert default_storage.exists(quarantine_name(example["sha256"]))


def test_silent_recordings_and_copies_are_flagged_and_stay(
    bring: Any, small: dict[str, bytes]
) -> None:
    version = bring("table", small).versions.get()
    assert groups(version.report) == {"broken_file": 1, "silent": 1, "duplicate": 1}
    assert version.statistics["duplicates"] == {"D6": "D1"}
    assert [blob.facts["flags"] for blob in Blob.objects.filter(kind="audio")].count(
        ["silent"]
    ) == 1


def test_columns_are_described_with_the_key_first(bring: Any, small: dict[str, bytes]) -> None:
    columns = bring("table", small).versions.get().columns
    assert [(c["name"], c["kind"]) for c in columns] == [
        ("id", "id"),
        ("face", "image"),
        ("voice", "audio"),
        ("age", "number"),
        ("colour", "category"),
    ]
    assert (columns[3]["min"], columns[3]["max"], columns[3]["missing"]) == (41.0, 45.0, 0)
    assert columns[4]["top"] == [["red", 4], ["blue", 2]]
    assert columns[1]["broken"] == 1


def test_pictures_and_waveforms_are_kept_beside_the_bytes(
    bring: Any, small: dict[str, bytes]
) -> None:
    bring("table", small)
    image, sound = (
        Blob.objects.filter(kind="image").first(),
        Blob.objects.filter(kind="audio").first(),
    )
    assert image.facts["copies"] == ["thumb"]
    assert (image.facts["width"], image.facts["height"]) == (20, 20)
    assert len(sound.facts["waveform"]) == 60
    assert sound.facts["rate"] == 8000


def test_a_large_picture_has_two_copies(bring: Any) -> None:
    files = {
        "t.csv": table(["id", "file"], ["a", "a.png"], ["b", "b.png"]),
        "a.png": picture(1, 1500),
        "b.png": picture(2, 300),
    }
    bring("table", files)
    by_width = {
        blob.facts["width"]: blob.facts["copies"] for blob in Blob.objects.filter(kind="image")
    }
    assert by_width == {1500: ["thumb", "view"], 300: ["thumb", "view"]}


def test_keys_that_repeat_or_are_missing_are_left_out_with_their_lines(bring: Any) -> None:
    upload = bring(
        "table",
        {
            "t.csv": table(
                ["id", "x"], ["a", 1], ["", 2], ["a", 3], *([f"k{i}", i] for i in range(30))
            )
        },
    )
    version = upload.versions.get()
    assert version.n_rows == 31
    examples = {group["code"]: group["examples"][0] for group in version.report["groups"]}
    assert examples["missing_key"]["row"] == 3
    assert (examples["duplicate_key"]["row"], examples["duplicate_key"]["text"]) == (4, "2")


def test_ragged_rows_are_named_by_line(bring: Any) -> None:
    content = table(["id", "x"], *([f"k{i}", i] for i in range(5))) + b"k9,1,2\r\nk10,7\r\n"
    version = bring("table", {"t.csv": content}).versions.get()
    group = next(group for group in version.report["groups"] if group["code"] == "ragged")
    assert (group["count"], group["examples"][0]["row"]) == (1, 7)
    assert version.n_rows == 6


def test_a_value_that_is_no_number_stays_empty_and_is_listed(bring: Any) -> None:
    files = {"t.csv": table(["id", "x"], ["a", 1], ["b", "much"], ["c", 3])}
    version = bring("table", files, kinds={"x": "number"}).versions.get()
    assert groups(version.report) == {"bad_value": 1}
    assert parquet.read_table(blob_path(version.table.sha256)).column("x").to_pylist() == [
        1.0,
        None,
        3.0,
    ]


def test_every_kind_of_column_has_its_type(bring: Any) -> None:
    header = ["id", "when", "tags", "curve"]
    rows = [["a", "2026-01-02T03:04", "x;y", "[1, 2, 3]"], ["b", "2026-01-03", "y", "[4, 5]"]]
    kinds = {"when": "time", "tags": "tags", "curve": "series"}
    version = bring("table", {"t.csv": table(header, *rows)}, kinds=kinds).versions.get()
    found = parquet.read_table(blob_path(version.table.sha256))
    assert found.schema.field("when").type == pa.timestamp("us")
    assert found.column("tags").to_pylist() == [["x", "y"], ["y"]]
    assert found.column("curve").to_pylist() == [[1.0, 2.0, 3.0], [4.0, 5.0]]


def test_the_same_table_twice_has_the_same_digest(bring: Any) -> None:
    files = {"t.csv": table(["id", "x"], ["a", 1], ["b", 2])}
    first, second = bring("table", files).versions.get(), bring("table", files).versions.get()
    assert first.digest == second.digest
    assert first.dataset != second.dataset
    assert Blob.objects.filter(kind="table").count() == 1


def test_a_failed_check_says_what_to_do(bring: Any) -> None:
    upload = bring(
        "table", {"a.csv": table(["id"], ["a"]), "b.csv": table(["id"], ["a"])}, imports=False
    )
    assert upload.state == Upload.State.FAILED
    assert "study folder" in upload.check_job.error


def test_a_missing_file_is_listed_and_its_cell_empty(bring: Any) -> None:
    files = {
        "t.csv": table(["id", "file"], ["a", "a.png"], ["b", "b.png"], ["c", "c.png"]),
        "a.png": picture(1),
        "b.png": picture(2),
    }
    version = bring("table", files).versions.get()
    assert groups(version.report) == {"missing_file": 1}
    assert version.columns[1]["missing"] == 1


def test_a_parquet_table_is_read(bring: Any) -> None:
    out = io.BytesIO()
    parquet.write_table(pa.table({"id": ["a", "b"], "x": [1, 2], "tags": [["p"], ["q", "r"]]}), out)
    version = bring("table", {"t.parquet": out.getvalue()}).versions.get()
    assert [(c["name"], c["kind"]) for c in version.columns][1:] == [
        ("x", "number"),
        ("tags", "tags"),
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"a,b\n1,\x002\n" * 3, "NUL"),
        (b"a,a\n1,2\n", "twice"),
        (b"a,,c\n1,2,3\n", "no name for column 2"),
        (b"a,b\n1," + b"x" * 1_100_000 + b"\n", "no proper CSV"),
        (b"PAR1nonsense", "Parquet"),
        (b"PK\x03\x04nonsense", "archive"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(BrokenFile, match=words):
        read_in_child(path)


def opened(tmp_path: Path, content: bytes) -> Unpacked:
    (tmp_path / "a.zip").write_bytes(content)
    (tmp_path / "out").mkdir()
    found = Unpacked()
    unpack(tmp_path / "a.zip", tmp_path / "out", found, lambda done, total: None)
    return found


@pytest.mark.parametrize("name", ["../x.txt", "/etc/x", "a/../../x", "..\\x", "C:\\x", "a\nb"])
def test_an_archive_with_a_name_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Refused):
        opened(tmp_path, packed({"good.txt": b"1", name: b"2"}))
    assert not list((tmp_path / "out").iterdir())


def test_links_are_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(Refused, match="link"):
        opened(tmp_path, out.getvalue())


def test_names_that_differ_only_in_capitals_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="capitals"):
        opened(tmp_path, packed({"a.png": b"1", "A.PNG": b"2"}))


def test_a_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="times its size"):
        opened(tmp_path, packed({"zeros": b"\0" * 210 * 2**20}))
    assert not list((tmp_path / "out").iterdir())


def test_archives_and_programs_inside_are_left_out_and_named(tmp_path: Path) -> None:
    found = opened(
        tmp_path,
        packed(
            {
                "good.txt": b"1",
                "inner.zip": packed({"x": b"1"}),
                "__MACOSX/._a": b"1",
                "m.pkl": b"\x80\x04}.",
            }
        ),
    )
    assert list(found.files) == ["good.txt"]
    assert [name for name, _reason in found.refused] == ["inner.zip", "m.pkl"]


def test_a_damaged_archive_says_so(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be read"):
        opened(tmp_path, packed({"a.txt": b"1" * 5000})[:-40])


def test_chinese_names_packed_on_windows_are_read() -> None:
    member = zipfile.ZipInfo("图像.txt".encode("gb18030").decode("cp437"))
    assert decoded(member) == "图像.txt"


def test_a_second_attempt_goes_on_where_the_first_ended(
    bring: Any, small: dict[str, bytes]
) -> None:
    upload = bring("table", small, imports=False)
    lines = (workspace_of(upload.pk).folder / "inspections.jsonl").read_text().splitlines()
    assert len(lines) == 12
    assert {json.loads(line)["kind"] for line in lines} == {"image", "audio"}
    with Inspections(workspace_of(upload.pk).folder) as again:
        assert len(again.known) == 12


def test_a_stale_attempt_writes_nothing(bring: Any, small: dict[str, bytes], team: Any) -> None:
    upload = bring("table", small, imports=False)
    services.choose(team.contributor, upload, discipline=team.vision.pk)
    job = claim(str(services.start_import(team.contributor, upload).pk), "one")
    Job.objects.filter(pk=job.pk).update(attempt=2)
    with pytest.raises(Fenced):
        ingest.import_(Work(job))
    assert not Version.objects.exists()
    assert not BlobUse.objects.exists()
