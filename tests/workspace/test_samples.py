"""The project's Samples page, and one sample's page."""

from typing import Any

import pytest
from django.test import Client

from apps.datasets.models import Version
from tests.made import make_study, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(team: Any) -> dict[str, Version]:
    return make_study(team.vision, team.speech)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "?view=table",
        "?samples.label=one&sort=-disagreement&size=48",
        "?q=nothing+like+it",
        "S003/",
        "S006/?samples.label=one",
    ],
)
def test_each_page_answers_in_few_queries(
    client: Client,
    team: Any,
    study: dict[str, Version],
    path: str,
    django_assert_max_num_queries: Any,
) -> None:
    client.force_login(team.viewer)
    with django_assert_max_num_queries(25):
        assert client.get(f"/p/digits/samples/{path}").status_code == 200
    client.force_login(team.outsider)
    assert client.get(f"/p/digits/samples/{path}").status_code == 404


def test_a_project_without_samples_says_what_to_do_next(client: Client, team: Any) -> None:
    client.force_login(team.viewer)
    assert "No sample yet" in client.get("/p/digits/samples/").content.decode()
    assert client.get("/p/digits/samples/S001/").status_code == 404


def test_nothing_matches_is_told_apart_from_nothing_there(
    client: Client, team: Any, study: dict[str, Version]
) -> None:
    client.force_login(team.viewer)
    page = client.get("/p/digits/samples/?q=zebra").content.decode()
    assert "No sample matches" in page
    assert "Search: zebra" in page


def test_a_sample_shows_what_every_discipline_has(
    client: Client, team: Any, study: dict[str, Version]
) -> None:
    client.force_login(team.viewer)
    page = client.get("/p/digits/samples/S003/").content.decode()
    for words in (
        "Handwriting",
        "Recordings",
        "trifoliolate leaf 3",
        "Silent recording",
        "Ann",
        "Bo",
        "Cai",
        "of 3 agree",
        "28 × 28 pixels",
    ):
        assert words in page, words


def test_a_broken_file_is_named_on_its_sample(
    client: Client, team: Any, study: dict[str, Version]
) -> None:
    client.force_login(team.viewer)
    assert (
        "broken file: ends in the middle of its data"
        in client.get("/p/digits/samples/S006/").content.decode()
    )


def test_previous_and_next_stay_within_the_filter(
    client: Client, team: Any, study: dict[str, Version]
) -> None:
    client.force_login(team.viewer)
    page = client.get("/p/digits/samples/S003/?samples.label=one").content.decode()
    assert '<link rel="prev" href="/p/digits/samples/S000/?samples.label=one">' in page
    assert '<link rel="next" href="/p/digits/samples/S006/?samples.label=one">' in page
    assert "2 of 10 samples" in page


def test_a_key_may_hold_any_character(client: Client, team: Any) -> None:
    keys = ["a/b c", "ü%&?#", "x'y\"z"]
    make_version(team.vision, "odd", {"sample_id": ("id", keys), "note": ("text", keys)})
    client.force_login(team.viewer)
    page = client.get("/p/digits/samples/")
    assert page.status_code == 200
    links = [card.href for card in page.context["browse"].cards]
    assert [client.get(link).context["sample"].key for link in links] == sorted(keys)


def test_a_copy_names_the_sample_that_it_copies(client: Client, team: Any) -> None:
    make_version(
        team.vision,
        "twins",
        {"sample_id": ("id", ["A", "B"]), "note": ("text", ["x", "x"])},
        statistics={"duplicates": {"B": "A"}},
    )
    client.force_login(team.viewer)
    assert "copy of A" in client.get("/p/digits/samples/B/").content.decode()
    assert [
        card.key for card in client.get("/p/digits/samples/?flag=duplicate").context["browse"].cards
    ] == ["B"]


def test_an_unknown_alignment_is_not_found(
    client: Client, team: Any, study: dict[str, Version]
) -> None:
    client.force_login(team.viewer)
    assert client.get("/p/digits/samples/?alignment=3").status_code == 404
