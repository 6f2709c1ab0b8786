"""Rules on a run's page: shown in words with what each is worth; nothing where a run has none;
faults named before it starts.
"""

import pytest
from django.test import Client
from django.utils import translation

from apps.experiments.recipe import recipe_checks
from apps.experiments.report.disciplines import rules
from apps.experiments.report.overview import contributions
from fusion.knowledge import ENGLISH
from fusion.schema.recipe import Recipe
from tests.experiments import factory
from tests.experiments.pages import page_text
from tests.experiments.test_pages import QUERIES

pytestmark = pytest.mark.django_db


def test_the_page_says_of_each_rule_who_obeys_it_and_whether_it_helps(
    client: Client, team: object, django_assert_max_num_queries: object
) -> None:
    run = factory.with_rules(factory.finished_run(team.project, team.owner))
    client.force_login(team.viewer)
    with django_assert_max_num_queries(QUERIES):
        text = client.get(run.get_absolute_url()).content.decode()
    assert "When clues.clue contains “pair”, the label is two or eight (weight 0.5)." in text
    assert "When recordings.seconds is at most 0.75, the label is not seven (always)." in text
    assert text.index("helps") < text.index("hurts")
    assert "1,020 labels break it" in text
    assert "1 answer of the model breaks it" in text
    assert "only 10 clusters, too narrow" in text
    assert f'href="/p/{team.project.slug}/samples/D00011/"' in text
    assert "and 1,008 more" in text


def test_rules_at_prediction_are_one_of_the_things_it_relies_on(team: object) -> None:
    run = factory.with_rules(factory.finished_run(team.project, team.owner))
    section = contributions.section(run.evaluation, run.kinds)
    bars = section.plot.rows
    assert [(bar.label, bar.kind) for bar in bars if bar.kind == "knowledge"] == [
        ("rules", "knowledge")
    ]
    assert section.by_label.names["knowledge"] == "rules"


def test_a_run_without_rules_shows_no_such_section(client: Client, team: object) -> None:
    run = factory.finished_run(team.project, team.owner)
    assert 'id="knowledge"' not in page_text(client, team.viewer, run.get_absolute_url())


def test_a_rule_is_said_in_the_language_of_the_reader(team: object) -> None:
    run = factory.with_rules(factory.finished_run(team.project, team.owner))
    [rule, _other] = rules.section(run).rules
    assert rule.verdict.words == "helps"
    assert rules.phrases() == ENGLISH
    with translation.override("zh-hans"):
        assert set(rules.phrases()) == set(ENGLISH)
        assert "pair" in rules.sentence(run.evaluation.rules[0].rule)


@pytest.mark.parametrize(
    ("when", "label", "words"),
    [
        ("clues.clu = 'x'", "two", "there is no column clues.clu; did you mean clues.clue?"),
        ("samples.label_name = 'two'", "two", "holds the label itself"),
        ("clue contains 'pair'", "too", "too is not among the allowed labels; did you mean two?"),
    ],
)
def test_a_rule_that_does_not_fit_the_alignment_is_named_in_the_form(
    team: object, when: str, label: str, words: str
) -> None:
    aligned = factory.alignment(team.project, team.owner)
    recipe = Recipe.parse({"knowledge": {"rules": [{"when": when, "label": label}]}})
    problem = recipe_checks.problems(aligned, recipe)["knowledge"][0]
    assert words in problem
    assert problem.startswith("Rule 1 (")


def test_a_rule_that_cannot_be_read_is_refused_in_the_yaml_tab(
    client: Client, team: object
) -> None:
    factory.alignment(team.project, team.owner)
    client.force_login(team.owner)
    text = (
        "knowledge:\n  rules:\n"
        "    - {when: clue like 'pair', label: two}\n"
        "    - {when: clue = 'a', label: two}\n"
    )
    answer = client.post(
        f"/p/{team.project.slug}/runs/new/", {"yaml": text, "question": "", "do": "start"}
    )
    assert answer.status_code == 422
    assert "rule 1, when: column 6" in answer.content.decode()


def test_definitions_stand_side_by_side_with_what_they_are_worth(
    client: Client, team: object
) -> None:
    run = factory.finished_run(team.project, team.owner)
    pair = {
        "with_it": {"value": 0.81},
        "without": {"value": 0.79},
        "change": {"value": 0.02, "low": 0.01, "high": 0.03},
    }
    label, code = run.evaluation.labels[2], team.speech.code
    definitions = [
        {"name": label, "discipline": code, "definition": "exactly a pair"},
        {"name": "couple", "label": label, "definition": "one and one"},
    ]
    concepts = {
        "encoder": "minilm-l6-v2",
        "concepts": definitions,
        "score": pair,
        "few": [label],
        "auroc_of_few": pair,
        "verdict": "helps",
    }
    type(run).objects.filter(pk=run.pk).update(result=run.result | {"concepts": concepts})
    client.force_login(team.viewer)
    text = client.get(run.get_absolute_url()).content.decode()
    for words in (
        "Do definitions help?",
        "2 definitions",
        "exactly a pair",
        "one and one",
        "couple",
        "MiniLM L6 v2 reads them",
    ):
        assert words in text


def test_a_definition_of_no_label_is_named_in_the_form(team: object) -> None:
    aligned = factory.alignment(team.project, team.owner)
    recipe = Recipe.parse(
        {
            "knowledge": {
                "encoder": "pixels",
                "concepts": [{"name": "dozen", "definition": "twelve"}],
            }
        }
    )
    defined, encoder = recipe_checks.problems(aligned, recipe)["knowledge"]
    assert "dozen is defined, but it is no label" in defined
    assert "does not read this kind of input" in encoder
