"""The section of a run's page that holds it against each discipline's own protocol."""

import pytest
from django.test import Client
from django.utils import translation

from apps.experiments.recipe import recipe_checks
from apps.experiments.report.disciplines import protocols
from fusion.schema.recipe import Recipe
from tests.experiments import factory
from tests.experiments.pages import page_text
from tests.experiments.test_pages import QUERIES

pytestmark = pytest.mark.django_db
SECTION = 'id="protocols"'


def test_each_discipline_sees_its_criteria_in_four_states_and_what_cannot_be_judged(
    client: Client, team: object, django_assert_max_num_queries: object
) -> None:
    run = factory.with_rules(factory.with_protocols(factory.finished_run(team.project, team.owner)))
    client.force_login(team.viewer)
    with django_assert_max_num_queries(QUERIES):
        text = client.get(run.get_absolute_url()).content.decode()
    section = text[text.index(SECTION) :]
    section = section[: section.index('id="plot-comparison"')]
    assert "3 of 7 criteria met" in section
    assert "2 of 6 criteria met" in section
    for words in (
        "Met",
        "Not met",
        "Undecided",
        "Too few samples",
        "n 9",
        "Every speaker: S3",
        "without speech",
    ):
        assert words in section, words
    assert "Macro-F1 is at least .680: samples.speaker is “S3” (on 50 samples or more)." in section
    assert (
        "<b>Cannot be judged</b> (no reference run was given): The difference in Macro-F1 to the "
        "reference run is at least −.020" in section
    )
    assert team.speech.name in section


def test_a_run_of_which_nobody_asked_anything_shows_no_such_section(
    client: Client, team: object
) -> None:
    run = factory.finished_run(team.project, team.owner)
    assert SECTION not in page_text(client, team.viewer, run.get_absolute_url())


def test_metrics_are_drawn_apart_each_criterion_with_its_own_bound(team: object) -> None:
    run = factory.with_protocols(factory.finished_run(team.project, team.owner))
    [speech, _other] = protocols.section(run).protocols
    f1, ece = speech.forests
    assert [row.state for row in f1.rows] == ["met", "undecided", "not_met", "too_few"]
    assert [(row.label, row.target, row.note) for row in ece.rows] == [
        ("All samples", 0.08, "≤ .080")
    ]
    assert f1.low <= 0.578 < f1.high


def test_a_criterion_is_said_in_the_language_of_the_reader(team: object) -> None:
    run = factory.with_protocols(factory.finished_run(team.project, team.owner))
    english = protocols.section(run).protocols[0]
    with translation.override("zh-hans"):
        chinese = protocols.section(run).protocols[0]
    assert not set(english.sentences) & set(chinese.sentences)
    assert english.unknown[0][1] != chinese.unknown[0][1]
    assert "S3" in chinese.sentences[1]


def test_protocols_of_recipe_and_study_that_do_not_fit_the_alignment_are_named_in_the_form(
    team: object,
) -> None:
    aligned = factory.alignment(team.project, team.owner)
    aligned.spec = aligned.spec | {
        "protocols": [
            {
                "discipline": "LI",
                "criteria": [{"metric": "macro_f1", "without": ["smell"], "at_least": 0.5}],
            }
        ]
    }
    protocols_of_recipe = [
        {
            "discipline": "SP",
            "criteria": [{"metric": "macro_f1", "where": "samples.speakr = 'S3'", "at_least": 0.5}],
        }
    ]
    problems = recipe_checks.problems(aligned, Recipe.parse({"protocols": protocols_of_recipe}))[
        "protocols"
    ]
    assert (
        "protocol of SP, criterion 1, where: column 1: there is no column samples.speakr; did you "
        "mean samples.speaker?" in problems[0]
    )
    assert "protocol of LI, criterion 1, without: there is no modality smell" in problems[1]


def test_a_protocol_that_cannot_be_read_is_refused_in_the_yaml_tab(
    client: Client, team: object
) -> None:
    factory.alignment(team.project, team.owner)
    client.force_login(team.owner)
    text = (
        "protocols:\n  - discipline: SP\n"
        "    criteria: [{metric: macro_f1, at_least: 0.5, where: speaker like 3}]\n"
    )
    answer = client.post(
        f"/p/{team.project.slug}/runs/new/", {"yaml": text, "question": "", "do": "start"}
    )
    assert answer.status_code == 422
    assert "protocol 1, criterion 1, where: column 9" in answer.content.decode()
