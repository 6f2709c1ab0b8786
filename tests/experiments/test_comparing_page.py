"""The page that compares runs."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from apps.experiments.comparing import learning
from apps.experiments.models import Metric, Run
from tests.experiments import factory
from tests.experiments.answers import N, answered_run
from tests.experiments.test_pages import QUERIES

pytestmark = pytest.mark.django_db


@pytest.fixture
def home(settings: Any, tmp_path: Path) -> Any:
    settings.HOME = tmp_path
    return settings


def page(client: Client, user: Any, team: Any, query: str) -> Any:
    client.force_login(user)
    return client.get(f"/p/{team.project.slug}/runs/compare/{query}")


def test_runs_stand_side_by_side_with_paired_differences_in_words(
    client: Client, team: Any, home: Any, django_assert_max_num_queries: Any
) -> None:
    old = answered_run(team, home, 0.6)
    other = factory.Recipe.parse({"method": "gated", "title": "other"}).model_dump(mode="json")
    new = factory.with_protocols(answered_run(team, home, 0.9, 1, recipe=other))
    client.force_login(team.viewer)
    with django_assert_max_num_queries(QUERIES):
        text = client.get(f"/p/{team.project.slug}/runs/compare/?run={new.number}&run={old.number}").content.decode()
    for words in (
        "clearly better",
        "reference",
        "paired on the same 200 test samples",
        "50 clusters",
        "3 of 7 criteria met",
        "gated",
        "Who gains?",
    ):
        assert words in text, words
    assert text.index(f"Run {old.number}") < text.index(f"Run {new.number}")
    turned = page(client, team.viewer, team, f"?run={new.number}&run={old.number}&reference={new.number}").content.decode()
    assert "clearly worse" in turned
    assert turned.index(f"Run {new.number}<") < turned.index(f"Run {old.number}<")


def test_curves_of_the_networks_that_answer_lie_over_each_other(client: Client, team: Any, home: Any) -> None:
    late = answered_run(team, home, 0.6)
    gated = answered_run(team, home, 0.9, 1, recipe=factory.Recipe.parse({"method": "gated"}).model_dump(mode="json"))
    Metric.objects.filter(run__in=[late, gated]).delete()
    curves = {  # of each fit the scores by epoch; the last one is ended early
        late: {
            "image · A, inner 1": [0.2, 0.4, 0.6],
            "text · A, inner 1": [0.4, 0.6],
            "text · A, inner 2": [0.3],
            "gated · A, inner 1": [0.9, 0.9],
        },
        gated: {"gated · A, inner 1": [0.5, 0.8], "image · A, inner 1": [0.1, 0.1]},
    }
    Metric.objects.bulk_create(
        Metric(run=run, attempt=1, fold=fold, seed=0, epoch=epoch, name=f"validation_{run.metric}", value=value)
        for run, fits in curves.items()
        for fold, values in fits.items()
        for epoch, value in enumerate(values, 1)
    )
    [first, second] = learning([late, gated]).lines
    assert (first.label, list(first.xs)) == (str(late.number), [1, 2])
    assert list(first.ys) == pytest.approx([0.3, 0.5])
    assert (list(second.xs), list(second.ys)) == ([1, 2], pytest.approx([0.5, 0.8]))
    text = page(client, team.viewer, team, f"?run={late.number}&run={gated.number}").content.decode()
    assert "Is it learning?" in text
    Metric.objects.filter(run__in=[late, gated]).delete()
    assert learning([late, gated]) is None


def test_runs_on_other_samples_are_refused_in_a_banner_with_what_differs(client: Client, team: Any, home: Any) -> None:
    one, two = answered_run(team, home, 0.6), answered_run(team, home, 0.9, n=N - 20)
    text = page(client, team.viewer, team, f"?run={one.number}&run={two.number}").content.decode()
    assert "were not judged on the same test samples" in text
    assert "20 samples only in run 1, 0 only in run 2, the first: D00180." in text
    assert "clearly" not in text


def test_with_fewer_than_two_finished_runs_one_chooses(client: Client, team: Any, home: Any) -> None:
    one, two = answered_run(team, home, 0.6), answered_run(team, home, 0.9)
    Run.objects.filter(pk=two.pk).update(result=None, score=None)
    text = page(client, team.viewer, team, f"?run={one.number}&run={two.number}").content.decode()
    assert "Run 2 has no result yet, so it is left out." in text
    assert "Nothing to compare yet" in text
    answered_run(team, home, 0.7)
    text = page(client, team.viewer, team, f"?run={one.number}").content.decode()
    assert 'value="1" checked' in text
    assert 'value="3"' in text


def test_answers_that_are_gone_are_told_of(client: Client, team: Any, home: Any) -> None:
    one, two = answered_run(team, home, 0.6), answered_run(team, home, 0.9)
    (Path(home.HOME) / two.bundle_path / "predictions.parquet").unlink()
    assert "The answers of run 2 are gone" in page(client, team.viewer, team, f"?run={one.number}&run={two.number}").content.decode()


@pytest.mark.parametrize("query", ["?run=1&run=2", "", "?run=1"])
def test_an_outsider_finds_no_comparison(client: Client, team: Any, home: Any, query: str) -> None:
    answered_run(team, home, 0.6)
    answered_run(team, home, 0.9)
    assert page(client, team.outsider, team, query).status_code == 404


@pytest.mark.parametrize("query", ["?run=1&run=99", "?run=x", "?run=-1"])
def test_a_run_that_is_not_there_is_not_found(client: Client, team: Any, home: Any, query: str) -> None:
    answered_run(team, home, 0.6)
    assert page(client, team.viewer, team, query).status_code == 404


def test_list_and_run_lead_to_it_without_javascript(client: Client, team: Any, home: Any) -> None:
    one = answered_run(team, home, 0.6)
    client.force_login(team.viewer)
    text = client.get(f"/p/{team.project.slug}/runs/").content.decode()
    assert '<form id="compare" method="get"' in text
    assert 'form="compare" name="run" value="1"' in text
    assert f"/p/{team.project.slug}/runs/compare/?run=1" in client.get(one.get_absolute_url()).content.decode()
