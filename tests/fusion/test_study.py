import subprocess
import sys
from pathlib import Path

import pytest

from fusion.data.leaks import find_leaks
from fusion.data.modalities import BrokenFile
from fusion.data.study import Study, StudyError, inside, write
from fusion.data.study_spec import StudySpec
from fusion.data.tables.kinds import guess_kind

YAML = """\
name: tiny
key: id
disciplines:
  - code: VI
    name: Vision
    datasets:
      - name: pictures
        table: pictures.csv
        columns:
          file: {kind: image}
          size: {kind: number, unit: mm}
  - code: ML
    name: Learning
    datasets:
      - {name: samples, table: samples.csv}
alignment:
  label: samples.label
  modalities: [pictures.file]
"""


def folder(tmp_path: Path, yaml: str = YAML, **files: str) -> Path:
    (tmp_path / "study.yaml").write_text(yaml)
    tables = {
        "pictures": "id,file,size,note\na,a.png,1.5,x\nb,b.png,,y\n",
        "samples": "id,label\na,yes\nb,no\n",
    }
    for name, text in (tables | files).items():
        (tmp_path / f"{name}.csv").write_bytes(text.encode())
    return tmp_path


def problems(path: Path) -> list[str]:
    with pytest.raises(StudyError) as error:
        Study.load(path).tables()
    return [str(p) for p in error.value.problems]


def test_tables_come_typed_and_unnamed_columns_are_kept_with_a_guessed_kind(tmp_path):
    pictures = Study.load(folder(tmp_path)).tables()["pictures"]
    assert (pictures.keys, pictures.columns["size"].values, pictures.columns["size"].unit) == (
        ["a", "b"],
        [1.5, None],
        "mm",
    )
    assert (pictures.columns["note"].guessed, pictures.columns["file"].guessed) == (True, False)


def test_a_list_of_modalities_is_named_after_the_data_sets(tmp_path):
    assert Study.load(folder(tmp_path)).spec.alignment.modalities == {"pictures": "pictures.file"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "kind: image",
            "kind: picture",
            "study.yaml, line 10: disciplines.0.datasets.0.columns.file.kind: Input should be "
            "'image'",
        ),
        ("key: id\n", "", "study.yaml, line 1: key: is needed"),
        (
            "name: Vision",
            "nmae: Vision",
            "study.yaml, line 5: disciplines.0.nmae: is not known here",
        ),
        (
            "table: pictures.csv",
            "table: other.csv",
            "study.yaml: table other.csv is not in the folder",
        ),
        (
            "table: pictures.csv",
            "table: ../../etc/passwd",
            "study.yaml: table ../../etc/passwd is no path inside the study folder",
        ),
        ("name: tiny", "name: [tiny", "is no proper YAML"),
        ("name: tiny", "name: tiny\nname: two", "study.yaml, line 2: names name twice"),
        ("name: tiny", "name: &a tiny\ntitle: *a", "anchors and aliases"),
        ("[pictures.file]", "[samples.label]", "is made from the label samples.label itself"),
        (
            "label: samples.label",
            "label: samples.lable",
            "alignment names samples.lable, but there is no such column",
        ),
        (
            "modalities: [pictures.file]",
            "modalities: [pictures.file]\n  split: {policy: fixed}",
            "policy fixed needs column",
        ),
    ],
)
def test_a_fault_in_study_yaml_is_named_with_its_line(tmp_path, old, new, said):
    found = problems(folder(tmp_path, YAML.replace(old, new)))
    assert any(said in problem for problem in found), found


def test_a_column_that_study_yaml_names_and_no_table_has_is_told(tmp_path):
    yaml = YAML.replace("size: {kind: number, unit: mm}", "sise: {kind: number}")
    study = Study.load(folder(tmp_path, yaml))
    study.tables()
    assert [str(finding) for finding in study.findings] == [
        "study.yaml, column sise: pictures.csv has no such column"
    ]


def test_rows_and_cells_that_cannot_be_used_are_left_out_and_told(tmp_path):
    study = Study.load(
        folder(tmp_path, pictures="id,file,size\na,a.png,big\na,b.png,2\n,c.png,3\n")
    )
    pictures = study.tables()["pictures"]
    assert (pictures.keys, pictures.columns["size"].values) == (["a"], [None])
    assert [str(finding) for finding in study.findings] == [
        "pictures.csv, line 3 (a): the key stands already in line 2; a sample has one row in a "
        "table, so this row is left out",
        "pictures.csv, line 4: the sample key is empty; the row is left out",
        "pictures.csv, line 2 (a), column size: 'big' is no number; the cell stays empty",
    ]


def test_nul_is_refused_in_yaml_and_in_tables(tmp_path):
    (tmp_path / "one").mkdir()
    assert (
        "NUL"
        in problems(folder(tmp_path / "one", YAML.replace("name: Vision", 'name: "Vis\\0ion"')))[0]
    )
    assert "NUL" in problems(folder(tmp_path, pictures="id,file,size\na,\0,1\n"))[0]


def test_a_parquet_table_is_read_like_a_csv(tmp_path):
    import pyarrow
    from pyarrow import parquet

    path = folder(tmp_path)
    parquet.write_table(
        pyarrow.table({"id": ["a"], "file": ["a.png"], "size": [2], "curve": [[1.0, 2.0]]}),
        path / "pictures.csv",
    )
    columns = Study.load(path).tables()["pictures"].columns
    assert (columns["size"].values, columns["curve"].kind, columns["curve"].values) == (
        [2.0],
        "series",
        [[1.0, 2.0]],
    )


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../x.png", "a/../../x.png", "a\\..\\x.png", "a\0.png", ""]
)
def test_a_media_path_never_leaves_the_folder(tmp_path, name):
    with pytest.raises(BrokenFile):
        inside(tmp_path, name)


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    (tmp_path / "link").symlink_to("/etc")
    with pytest.raises(BrokenFile, match="leads out of the study folder"):
        inside(tmp_path, "link/passwd")


def test_a_written_study_reads_back_the_same(tmp_path):
    study = Study.load(folder(tmp_path))
    tables = {
        t.name: {"id": t.keys} | {n: c.values for n, c in t.columns.items()}
        for t in study.tables().values()
    }
    write(tmp_path / "copy", study.spec, tables)
    copy = Study.load(tmp_path / "copy")
    assert copy.spec == study.spec
    assert {
        n: t.columns["file"].values if n == "pictures" else t.keys for n, t in copy.tables().items()
    } == {
        "pictures": ["a.png", "b.png"],
        "samples": ["a", "b"],
    }


def test_annotations_concepts_rules_and_protocols_are_kept(tmp_path):
    extra = (
        "annotations:\n  - {discipline: VI, table: labels.csv, annotator: reader, label: digit}\n"
        "concepts:\n  - {name: pair, discipline: VI, definition: exactly two}\n"
        "rules:\n  - {discipline: VI, when: 'pictures.size > 1', label_in: ['yes'], weight: 0.5}\n"
    )
    study = Study.load(
        folder(tmp_path, YAML + extra, labels="id,reader,digit\na,r1,yes\na,r2,no\n")
    )
    [(spec, table)] = study.annotations()
    assert (spec.discipline, table.columns["reader"]) == ("VI", ["r1", "r2"])
    assert study.spec.rules[0]["weight"] == 0.5
    assert study.spec.knowledge == {
        "rules": study.spec.rules,
        "concepts": [{"name": "pair", "discipline": "VI", "definition": "exactly two"}],
    }


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (
            "  - {discipline: VI, when: a > 1, label: b}\n  - {discipline: VI, when: a >> 1, "
            "label: b}\n",
            "rule 2, when: column 4",
        ),
        ("  - {discipline: ZZ, when: a > 1, label: b}\n", "discipline: ZZ is not one of"),
    ],
)
def test_a_rule_that_cannot_be_used_is_named_by_its_number(tmp_path, rules, words):
    with pytest.raises(StudyError, match=words):
        Study.load(folder(tmp_path, YAML + "rules:\n" + rules))


@pytest.mark.parametrize(
    ("values", "name", "kind"),
    [
        (["1", "2.5", "", "NA"], "mass", "number"),
        (["a", "b", "a", "b"] * 9, "site", "group"),
        (["yes", "no"] * 9, "label_name", "label"),
        (["good", "poor"] * 9, "quality", "category"),
        ([f"K{i}" for i in range(30)], "source", "id"),
        ([f"this is remark number {i} of a clerk" for i in range(30)], "remark", "text"),
        (["2026-01-02", "2026-01-03T10:00"], "taken", "time"),
        (["red;blue", "blue;green", "red"], "colours", "tags"),
        ([[1, 2], [3.5]], "curve", "series"),
        ([None, ""], "nothing", "category"),
    ],
)
def test_the_kind_of_a_column_is_guessed_from_its_values(values, name, kind):
    assert guess_kind(values, name) == kind


def test_media_are_guessed_from_the_files_not_from_their_names():
    files = {"a.wav": "image", "b.wav": None, "c.wav": "image"}
    assert guess_kind(files, "file", files.get) == "image"
    assert guess_kind(files, "file") != "image"


def test_a_copy_of_the_label_is_a_leak_but_a_patient_is_not():
    labels = ["yes", "no"] * 50
    columns = {
        "copy": ("category", ["1", "0"] * 50),
        "patient": ("group", [f"p{i // 4 * 2 + i % 2}" for i in range(100)]),
        "row": ("number", list(range(100))),
        "half": ("category", ["1", "0", "1", "1"] * 25),
        "constant": ("category", ["x"] * 100),
    }
    assert [leak.column for leak in find_leaks(columns, labels)] == ["copy"]


def test_the_leak_of_spoken_digits_is_found(spoken_digits):
    study = Study.load(spoken_digits)
    assert [leak.column for leak in study.leaks()] == ["samples.label"]
    assert {name: len(t.keys) for name, t in study.tables().items()} == {
        "handwriting": 1154,
        "recordings": 1135,
        "clues": 1137,
        "samples": 1215,
    }


def test_reading_a_study_loads_no_heavy_library():
    code = (
        "import sys, fusion.data.study; print(sorted({'numpy', 'pandas', 'pyarrow', 'torch', "
        "'PIL', 'sklearn', 'scipy'} & set(sys.modules)))"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )


def test_a_spec_made_by_code_is_checked_like_a_written_one():
    with pytest.raises(ValueError, match="two of data set"):
        StudySpec(
            name="x",
            key="id",
            disciplines=[
                {"code": "A", "name": "A", "datasets": [{"name": "d", "table": "d.csv"}] * 2}
            ],
        )
