"""Facts about whole studies: by zip, by command, and the real one."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.datasets.alignments.services import duplicate
from apps.datasets.alignments.version_columns import align
from apps.datasets.models import Alignment, DataSet, Upload, Version
from apps.projects.models import Event, Project

from .conftest import packed, study_files

pytestmark = pytest.mark.django_db


def test_a_study_brings_data_sets_annotations_and_an_alignment(
    bring: Any, study_zip: bytes, team: Any
) -> None:
    upload = bring("study", {"tiny.zip": study_zip})
    assert upload.state == Upload.State.DONE
    assert sorted(upload.versions.values_list("dataset__slug", "n_rows", "dataset__kind")) == [
        ("pictures", 12, "data"),
        ("said", 8, "annotation"),
        ("voices", 12, "data"),
    ]
    alignment = Alignment.objects.get()
    assert (alignment.name, alignment.state) == ("Tiny study", Alignment.State.FREEZING)
    assert alignment.spec["label"] == {"source": "voices.digit"}
    assert upload.options["words"] == ""
    assert (
        Event.objects.filter(verb="upload.imported").get().notifications.get().user
        == team.contributor
    )


def test_the_same_study_again_adds_versions(bring: Any, study_zip: bytes) -> None:
    bring("study", {"tiny.zip": study_zip})
    bring("study", {"tiny.zip": study_zip})
    assert DataSet.objects.count() == 3
    assert sorted(
        Version.objects.filter(dataset__slug="voices").values_list("number", flat=True)
    ) == [1, 2]


def test_a_contributor_cannot_bring_new_disciplines(bring: Any, team: Any) -> None:
    files = study_files(4)
    files["study.yaml"] = (
        files["study.yaml"]
        .replace(b"code: SP", b"code: ZZ")
        .replace(b"name: Speech", b"name: Zoology")
    )
    upload = bring("study", {"tiny.zip": packed(files)})
    assert upload.state == Upload.State.FAILED
    assert "Zoology" in upload.import_job.error
    assert not DataSet.objects.exists()


def test_a_fault_in_study_yaml_is_named_by_line(bring: Any) -> None:
    files = study_files(2) | {
        "study.yaml": b"name: tiny\nkey: sample\ndisciplines:\n  - code: VI\n    nam: Vision\n"
    }
    upload = bring("study", {"tiny.zip": packed(files)}, imports=False)
    assert upload.state == Upload.State.FAILED
    assert "study.yaml, line 5" in upload.check_job.error


def test_a_zip_without_study_yaml_says_so(bring: Any) -> None:
    upload = bring("study", {"tiny.zip": packed({"a.csv": b"id\n1\n"})}, imports=False)
    assert "no study.yaml" in upload.check_job.error


def test_the_command_makes_the_project_and_imports(
    study_dir: Path, person: Any, capsys: Any
) -> None:
    owner = person("Olga Owner")
    call_command("import_study", "fresh", str(study_dir), owner=owner.email)
    project = Project.objects.get(slug="fresh")
    assert (project.name, project.goal, project.disciplines.count()) == (
        "Tiny study",
        "See whether it works.",
        2,
    )
    assert DataSet.objects.filter(project=project).count() == 3
    assert Alignment.objects.get(project=project).state == Alignment.State.FROZEN
    assert "12 rows" in capsys.readouterr().out
    assert len(list(study_dir.rglob("*"))) == 30


def test_the_command_says_what_is_wrong(tmp_path: Path, person: Any) -> None:
    person("Olga Owner")
    with pytest.raises(CommandError, match=r"study\.yaml"):
        call_command("import_study", "fresh", str(tmp_path))
    assert not Project.objects.exists()


def test_spoken_digits_goes_in_with_exactly_its_defects(spoken_digits: Path, person: Any) -> None:
    person("Olga Owner")
    call_command("import_study", "digits", str(spoken_digits))
    versions = {
        version.dataset.slug: version for version in Version.objects.select_related("dataset")
    }
    counts = {
        slug: {
            g["code"]: g["count"]
            for g in version.report["groups"]
            if g["code"] in ("broken_file", "silent")
        }
        for slug, version in versions.items()
    }
    assert counts == {
        "handwriting": {"broken_file": 4},
        "recordings": {"broken_file": 5, "silent": 6},
        "clues": {},
        "samples": {},
    }
    assert len(versions["samples"].statistics["duplicates"]) == 15
    assert versions["samples"].statistics["duplicates"]["D01201"] == "D00599"
    assert sum(version.n_rows for slug, version in versions.items() if slug != "samples") == 3426
    assert Alignment.objects.get().state == Alignment.State.FROZEN


def test_rules_concepts_and_protocols_of_a_study_go_into_its_alignment(bring: Any) -> None:
    extra = (
        b"rules:\n  - {discipline: VI, when: pictures.writer = 'w0', label: one}\nconcepts:\n "
        b" - {name: one, broader: number}\n"
    )
    extra += (
        b"protocols:\n  - discipline: VI\n    criteria: [{metric: macro_f1, where: "
        b"pictures.writer = 'w0', at_least: 0.5}]\n"
    )
    files = study_files()
    bring("study", {"tiny.zip": packed(files | {"study.yaml": files["study.yaml"] + extra})})
    alignment = Alignment.objects.get()
    rule = {"discipline": "VI", "when": 'pictures.writer = "w0"', "label": "one"}
    assert alignment.spec["knowledge"] == {"rules": [rule], "broader": {"one": "number"}}
    [protocol] = alignment.spec["protocols"]
    assert protocol["criteria"] == [
        {"metric": "macro_f1", "where": 'pictures.writer = "w0"', "at_least": 0.5}
    ]
    copy = duplicate(alignment.created_by, alignment)
    for name in ("knowledge", "protocols"):
        assert getattr(align(alignment), name) == copy.spec[name] == alignment.spec[name]


def test_a_rule_that_cannot_be_read_stops_the_study_by_its_number(bring: Any) -> None:
    rules = (
        b"rules:\n  - {discipline: VI, when: writer is present, label: one}\n  - {discipline: "
        b"VI, when: writer like 2, label: one}\n"
    )
    files = study_files(2)
    upload = bring(
        "study",
        {"tiny.zip": packed(files | {"study.yaml": files["study.yaml"] + rules})},
        imports=False,
    )
    assert "rule 2, when: column 8" in upload.check_job.error
