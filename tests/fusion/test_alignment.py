import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fusion.data.alignment import (
    Aligned,
    AlignmentError,
    Cell,
    Modality,
    folds,
    inner_folds,
    inner_split,
)
from fusion.data.alignment_files import read_alignment, write_alignment
from fusion.data.study import Study, StudyError
from fusion.data.study_columns import align
from fusion.data.study_spec import Split


def made(n=60, sites=6, labels=("yes", "no"), group_of=None, **fields) -> Aligned:
    options = {
        "keys": [f"k{i}" for i in range(n)],
        "labels": [labels[i % len(labels)] for i in range(n)],
        "modalities": {
            "text": Modality("text", [Cell.text(f"t{i}") for i in range(n)], ["d.text"])
        },
        "groups": {"d.site": [f"g{(group_of or (lambda i: i // 2 % sites))(i)}" for i in range(n)]},
    }
    return Aligned(**(options | fields))


@pytest.fixture
def study(tmp_path):
    """Four samples: one picture is broken, one absent, one a copy."""
    (tmp_path / "p").mkdir()
    for name, level in (("a", 10), ("b", 200), ("d", 10)):
        Image.new("L", (4, 4), level).save(tmp_path / "p" / f"{name}.png")
    (tmp_path / "p/b.png").write_bytes((tmp_path / "p/b.png").read_bytes()[:50])
    (tmp_path / "pictures.csv").write_text(
        "id,file,m,colour\na,p/a.png,1.5,red\nb,p/b.png,,\nd,p/d.png,1.5,red\n"
    )
    (tmp_path / "samples.csv").write_text(
        "id,label,site,side\na,10,X,train\nb,9,X,train\nc,9,Y,test\nd,10,Y,test\n"
    )
    (tmp_path / "study.yaml").write_text(
        "name: s\nkey: id\n"
        "disciplines:\n  - code: A\n    name: A\n    datasets:\n"
        "      - {name: pictures, table: pictures.csv, columns: {file: {kind: image}, m: {kind: "
        "number}, colour: {kind: category}}}\n"
        "      - {name: samples, table: samples.csv, columns: {site: {kind: group}, side: {kind: "
        "category}}}\n"
        "alignment:\n  label: samples.label\n  groups: [samples.site]\n"
        "  modalities: {image: pictures.file, scale: [pictures.m, pictures.colour]}\n"
    )
    return Study.load(tmp_path)


def test_a_broken_file_is_reported_and_its_sample_keeps_the_other_modalities(study):
    heard = []
    aligned = align(study, heard.append)
    assert [str(p) for p in heard] == [
        "pictures.csv, line 3 (b), column file: p/b.png ends in the middle of its data (50 "
        "bytes, no end mark); the sample keeps its other modalities"
    ]
    assert aligned.modalities["image"].present() == [True, False, False, True]
    assert aligned.keys == ["a", "b", "c", "d"]


def test_numbers_and_categories_of_a_table_become_one_input_with_named_fields(study):
    scale = align(study).modalities["scale"]
    assert (scale.kind, scale.fields) == ("table", ["pictures.m", "pictures.colour=red"])
    assert [c and c.content for c in scale.cells] == [(1.5, 1.0), None, None, (1.5, 1.0)]


def test_labels_that_are_numbers_are_ordered_by_size(study):
    assert align(study).label_order == ["9", "10"]


def test_an_equal_sample_is_a_duplicate_of_the_first_and_an_empty_one_of_none(study):
    aligned = align(study)
    assert aligned.duplicates() == {3: 0}
    assert aligned.left_out() == {
        "duplicate": [3],
        "no label": [],
        "no group": [],
        "no modality": [1, 2],
    }


def test_a_media_modality_says_where_its_file_lies(study):
    aligned = align(study)
    assert aligned.modalities["image"].content(0) == study.folder / "p/a.png"


def test_an_alignment_written_and_read_is_the_same(study, tmp_path):
    aligned = align(study)
    manifest = write_alignment(aligned, tmp_path / "a.parquet")
    again = read_alignment(tmp_path / "a.parquet", media=lambda digest: tmp_path / digest)
    assert (again.digest, again.manifest(), again.keys, again.labels) == (
        aligned.digest,
        manifest,
        aligned.keys,
        aligned.labels,
    )
    assert (again.groups, again.extras) == (aligned.groups, aligned.extras)
    assert (
        again.modalities["image"].content(0)
        == tmp_path / aligned.modalities["image"].cells[0].digest
    )
    assert again.modalities["scale"].content(0) == (1.5, 1.0)


def test_a_changed_cell_changes_the_digest():
    changed = made()
    changed.modalities["text"].cells[3] = Cell.text("other")
    assert changed.digest != made().digest == made().digest


def test_a_parquet_file_without_a_manifest_is_refused_in_words(tmp_path):
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"key": ["a"]}), tmp_path / "x.parquet")
    with pytest.raises(AlignmentError, match="no alignment: it carries no manifest"):
        read_alignment(tmp_path / "x.parquet")


def test_a_fixed_split_of_a_study_that_tears_a_group_is_refused(study):
    study.spec.alignment.split = Split(policy="fixed", column="samples.side")
    aligned = align(study)
    assert aligned.fixed == ["train", "train", "test", "test"]
    torn = made(
        4,
        fixed=["train", "train", "test", "train"],
        split=Split(policy="fixed", column="d.s"),
        group_of=lambda i: i // 3,
    )
    with pytest.raises(AlignmentError, match=r"d.site g0 stands on both sides of fold test"):
        folds(torn)


def test_a_study_without_an_alignment_says_what_is_needed(study):
    study.spec.alignment = None
    with pytest.raises(StudyError, match="has no alignment"):
        align(study)


@pytest.mark.parametrize("policy", ["leave-one-group-out", "by-group", "grouped-k-fold"])
@settings(max_examples=30)
@given(assignment=st.lists(st.integers(0, 7), min_size=24, max_size=60), seed=st.integers(0, 5))
def test_no_group_is_ever_on_both_sides(policy, assignment, seed):
    aligned = made(
        len(assignment), group_of=lambda i: assignment[i], split=Split(policy=policy, seed=seed)
    )
    groups = np.asarray(aligned.groups["d.site"])
    if any(
        len({label for label, group in zip(aligned.labels, groups) if group != held}) < 2
        for held in set(groups)
    ):
        return  # one round would have a single label to learn from: refused in words, see below
    found = folds(aligned)
    for fold in found:
        assert not set(groups[fold.train]) & set(groups[fold.test])
        fit, validation = inner_split(aligned, fold.train, seed=seed)
        assert sorted([*fit, *validation]) == list(fold.train)
        if len(set(groups[fold.train])) > 1:
            assert not set(groups[fit]) & set(groups[validation])


def test_every_usable_row_is_tested_once_by_leave_one_group_out_and_k_fold():
    for policy in ("leave-one-group-out", "grouped-k-fold"):
        found = folds(made(split=Split(policy=policy, folds=3)))
        assert sorted(np.concatenate([f.test for f in found])) == list(range(60))
    assert [f.name for f in folds(made())] == ["g0", "g1", "g2", "g3", "g4", "g5"]


def test_duplicates_and_unlabelled_rows_are_in_no_fold():
    aligned = made()
    aligned.modalities["text"].cells[7] = aligned.modalities["text"].cells[2]
    aligned.labels[9] = None
    rows = {int(r) for f in folds(aligned) for r in (*f.train, *f.test)}
    assert rows == set(range(60)) - {7, 9}


def test_by_group_takes_about_the_asked_share_with_labels_in_proportion():
    aligned = made(
        400,
        group_of=lambda i: i % 37,
        labels=("a", "b", "c", "a"),
        split=Split(policy="by-group", test=0.3),
    )
    [fold] = folds(aligned)
    assert 100 <= len(fold.test) <= 140
    shares = Counter(aligned.labels[i] for i in fold.test)
    assert shares["a"] / len(fold.test) == pytest.approx(0.5, abs=0.1)


def test_two_group_columns_hold_together_what_either_connects():
    aligned = made(8, groups={"d.a": list("wwxxyyzz"), "d.b": list("11124445")})
    assert [(f.name, list(f.test)) for f in folds(aligned)] == [
        ("w+x", [0, 1, 2, 3]),
        ("y+z", [4, 5, 6, 7]),
    ]


def test_groups_that_all_hang_together_are_refused_in_words():
    with pytest.raises(AlignmentError, match="all hang together"):
        folds(made(8, groups={"d.a": list("11223344"), "d.b": list("91122334")}))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"group_of": lambda i: 0}, "d.site has only one group: nothing can be held out"),
        ({"groups": {}}, "needs a group column"),
        ({"group_of": lambda i: i % 2}, "only one label left in training"),
        ({"labels": ["yes"]}, "bear the same label"),
        ({"labels": [None]}, "bear no label"),
        ({"labels": ["yes"] * 30 + ["no"] * 29 + ["rare"]}, "label rare has only one sample"),
        ({"groups": {"d.site": [str(i) for i in range(120)]}, "n": 120}, "there are 120 groups"),
    ],
)
def test_a_split_that_cannot_be_made_says_why(change, said):
    with pytest.raises(AlignmentError, match=said):
        folds(made(**change))


def vars_of(aligned):
    return {name: getattr(aligned, name) for name in ("keys", "labels", "modalities", "groups")}


def test_a_split_by_group_without_groups_splits_by_sample():
    [fold] = folds(made(groups={}, split=Split(policy="by-group")))
    assert 8 <= len(fold.test) <= 16


def test_with_one_group_left_in_training_the_inner_split_goes_by_cluster():
    aligned = made(
        60, sites=2, extras={"d.writer": [f"w{i // 5}" for i in range(60)]}, cluster="d.writer"
    )
    fold = folds(aligned)[0]
    fit, validation = inner_split(aligned, fold.train)
    writers = np.asarray(aligned.extras["d.writer"])
    assert not set(writers[fit]) & set(writers[validation])
    assert sorted(np.concatenate([v for _, v in inner_folds(aligned, fold.train, 3)])) == list(
        fold.train
    )


def test_the_same_seed_gives_the_same_split_and_labels_of_the_test_fold_change_nothing_inside():
    first, second = made(), made()
    fold = folds(first)[0]
    for row in fold.test:
        second.labels[row] = "yes" if first.labels[row] == "no" else "no"
    for a, b in zip(
        inner_split(first, fold.train, seed=3), inner_split(second, fold.train, seed=3)
    ):
        assert np.array_equal(a, b)


def test_parts_that_do_not_fit_together_are_refused():
    with pytest.raises(AlignmentError, match="labels has 1 values for 60 samples"):
        Aligned(**(vars_of(made()) | {"labels": ["yes"]}))
    with pytest.raises(AlignmentError, match="occurs twice"):
        Aligned(**(vars_of(made()) | {"keys": ["a"] * 60}))


def test_importing_the_alignment_loads_no_heavy_library():
    code = (
        "import sys, fusion.data.alignment; print(sorted({'torch', 'transformers', 'sklearn', "
        "'scipy', 'pyarrow'} & set(sys.modules)))"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )


def test_importing_fusion_loads_nothing_heavy():
    code = (
        "import sys, fusion; print(sorted({'torch', 'transformers', 'sklearn', 'scipy', "
        "'pyarrow', 'numpy', 'django'} & set(sys.modules)))"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )


def test_spoken_digits_is_read_as_its_list_of_defects_says(spoken_digits):
    heard = []
    aligned = align(Study.load(spoken_digits), heard.append)
    assert (len(aligned), len(aligned.kept()), len(aligned.duplicates())) == (1215, 1200, 15)
    assert Counter(p.file for p in heard) == {"image_team.csv": 4, "speech_team.csv": 5}
    assert sum(f.flag == "silent" for f in aligned.flags) == 6
    assert [(f.name, len(f.test)) for f in folds(aligned)] == [
        ("S1", 300),
        ("S2", 300),
        ("S3", 300),
        ("S4", 300),
    ]
