"""Alignments: chosen, looked at, frozen; the frozen table is what the engine reads."""

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client

from apps.datasets.alignments import services
from apps.datasets.alignments.loading import load_aligned
from apps.datasets.alignments.preview import leaks, preview
from apps.datasets.alignments.spec import checked_spec
from apps.datasets.browsing.frames import frame_of_versions
from apps.datasets.models import Alignment, Version
from apps.datasets.queries import newest_versions
from apps.jobs.models import Job
from apps.jobs.work import Failure, perform
from fusion.data.alignment import folds
from fusion.data.splits import AlignmentError
from fusion.data.study import Study, StudyError
from fusion.data.study_columns import align
from tests.made import make_study, make_version

pytestmark = pytest.mark.django_db

SPEC = {
    "modalities": {
        "image": ["handwriting.file"],
        "speech": "recordings.file",
        "text": {"columns": ["clues.clue"]},
    },
    "label": {"source": "samples.label"},
    "groups": ["recordings.speaker"],
    "split": {"policy": "leave-one-group-out"},
}


@pytest.fixture
def study(team: Any) -> dict[str, Version]:
    return make_study(team.vision, team.speech)


def frozen(team: Any, spec: dict[str, Any] = SPEC) -> Alignment:
    alignment = services.create_alignment(team.contributor, team.project, "Digits", spec)
    job = services.freeze(team.contributor, alignment)
    perform(str(job.pk))
    job.refresh_from_db()
    assert job.state == Job.State.FINISHED, job.error
    alignment.refresh_from_db()
    return alignment


def test_a_frozen_alignment_is_what_the_engine_reads(team: Any, study: dict[str, Version]) -> None:
    alignment = frozen(team)
    aligned = load_aligned(alignment)
    assert alignment.state == Alignment.State.FROZEN
    assert (len(aligned), aligned.digest) == (30, alignment.digest)
    assert aligned.modalities["image"].content(0).is_file()
    assert aligned.modalities["text"].content(0) == "trifoliolate leaf 0: having ____ leaflets"
    assert [fold.name for fold in folds(aligned)] == ["P0", "P1", "P2", "P3"]
    assert alignment.summary["modalities"]["speech"] == {"kind": "audio", "present": 26}
    assert alignment.summary["n_labelled"] == 30


def test_the_same_choice_freezes_to_the_same_digest(team: Any, study: dict[str, Version]) -> None:
    assert frozen(team).digest == frozen(team).digest


def test_a_frozen_alignment_cannot_be_frozen_again_or_thrown_away(
    team: Any, study: dict[str, Version]
) -> None:
    alignment = frozen(team)
    for verb in (services.freeze, services.discard):
        with pytest.raises(ValidationError):
            verb(team.contributor, alignment)
    assert Alignment.objects.get().state == Alignment.State.FROZEN


def test_a_copy_of_it_is_a_draft(team: Any, study: dict[str, Version]) -> None:
    alignment = frozen(team)
    copy = services.duplicate(team.contributor, alignment)
    assert (copy.state, copy.spec, copy.number) == (
        Alignment.State.DRAFT,
        alignment.spec,
        alignment.number + 1,
    )


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ({"source": "readings.label"}, "one"),
        ({"source": "readings.label", "annotator": "Bo"}, "one"),
        ({"source": "samples.label"}, "one"),
    ],
)
def test_the_label_comes_from_a_column_one_annotator_or_the_majority(
    team: Any, study: dict[str, Version], label: dict[str, str], expected: str
) -> None:
    aligned = load_aligned(frozen(team, {**SPEC, "label": label}))
    assert aligned.labels[aligned.keys.index("S000")] == expected
    assert len({y for y in aligned.labels if y}) == 3


def test_a_tie_of_annotators_gives_no_label(team: Any, study: dict[str, Version]) -> None:
    rows = [("S000", "Ann", "one"), ("S000", "Bo", "two")] + [
        (f"S{n:03}", "Ann", ("one", "two", "three")[n % 3]) for n in range(1, 30)
    ]
    columns = {
        "sample_id": ("id", [r[0] for r in rows]),
        "annotator": ("category", [r[1] for r in rows]),
        "label": ("label", [r[2] for r in rows]),
    }
    make_version(team.speech, "second", columns, kind="annotation")
    aligned = load_aligned(frozen(team, {**SPEC, "label": {"source": "second.label"}}))
    assert aligned.labels[aligned.keys.index("S000")] is None


def test_numbers_of_a_data_set_become_one_table(team: Any, study: dict[str, Version]) -> None:
    numbers = [float(n) for n in range(20)]
    columns = {
        "sample_id": ("id", [f"S{n:03}" for n in range(20)]),
        "a": ("number", [None, *numbers[1:]]),
        "b": ("number", [None, None, *numbers[2:]]),
    }
    make_version(team.vision, "scales", columns)
    spec = {**SPEC, "modalities": {"scale": ["scales.a", "scales.b"]}}
    aligned = load_aligned(frozen(team, spec))
    assert aligned.modalities["scale"].fields == ["scales.a", "scales.b"]
    assert sum(aligned.modalities["scale"].present()) == 19


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"modalities": {}}, "modalities"),
        ({"modalities": {"image": "handwriting.nothing"}}, "modalities"),
        ({"modalities": {"both": ["handwriting.file", "recordings.file"]}}, "modalities"),
        ({"modalities": {"code": ["samples.label"]}}, "modalities"),
        ({"modalities": {"Bad Name": "handwriting.file"}}, "modalities"),
        ({"label": {}}, "label"),
        ({"label": {"source": "clues.clue"}}, "label"),
        ({"groups": []}, "groups"),
        ({"groups": ["no.such"]}, "groups"),
        ({"split": {"policy": "fixed"}}, "split"),
        ({"split": {"policy": "by-group", "test": 7}}, "split"),
    ],
)
def test_a_choice_that_cannot_be_is_refused_under_its_field(
    team: Any, study: dict[str, Version], change: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        services.create_alignment(team.contributor, team.project, "Digits", {**SPEC, **change})
    assert field in refused.value.message_dict
    assert not Alignment.objects.exists()


def test_an_alignment_that_cannot_be_split_fails_in_words(team: Any) -> None:
    make_version(
        team.vision,
        "flat",
        {
            "sample_id": ("id", ["A", "B"]),
            "note": ("text", ["x", "y"]),
            "label": ("label", ["one", "one"]),
        },
    )
    spec = {
        "modalities": {"text": "flat.note"},
        "label": {"source": "flat.label"},
        "split": {"policy": "by-group"},
    }
    alignment = services.create_alignment(team.contributor, team.project, "Flat", spec)
    job = services.freeze(team.contributor, alignment)
    perform(str(job.pk))
    alignment.refresh_from_db()
    assert alignment.state == Alignment.State.FAILED
    assert "the same label" in alignment.job.error


def test_a_column_that_tells_the_label_is_named(team: Any, study: dict[str, Version]) -> None:
    versions = newest_versions(team.project)
    spec = checked_spec(SPEC, versions)
    assert list(leaks(spec, frame_of_versions(versions), versions)) == ["samples.code"]
    found = preview(team.project, spec, versions)
    assert "samples.code alone determines the label" in found.leaks[0]


def test_the_leaks_are_those_that_the_engine_finds(team: Any) -> None:
    """The same rule in SQL as in `fusion.data.leaks.find_leaks`, on columns made to lie near its
    bounds.
    """
    import random

    from fusion.data.leaks import find_leaks

    dice = random.Random(5)
    labels = [dice.choice(["x", "y", "z", None]) for _n in range(400)]
    columns: dict[str, list[Any]] = {
        f"c{step}": [
            f"{y}{dice.randint(0, 3)}"
            if y and dice.random() < 1 - step / 200
            else dice.choice(["p", "q", None])
            for y in labels
        ]
        for step in range(8)
    }
    columns["unique"] = [f"u{n}" for n in range(400)]
    columns["constant"] = ["k"] * 400
    keys = [f"S{n:03}" for n in range(400)]
    made = {"sample_id": ("id", keys), "label": ("label", labels)} | {
        name: ("category", values) for name, values in columns.items()
    }
    version = make_version(team.vision, "near", made)
    spec = {"label": {"source": "near.label"}, "modalities": {}, "groups": []}
    found = leaks(spec, frame_of_versions([version]), [version])
    expected = {
        leak.column: leak.share
        for leak in find_leaks(
            {f"near.{name}": ("category", values) for name, values in columns.items()}, labels
        )
    }
    assert found == pytest.approx(expected)
    assert expected


def test_groups_that_stand_on_both_sides_are_told(team: Any, study: dict[str, Version]) -> None:
    versions = newest_versions(team.project)
    words = preview(team.project, checked_spec(SPEC, versions), versions).warnings
    assert any("handwriting.writer can appear in train and in test" in text for text in words)


def test_of_many_groups_the_largest_are_shown_and_all_are_counted(team: Any) -> None:
    rows = 40
    columns = {
        "sample_id": ("id", [f"S{row:03}" for row in range(rows)]),
        "label": ("label", ["one" if row % 2 else "two" for row in range(rows)]),
        "reader": ("group", ["often" if row < 4 else f"R{row}" for row in range(rows)]),
        "weight": ("number", [float(row) for row in range(rows)]),
    }
    make_version(team.vision, "many", columns)
    versions = newest_versions(team.project)
    spec = {
        "modalities": {"weight": ["many.weight"]},
        "label": {"source": "many.label"},
        "groups": ["many.reader"],
    }
    [found] = preview(team.project, checked_spec(spec, versions), versions).groups
    assert (found["n"], len(found["values"])) == (37, 12)
    assert (found["values"][0]["value"], found["values"][0]["n"]) == ("often", 4)


def test_a_number_column_is_asked_for_a_number_and_tags_for_any_of_them(
    team: Any, study: dict[str, Version]
) -> None:
    keys, colours = [f"S{number:03}" for number in range(30)], [["red"], ["red", "blue"], ["green"]]
    make_version(
        team.vision,
        "more",
        {"sample_id": ("id", keys), "colours": ("tags", [colours[n % 3] for n in range(30)])},
    )
    spec = SPEC | {"modalities": {"text": ["clues.clue"]}}
    seconds = frozen(team, spec | {"label": {"source": "recordings.seconds"}})
    aligned = load_aligned(seconds)
    assert (aligned.task, aligned.label_order, seconds.spec["label"]["task"]) == (
        "regression",
        [],
        "regression",
    )
    assert aligned.labels[:3] == pytest.approx([0.2, 0.21, 0.22])
    tags = load_aligned(frozen(team, spec | {"label": {"source": "more.colours"}}))
    assert (tags.task, tags.labels[1], tags.label_order) == (
        "multi-label",
        ["blue", "red"],
        ["blue", "green", "red"],
    )
    found = preview(team.project, seconds.spec, newest_versions(team.project))
    assert sum(row["n"] for row in found.labels) == 30
    assert len(found.labels) == 10


def test_an_order_is_said_with_the_label_and_a_task_that_does_not_fit_is_refused(
    team: Any, study: dict[str, Version]
) -> None:
    label = {"source": "samples.label", "task": "ordinal", "order": "three, one, two"}
    aligned = load_aligned(frozen(team, SPEC | {"label": label}))
    assert (aligned.task, aligned.label_order) == ("ordinal", ["three", "one", "two"])
    with pytest.raises(ValidationError) as refused:
        checked_spec(
            SPEC | {"label": {"source": "samples.label", "task": "regression"}},
            newest_versions(team.project),
        )
    assert (
        "which can be asked for: One of several labels, One of several labels in an order."
        in refused.value.message_dict["task"][0]
    )


def test_a_viewer_cannot_make_or_freeze_one(
    client: Client, team: Any, study: dict[str, Version]
) -> None:
    with pytest.raises(PermissionDenied):
        services.create_alignment(team.viewer, team.project, "Digits", SPEC)
    alignment = services.create_alignment(team.contributor, team.project, "Digits", SPEC)
    client.force_login(team.viewer)
    assert client.get("/p/digits/alignments/new/").status_code == 403
    assert (
        client.post(f"/p/digits/alignments/{alignment.number}/", {"do": "freeze"}).status_code
        == 403
    )
    client.force_login(team.outsider)
    assert client.get(f"/p/digits/alignments/{alignment.number}/").status_code == 404


@pytest.mark.parametrize("path", ["", "new/", "1/", "new/?like=1"])
def test_each_page_answers_in_few_queries(
    client: Client,
    team: Any,
    study: dict[str, Version],
    path: str,
    django_assert_max_num_queries: Any,
) -> None:
    frozen(team)
    client.force_login(team.contributor)
    with django_assert_max_num_queries(25):
        assert client.get(f"/p/digits/alignments/{path}").status_code == 200


def test_the_form_makes_a_draft_and_tells_what_is_wrong(
    client: Client, team: Any, study: dict[str, Version]
) -> None:
    client.force_login(team.contributor)
    data = {
        "name": "By form",
        "label": "readings.label@Ann",
        "inputs": ["handwriting.file", "clues.clue"],
        "groups": ["recordings.speaker"],
        "policy": "leave-one-group-out",
        "do": "save",
    }
    wrong = client.post("/p/digits/alignments/new/", {**data, "groups": []})
    assert wrong.status_code == 422
    assert "There is a problem" in wrong.content.decode()
    right = client.post("/p/digits/alignments/new/", data)
    alignment = Alignment.objects.get()
    assert right.headers["Location"] == f"/p/digits/alignments/{alignment.number}/"
    assert alignment.spec["label"] == {"source": "readings.label", "annotator": "Ann"}
    assert set(alignment.spec["modalities"]) == {"image", "text"}


def test_the_samples_of_an_alignment_can_be_browsed(
    client: Client, team: Any, study: dict[str, Version]
) -> None:
    alignment = frozen(team)
    client.force_login(team.viewer)
    found = client.get(f"/p/digits/samples/?alignment={alignment.number}").context["browse"]
    assert [one.name for one in found.frame.modalities] == ["image", "speech", "text"]


CASES = Path(__file__).parents[2] / "../shared/cases"


def study_folders() -> list[Any]:
    """Every case and both real studies, where this machine has them."""
    found = sorted(CASES.glob("**/study.yaml"))
    studies = [pytest.param(CASES.parent / "data/signs", marks=pytest.mark.slow, id="signs")]
    cases = [pytest.param(file.parent, id=str(file.parent.relative_to(CASES))) for file in found]
    return [*cases, *studies]


def by_page(team: Any, folder: Path) -> tuple[str, str]:
    """Digest of the alignment that an import of the folder freezes, or why there is none."""
    from apps.datasets.ingest.folder import import_folder
    from fusion.core.progress import Progress

    try:
        imported = import_folder(team.project, team.owner, folder, Progress())
    except Failure as failure:
        return "", str(failure)
    if isinstance(imported.alignment, str):
        return "", imported.alignment
    perform(str(imported.alignment.job_id))
    alignment = Alignment.objects.get()
    return alignment.digest, alignment.job.error


def by_command(folder: Path) -> tuple[str, str]:
    from fusion.data.alignment import folds

    try:
        aligned = align(Study.load(folder))
        folds(aligned)
    except (StudyError, AlignmentError) as error:
        return "", str(error)
    return aligned.digest, ""


@pytest.mark.skipif(not CASES.is_dir(), reason="The cases are not on this machine.")
@pytest.mark.parametrize("folder", study_folders())
def test_a_study_imported_on_the_page_is_the_one_read_by_command(team: Any, folder: Path) -> None:
    digest, reason = by_command(folder)
    imported, reason_of_page = by_page(team, folder)
    assert imported == digest, (reason, reason_of_page)
    assert bool(reason) == bool(reason_of_page)


@pytest.mark.study
def test_the_real_study_freezes_to_the_digest_of_the_engine(team: Any, spoken_digits: Path) -> None:
    digest, _ = by_command(spoken_digits)
    assert by_page(team, spoken_digits) == (digest, "")
    assert Alignment.objects.get().summary["n_usable"] == 1200
