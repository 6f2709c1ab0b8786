"""Every learning task through a worker and then through every page that shows a run, in both
languages.
"""

from itertools import product

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.test import Client

from apps.experiments import services
from apps.experiments.artifacts import embedding_map, predictions
from apps.experiments.models import Run
from apps.experiments.recipe import recipe_checks
from apps.jobs.models import Job
from apps.jobs.work import perform
from apps.registry import services as registry
from apps.reviews import services as reviews
from apps.reviews.models import Review
from fusion.pipeline.bundle_files import load
from fusion.schema.recipe import Recipe
from tests.experiments import small

METRICS = {"ordinal": "macro_f1", "regression": "r2", "multi-label": "macro_f1"}
NAMES = {"ordinal": "Macro-F1", "regression": "R²", "multi-label": "Macro-F1"}
CARD = {"meant_for": "Tests", "not_for": "Anything else", "limits": "None known."}


def pages_of(run: Run) -> list[str]:
    home, page = f"/p/{run.project.slug}/", run.get_absolute_url()
    tabs = (
        "",
        "curves/",
        "predictions/",
        "map/",
        "settings/",
        "log/",
        "predictions/?show=wrong",
        "predictions/?sort=truth",
        "?talk=modalities",
    )
    return [home, f"{home}runs/", f"{home}models/", *(page + tab for tab in tabs)]


def pages_of_review(run: Run, review: Review) -> list[str]:
    return [
        f"/p/{run.project.slug}/reviews/{review.number}/{tab}"
        for tab in ("", "changes/", "evidence/")
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("task", METRICS)
def test_a_run_of_every_task_can_be_seen_everywhere(
    team: object, client: Client, task: str
) -> None:
    alignment = small.frozen(team.project, team.owner, task)
    run = services.start_run(team.owner, team.project, alignment, small.recipe(), "Which kind?")
    client.force_login(team.owner)
    assert client.get(run.get_absolute_url()).status_code == 200
    perform(str(run.job_id))
    run = Run.objects.get(pk=run.pk)
    assert (run.job.state, run.job.error) == (Job.State.FINISHED, "")
    result = run.evaluation
    assert (result.task, run.metric, result.headline.metric) == (task, METRICS[task], METRICS[task])
    assert run.score == result.metrics[run.metric].value
    assert load(settings.HOME / run.bundle_path).learning_task.name == task
    version = registry.register_run(team.owner, run, "Kinds", "Recognises a kind.", CARD, None)
    review = reviews.propose(team.owner, version, "The first.", {team.speech: team.reviewer})
    for language, address in product(
        ("en", "zh-hans"),
        [*pages_of(run), version.get_absolute_url(), *pages_of_review(run, review)],
    ):
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
        assert client.get(address).status_code == 200, address
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    assert NAMES[task] in client.get(run.get_absolute_url()).content.decode()
    shown = embedding_map.embedding_map(run, {})
    assert sum(len(dots.xs) for dots in shown.plot.dots) == result.n_samples
    assert sum(shown.values.values()) == result.n_samples
    assert len(shown.values) <= 3 or task == "multi-label"
    table = predictions.table(run, {"show": "wrong"})
    assert table.total == result.n_samples
    wrong = list(table.page)
    assert wrong
    assert not any(row["right"] for row in wrong)
    prediction = {"run": run} | predictions.of_sample(run, "S000")
    assert bool(prediction["spread"]) == (task == "regression")
    assert prediction["answer"] in render_to_string(
        "workspace/_sample_predictions.html",
        {"predictions": [prediction], "project": team.project},
    )


@pytest.mark.django_db
def test_rules_are_refused_in_the_form_where_an_answer_is_not_one_label(team: object) -> None:
    alignment = small.frozen(team.project, team.owner, "regression")
    rules = {"rules": [{"when": "person = 'P1'", "label": "a"}]}
    recipe = Recipe.parse(small.recipe().model_dump(mode="json") | {"knowledge": rules})
    assert (
        "speak of one label of several" in recipe_checks.problems(alignment, recipe)["knowledge"][0]
    )
    off = Recipe.parse(
        small.recipe().model_dump(mode="json") | {"knowledge": rules | {"use": "off"}}
    )
    assert "knowledge" not in recipe_checks.problems(alignment, off)
