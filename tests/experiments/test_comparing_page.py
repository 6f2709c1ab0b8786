"""The page that compares runs."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from apps.experiments.models import Metric, Run
from apps.experiments.report.run_comparison import learning
from tests.experiments import factory
from tests.experiments.answered_runs import N, answered_run
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
        text = client.get(
            f"/p/{team.project.slug}/runs/compare/?run={new.number}&run={old.number}"
        ).content.decode()
    for words in (
        "clearly better",
        "reference",
        "paired on the same 200 test samples",
        "50 clusters",
        "3 of 7 criteria met",
        "How they are joined",
        "Gated fusion",
        "Who gains?",
    ):
        assert words in text, words
    assert text.index(f"Run {old.number}") < text.index(f"Run {new.number}")
    turned = page(
        client, team.viewer, team, f"?run={new.number}&run={old.number}&reference={new.number}"
    ).content.decode()
    assert "clearly worse" in turned
    assert turned.index(f"Run {new.number}") < turned.index(f"Run {old.number}")


def test_curves_of_runs_that_answer_by_one_network_lie_over_each_other(
    client: Client, team: Any, home: Any
) -> None:
    concat, gated = (
        factory.Recipe.parse({"method": method}).model_dump(mode="json")
        for method in ("concat", "gated")
    )
    runs = [
        answered_run(team, home, 0.6),
        answered_run(team, home, 0.7, 1, recipe=concat),
        answered_run(team, home, 0.9, 2, recipe=gated),
    ]
    scores = [  # by epoch, of each fit; some are ended early
        {("image", "A", 1): [0.2, 0.4], ("gated", "A", 1): [0.9, 0.9]},
        {
            ("concat", "A", 1): [0.2, 0.4, 0.6],
            ("concat", "A", 2): [0.4, 0.6],
            ("concat", "B", 1): [0.3],
            ("image", "A", 1): [0.9],
        },
        {("gated", "A", 1): [0.5, 0.8], ("image", "A", 1): [0.1, 0.1]},
    ]
    Metric.objects.all().delete()
    Metric.objects.bulk_create(
        Metric(
            run=run,
            attempt=1,
            model=model,
            fold=fold,
            inner=inner,
            seed=0,
            epoch=epoch,
            name=f"validation_{run.metric}",
            value=value,
        )
        for run, fits in zip(runs, scores)
        for (model, fold, inner), values in fits.items()
        for epoch, value in enumerate(values, 1)
    )
    [first, second] = learning(runs).lines
    assert (first.label, list(first.xs), list(first.ys)) == (
        str(runs[1].number),
        [1, 2],
        pytest.approx([0.3, 0.5]),
    )
    assert (second.label, list(second.xs), list(second.ys)) == (
        str(runs[2].number),
        [1, 2],
        pytest.approx([0.5, 0.8]),
    )
    assert (
        "Is it learning?"
        in page(
            client, team.viewer, team, f"?run={runs[0].number}&run={runs[2].number}"
        ).content.decode()
    )
    assert learning(runs[:1]) is None


def test_runs_on_other_samples_are_refused_in_a_banner_with_what_differs(
    client: Client, team: Any, home: Any
) -> None:
    first, second = answered_run(team, home, 0.6), answered_run(team, home, 0.9, n=N - 20)
    text = page(
        client, team.viewer, team, f"?run={first.number}&run={second.number}"
    ).content.decode()
    assert "were not judged on the same test samples" in text
    assert "20 samples only in run 1, 0 only in run 2, the first: D00180." in text
    assert "clearly" not in text


def test_with_fewer_than_two_finished_runs_one_chooses(
    client: Client, team: Any, home: Any
) -> None:
    first, second = answered_run(team, home, 0.6), answered_run(team, home, 0.9)
    Run.objects.filter(pk=second.pk).update(result=None, score=None)
    text = page(
        client, team.viewer, team, f"?run={first.number}&run={second.number}"
    ).content.decode()
    assert "Run 2 has no result yet, so it is left out." in text
    assert "Nothing to compare yet" in text
    answered_run(team, home, 0.7)
    text = page(client, team.viewer, team, f"?run={first.number}").content.decode()
    assert 'value="1" checked' in text
    assert 'value="3"' in text


def test_answers_that_are_gone_are_told_of(client: Client, team: Any, home: Any) -> None:
    first, second = answered_run(team, home, 0.6), answered_run(team, home, 0.9)
    (Path(home.HOME) / second.bundle_path / "predictions.parquet").unlink()
    assert (
        "The answers of run 2 are gone"
        in page(
            client, team.viewer, team, f"?run={first.number}&run={second.number}"
        ).content.decode()
    )


@pytest.mark.parametrize("query", ["?run=1&run=2", "", "?run=1"])
def test_an_outsider_finds_no_comparison(client: Client, team: Any, home: Any, query: str) -> None:
    answered_run(team, home, 0.6)
    answered_run(team, home, 0.9)
    assert page(client, team.outsider, team, query).status_code == 404


@pytest.mark.parametrize("query", ["?run=1&run=99", "?run=x", "?run=-1"])
def test_a_run_that_is_not_there_is_not_found(
    client: Client, team: Any, home: Any, query: str
) -> None:
    answered_run(team, home, 0.6)
    assert page(client, team.viewer, team, query).status_code == 404


def test_list_and_run_lead_to_it_without_javascript(client: Client, team: Any, home: Any) -> None:
    first = answered_run(team, home, 0.6)
    client.force_login(team.viewer)
    text = client.get(f"/p/{team.project.slug}/runs/").content.decode()
    assert '<form id="compare" method="get"' in text
    assert 'form="compare" name="run" value="1"' in text
    assert (
        f"/p/{team.project.slug}/runs/compare/?run=1"
        in client.get(first.get_absolute_url()).content.decode()
    )
