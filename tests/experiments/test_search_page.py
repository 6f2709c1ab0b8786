"""The tries of a search on its run's page; and the form that asks for one."""

from typing import Any

import pytest
from django.test import Client

from apps.datasets.models import Alignment
from apps.experiments.models import Run
from apps.experiments.recipe import estimates
from apps.experiments.recipe.recipe_settings import encoder_in_words
from apps.experiments.report.overview import search
from fusion.schema.intervals import Gain, Interval
from fusion.schema.recipe import Recipe, presets
from fusion.schema.result import Read, Search, Tried
from tests.experiments import factory
from tests.experiments.pages import page_text
from tests.experiments.test_new_run import fields, post

pytestmark = pytest.mark.django_db

KINDS = factory.MODALITIES


@pytest.fixture
def aligned(team: object) -> Alignment:
    return factory.alignment(team.project, team.owner)


def tried(method: str, value: float, loss: float, **more: Any) -> Tried:
    score = Interval(value=value, low=value - 0.02, high=value + 0.02)
    return Tried(
        method=method, score=score, loss=loss, seconds=12.0, **({"chosen": 0, "kept": False} | more)
    )


def searched(verdict: str = "no clear difference", **changes: Any) -> Search:
    other = Gain(value=-0.004, low=-0.01, high=0.002, over="late", verdict=verdict)
    reads = [
        Read(
            encoders=[{"name": "efficientnet-lite0", "layers": [7, 10]}, {"name": "pixels"}],
            loss=0.71,
            rounds=4,
            chosen=3,
            kept=True,
        ),
        Read(
            encoders=[{"name": "efficientnet-lite0", "pooling": "mean"}],
            loss=1.31,
            rounds=4,
            chosen=1,
            kept=False,
            own=True,
        ),
    ]
    rows = [
        tried("late", 0.894, 0.39, chosen=4, kept=True),
        tried("ensemble", 0.89, 0.4, difference=other),
    ]
    fields_ = {
        "rounds": 4,
        "tried": rows,
        "not_tried": ["crossattention"],
        "budget_seconds": 240.0,
        "probe": {"image": reads},
    }
    return Search(**(fields_ | changes))


def run_of(team: Any, tried: Search) -> Run:
    result = factory.result().model_copy(update={"search": tried})
    return factory.finished_run(team.project, team.owner, result=result.model_dump(mode="json"))


def page(client: Client, team: Any, run: Run) -> str:
    return page_text(client, team.viewer, run.get_absolute_url())


def test_all_that_was_tried_stands_on_the_page_and_no_winner_is_named_where_there_is_none(
    client: Client, team: Any
) -> None:
    text = page(client, team, run_of(team, searched()))
    for words in (
        "What was tried",
        "Late fusion did best inside the training samples of 4 rounds of 4",
        "it cannot be told apart from Ensemble",
        "Not tried, since the 4 min of computing were spent: Cross-attention.",
        "EfficientNet-Lite0, layers 7 and 10 + Pixels",
        "as the recipe says",
    ):
        assert words in text, words


def test_a_method_that_did_better_on_the_test_samples_is_named(team: Any) -> None:
    result = factory.result().model_copy(update={"search": searched("clearly better")})
    section = search.section(result, KINDS)
    assert section is not None
    assert "On the test samples Ensemble did clearly better" in section.words


def test_a_run_without_a_search_says_nothing_of_it(client: Client, team: Any) -> None:
    assert "What was tried" not in page(
        client, team, factory.finished_run(team.project, team.owner)
    )


def test_an_outsider_sees_nothing_of_it(client: Client, team: Any) -> None:
    client.force_login(team.outsider)
    assert client.get(run_of(team, searched()).get_absolute_url()).status_code == 404


def test_the_page_takes_no_query_more(
    client: Client, team: Any, django_assert_max_num_queries: Any
) -> None:
    run = run_of(team, searched())
    client.force_login(team.viewer)
    with django_assert_max_num_queries(25):
        client.get(run.get_absolute_url())


def test_an_encoder_that_is_gone_keeps_its_name() -> None:
    assert encoder_in_words({"name": "gone", "resolution": 96}) == "gone, 96 pixels"


def test_the_form_starts_a_search_with_its_budget(
    client: Client, team: Any, aligned: Alignment
) -> None:
    post(client, team, fields(aligned, presets()["search"], minutes="2.5"))
    recipe = Recipe.parse(Run.objects.get().recipe)
    assert recipe.search is not None
    assert (recipe.search.budget_seconds, recipe.search.probe, recipe.method) == (
        150,
        True,
        "ensemble",
    )
    assert set(recipe.methods) == set(presets()["search"].methods)


def test_the_form_names_a_budget_that_makes_no_sense(
    client: Client, team: Any, aligned: Alignment
) -> None:
    answer = post(client, team, fields(aligned, presets()["search"], minutes="-1"))
    assert answer.status_code == 422
    assert "minutes" in answer.context["form"].errors


def test_without_the_switch_there_is_none(client: Client, team: Any, aligned: Alignment) -> None:
    post(client, team, fields(aligned))
    assert Run.objects.get().recipe["search"] is None


def test_a_search_costs_more_time_than_its_recipe_without_one_and_is_bounded_by_its_budget(
    team: Any, aligned: Alignment
) -> None:
    searching, standard = (
        estimates.estimate(aligned, presets()[name]) for name in ("search", "standard")
    )
    assert searching.high > standard.high
    recipe = presets()["search"]
    assert recipe.search is not None
    short = recipe.model_copy(
        update={"search": recipe.search.model_copy(update={"budget_seconds": 1.0})}
    )
    assert estimates.estimate(aligned, short).high < searching.high
