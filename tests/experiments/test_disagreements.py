"""The card of a run's page that says where two disciplines should talk."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.discussions.models import Thread
from apps.discussions.services import open_thread
from apps.experiments.models import Run
from apps.experiments.report.disciplines.disagreements import PAGE, section
from apps.experiments.words import note_in_words
from fusion.schema.result import Disagreement, Kind, Said
from tests.experiments import factory
from tests.experiments.pages import page_text
from tests.made import make_study

pytestmark = pytest.mark.django_db


def odd(number: int, kind: Kind = "label", **changes: Any) -> Disagreement:
    of_modality = {
        "image": Said(answer="two", confidence=0.95),
        "speech": Said(answer="two", confidence=0.9),
        "text": None,
    }
    fields: dict[str, Any] = {
        "key": f"S{number:03}",
        "kind": kind,
        "score": 9 - number / 10,
        "truth": "one",
        "answer": "two",
        "said": of_modality,
        "between": ["image", "speech"],
    }
    return Disagreement(**(fields | changes))


def run_with(team: Any, disagreements: list[Disagreement]) -> Run:
    """A finished run on a study whose files are there."""
    versions = make_study(team.vision, team.speech)
    aligned = factory.alignment(team.project, team.owner)
    aligned.versions.set(versions.values())
    result = factory.result().model_copy(update={"disagreements": disagreements})
    return factory.finished_run(
        team.project, team.owner, aligned, result=result.model_dump(mode="json")
    )


def text(client: Client, user: Any, run: Run, query: str = "") -> str:
    return page_text(client, user, f"{run.get_absolute_url()}{query}")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "image and speech both say two, the label says one"),
        ({"between": ["speech"]}, "speech says two, the label says one"),
        ({"between": []}, "together they say two, though none alone does; the label says one"),
        (
            {
                "kind": "modalities",
                "said": {
                    "image": Said(answer="two", confidence=0.95),
                    "speech": Said(answer="one", confidence=0.9),
                },
            },
            "image says two, speech says one, each sure",
        ),
    ],
)
def test_the_reason_stands_in_words(changes: dict[str, Any], words: str) -> None:
    assert note_in_words(odd(0, **changes).reason) == words


def test_each_sample_shows_its_files_what_each_input_said_and_the_way_to_talk(
    client: Client, team: Any
) -> None:
    page = text(client, team.contributor, run_with(team, [odd(0)]))
    media = reverse("datasets:media", args=[team.project.slug, "0" * 64]).split("0" * 64)[0]
    for words in (
        "Where two disciplines should talk",
        "image and speech both say two, the label says one",
        media,
        "S000",
        "95 %",
        team.vision.name,
    ):
        assert words in page, words
    assert (
        f'href="{reverse("workspace:sample", args=[team.project.slug, "S000"])}#discussion"' in page
    )


def test_a_viewer_is_led_to_the_sample_but_not_asked_to_write(client: Client, team: Any) -> None:
    run = run_with(team, [odd(0)])
    assert "Start a discussion" not in text(client, team.viewer, run)
    assert "Start a discussion" in text(client, team.contributor, run)


def test_what_has_been_said_of_a_sample_is_counted(client: Client, team: Any) -> None:
    run = run_with(team, [odd(0), odd(1)])
    open_thread(
        team.contributor, team.project, Thread.Anchor.SAMPLE, "S001", "S001", "Is this a two?"
    )
    assert [sample.comments for sample in section(run, {}).samples] == [0, 1]


def test_the_filter_chooses_between_the_label_and_each_other(team: Any) -> None:
    run = run_with(team, [odd(0), odd(1), odd(2, "modalities")])
    assert [sample.key for sample in section(run, {}).samples] == ["S000", "S001"]
    assert [sample.key for sample in section(run, {"talk": "modalities"}).samples] == ["S002"]
    assert [option["label"] for option in section(run, {}).options] == [
        "Against the label (2)",
        "Against each other (1)",
    ]


def test_the_list_opens_where_there_is_something(team: Any) -> None:
    run = run_with(team, [odd(2, "modalities")])
    assert [sample.key for sample in section(run, {}).samples] == ["S002"]
    assert section(run, {"talk": "label"}).samples == []


def test_many_samples_take_no_more_queries_than_a_page_of_them(
    client: Client, team: Any, django_assert_max_num_queries: Any
) -> None:
    run = run_with(team, [odd(number) for number in range(30)])
    client.force_login(team.viewer)
    with django_assert_max_num_queries(25):
        page = client.get(run.get_absolute_url()).content.decode()
    assert page.count('class="talk__item"') == PAGE
    assert "?page=2#talk" in page


def test_nothing_to_talk_about_is_said(client: Client, team: Any) -> None:
    assert "Nothing to talk about" in text(client, team.viewer, run_with(team, []))


def test_a_run_of_an_earlier_time_says_what_to_do(client: Client, team: Any) -> None:
    run = run_with(team, [])
    del run.result["disagreements"]
    run.save()
    assert "Run it again to see them" in text(client, team.viewer, run)


def test_without_its_files_a_sample_keeps_what_was_said_of_it(client: Client, team: Any) -> None:
    page = text(client, team.viewer, factory.finished_run(team.project, team.owner))
    assert "no recording to show" in page
    assert "speech says nine, the label says five" in page
