"""The map of a run's test samples and the samples nearest to one: what they show, to whom, and how
much they ask.
"""

import csv
import io
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.experiments.artifacts import embedding_map, nearest
from apps.experiments.models import Run
from tests.experiments import factory
from tests.experiments.pages import page_text
from tests.experiments.spaces import N, keep_space
from tests.made import make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(team: Any) -> Run:
    versions = make_study(team.vision, team.speech)
    aligned = factory.alignment(team.project, team.owner)
    aligned.versions.set(versions.values())
    run = factory.finished_run(team.project, team.owner, aligned, bundle_path="runs/mapped/1")
    keep_space(run)
    return run


def address(run: Run, query: str = "") -> str:
    return reverse("experiments:tab", args=[run.project.slug, run.number, "map"]) + query


def text(client: Client, user: Any, run: Run, query: str = "") -> str:
    return page_text(client, user, address(run, query))


def test_an_outsider_finds_neither_the_map_nor_its_numbers(
    client: Client, team: Any, run: Run
) -> None:
    client.force_login(team.outsider)
    assert client.get(address(run)).status_code == 404
    assert (
        client.get(reverse("experiments:map_csv", args=[run.project.slug, run.number])).status_code
        == 404
    )


def test_a_viewer_sees_where_the_samples_of_a_label_lie(
    client: Client, team: Any, run: Run, django_assert_max_num_queries: Any
) -> None:
    client.force_login(team.viewer)
    with django_assert_max_num_queries(25):
        page = client.get(
            address(run, "?mark=two&key=S001&given=image&find=speech")
        ).content.decode()
    assert f"{N} test samples, alike ones near each other." in page
    assert "Marked: the 10 of two, 1 of them answered wrong." in page
    assert page.count("pt--square") == 2
    assert "key=S004#nearest" in page
    assert "one map holds all rounds" in page
    assert page.count('<li class="talk__part') == 10


@pytest.mark.parametrize(
    ("query", "by", "mark"),
    [
        ({}, "truth", "three"),
        ({"mark": "one"}, "truth", "one"),
        ({"mark": "nothing"}, "truth", "three"),
        ({"by": "samples.speaker", "mark": "P2"}, "samples.speaker", "P2"),
        ({"by": "nothing"}, "truth", "three"),
    ],
)
def test_what_is_marked_is_the_address(run: Run, query: dict[str, str], by: str, mark: str) -> None:
    page = embedding_map.embedding_map(run, query)
    assert (page.by, page.mark, page.ways) == (
        by,
        mark,
        {"truth": "Label", "samples.speaker": "Speaker"},
    )
    assert sum(len(dots.xs) for dots in page.plot.dots) == N


def test_the_hardest_label_is_marked_first() -> None:
    result = factory.result()
    assert embedding_map.hardest(result, "truth", {"zero": 3, "nine": 4}) == "nine"
    assert embedding_map.hardest(result, "samples.speaker", {"S1": 3, "S3": 4}) == "S3"


def test_rounds_with_spaces_of_their_own_have_maps_of_their_own(team: Any, run: Run) -> None:
    keep_space(run, "gated")
    run.result = factory.result(method="gated").model_dump(mode="json")
    page = embedding_map.embedding_map(run, {"round": "S2"})
    assert (page.folds, page.fold, sum(page.values.values())) == (["S1", "S2"], "S2", N // 2)


def test_every_place_can_be_downloaded(client: Client, team: Any, run: Run) -> None:
    client.force_login(team.viewer)
    answer = client.get(reverse("experiments:map_csv", args=[run.project.slug, run.number]))
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [row["key"] for row in rows] == [f"S{i:03}" for i in range(N)]
    assert {row["answer"] for row in rows if row["key"] == "S001"} == {"three"}


def test_the_recording_of_a_picture_is_found_and_marked_as_its_own(run: Run) -> None:
    page = nearest.nearest(run, {"key": "S000", "given": "image", "find": "speech"})
    assert (page.truth, page.fold, page.own.place) == ("one", "S1", 1)
    assert page.own.similarity == pytest.approx(1)
    assert page.among == 13, "the even samples that have a recording"
    shown = [sample.inputs for sample in page.neighbours]
    assert [[part.kind for part in inputs] for inputs in shown] == [["audio"]] * 10
    assert all(inputs[0].media for inputs in shown)


def test_a_sample_is_not_its_own_neighbour(run: Run) -> None:
    page = nearest.nearest(run, {"key": "S000"})
    assert (page.query, page.find, page.own) == ("", "", None)
    keys = {sample.key for sample in page.neighbours}
    assert keys
    assert "S000" not in keys


def test_its_own_is_placed_though_it_is_not_among_the_first(
    client: Client, team: Any, run: Run
) -> None:
    pages = [
        nearest.nearest(run, {"key": f"S{i:03}", "given": "image", "find": "text"})
        for i in range(0, N, 2)
    ]
    far = next(near for near in pages if near.own and near.own.place > nearest.FIRST)
    assert len(far.neighbours) == nearest.FIRST
    page = text(client, team.viewer, run, f"?key={far.key}&given=image&find=text")
    assert f"Its own comes in place {far.own.place}." in page


def test_the_first_sample_is_asked_for_where_none_is_named(run: Run) -> None:
    assert nearest.nearest(run, {}).key == "S000"


def test_an_input_that_a_sample_lacks_and_a_key_that_is_none_are_said(
    client: Client, team: Any, run: Run
) -> None:
    assert "S004 has no image; ask with another input." in text(
        client, team.viewer, run, "?key=S004&given=image"
    )
    page = text(client, team.viewer, run, "?key=S02%25&given=text")
    assert "No test sample of this run has the key S02%." in page
    assert re.findall(
        r"\?key=(S\d+)&amp;given=text&amp;find=#nearest",
        text(client, team.viewer, run, "?key=S02&given=text"),
    )[:2] == [
        "S020",
        "S021",
    ]


@pytest.mark.parametrize("value", ["nothing", '"; DROP TABLE t0; --', "all"])
def test_an_input_that_is_none_asks_with_all(run: Run, value: str) -> None:
    assert nearest.nearest(run, {"given": value, "find": value}).query == nearest.WHOLE


def test_a_run_of_an_earlier_time_says_what_to_do(client: Client, team: Any) -> None:
    page = text(client, team.viewer, factory.finished_run(team.project, team.owner))
    assert "run this one again to see it" in page
    assert "Nearest samples" not in page


def test_a_damaged_file_is_said(client: Client, team: Any, run: Run) -> None:
    run.bundle_path = "runs/damaged/1"
    run.save()
    (keep_space(run) / "representation.parquet").write_bytes(b"PAR1 no more")
    assert "The map cannot be shown" in text(client, team.viewer, run)
    client.force_login(team.viewer)
    assert (
        client.get(reverse("experiments:map_csv", args=[run.project.slug, run.number])).status_code
        == 404
    )


def test_the_page_of_a_sample_leads_here(client: Client, team: Any, run: Run) -> None:
    client.force_login(team.viewer)
    page = client.get(
        reverse("workspace:sample", args=[team.project.slug, "S002"])
    ).content.decode()
    assert f"{address(run)}?key=S002#nearest" in page
