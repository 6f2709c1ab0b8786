"""Pages of runs: who may see and do what, what they say, bounded queries."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.experiments import services
from apps.experiments.models import Run
from apps.experiments.report.overview import shortfalls
from apps.jobs.models import Job, LogLine
from tests.experiments import factory

pytestmark = pytest.mark.django_db
TABS = ("", "curves/", "predictions/", "map/", "settings/", "log/", "discussion/")
QUERIES = 25


def page(client: Client, user: object, team: object, path: str, **options: object) -> object:
    client.force_login(user)
    return client.get(f"/p/{team.project.slug}/runs/{path}", **options)


def going(team: object, state: str, error: str = "") -> Run:
    run = factory.finished_run(team.project, team.owner, result=None, score=0.5)
    now = timezone.now()
    Job.objects.filter(pk=run.job_id).update(
        state=state,
        stage="train",
        error=error,
        done=3,
        total=24,
        unit="models",
        stage_started_at=now,
        finished_at=now if error else None,
    )
    return run


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_of_a_finished_run_is_there_for_a_viewer(
    client: Client, team: object, tab: str, django_assert_max_num_queries: object
) -> None:
    run = factory.finished_run(team.project, team.owner)
    client.force_login(team.viewer)
    with django_assert_max_num_queries(QUERIES):
        answer = client.get(f"{run.get_absolute_url()}{tab}")
    assert answer.status_code == 200
    assert run.title in answer.content.decode()


@pytest.mark.parametrize("path", ["", "new/", "1/", "1/curves/", "1/recipe/"])
def test_an_outsider_finds_no_run(client: Client, team: object, path: str) -> None:
    factory.finished_run(team.project, team.owner)
    assert page(client, team.outsider, team, path).status_code == 404


@pytest.mark.parametrize("verb", ["stop", "again", "rename", "delete", "restore"])
def test_a_viewer_changes_nothing_about_a_run(client: Client, team: object, verb: str) -> None:
    run = factory.finished_run(team.project, team.owner)
    client.force_login(team.viewer)
    assert client.post(f"{run.get_absolute_url()}{verb}/").status_code == 403
    assert page(client, team.viewer, team, "new/").status_code == 403
    assert Run.objects.count() == 1


def test_the_list_without_runs_names_the_one_next_step(client: Client, team: object) -> None:
    assert (
        reverse("experiments:new_run", args=[team.project.slug])
        in page(client, team.owner, team, "").content.decode()
    )


def test_the_list_filters_sorts_and_counts(
    client: Client, team: object, django_assert_max_num_queries: object
) -> None:
    aligned = factory.alignment(team.project, team.owner)
    for value in (0.81, 0.84, 0.83):
        factory.finished_run(team.project, team.owner, aligned, value, question=f"Score {value}?")
    going(team, "running")
    client.force_login(team.viewer)
    with django_assert_max_num_queries(QUERIES):
        text = client.get(
            f"/p/{team.project.slug}/runs/?state=finished&sort=-score"
        ).content.decode()
    assert "3 of 4 runs" in text
    assert text.index("Score 0.84?") < text.index("Score 0.83?") < text.index("Score 0.81?")
    assert "No run matches" in page(client, team.viewer, team, "?q=nonsense").content.decode()


def test_the_leader_is_named_with_those_it_cannot_be_told_from(
    client: Client, team: object
) -> None:
    aligned = factory.alignment(team.project, team.owner)
    for value in (0.70, 0.84, 0.83):
        factory.finished_run(team.project, team.owner, aligned, value)
    assert (
        "the interval of 1 other run holds it too"
        in page(client, team.owner, team, "").content.decode()
    )


def test_a_result_says_in_words_what_the_figures_mean(client: Client, team: object) -> None:
    run = factory.finished_run(team.project, team.owner)
    text = page(client, team.viewer, team, f"{run.number}/").content.decode()
    for words in (
        "Losing speech costs most: −.120.",
        "Without any one input it stays above the best single modality.",
        "five and nine are taken for each other 28 times.",
        "Lowest: speaker S3 with .810",
        "clearly better",
        "no clear winner among the methods",
        "1,200 of 1,215 samples tested",
        "only 9 samples",
    ):
        assert words in text, words


def test_it_says_what_is_lost_with_one_input_only(client: Client, team: object) -> None:
    run = factory.finished_run(team.project, team.owner)
    text = page(client, team.viewer, team, f"{run.number}/").content.decode()
    assert "With one input only, Late fusion is not clearly worse" in text
    assert "−.040 clearly worse" in text
    assert "−.057 to −.025" in text


def test_a_method_that_falls_short_is_named_with_the_way_out() -> None:
    section = shortfalls.section(factory.result(method="gated"), floor=False)
    assert section.words.startswith(
        "Gated fusion is clearly worse than the input's own model when it has only image, speech "
        "and text."
    )
    none = factory.result().model_copy(update={"shortfalls": []})
    assert shortfalls.section(none, floor=False) is None


def test_a_cell_of_the_confusion_leads_to_its_samples(client: Client, team: object) -> None:
    run = factory.finished_run(team.project, team.owner)
    assert (
        "/predictions/?truth=five&amp;answer=nine"
        in page(client, team.viewer, team, f"{run.number}/").content.decode()
    )


def test_the_recipe_is_a_file_that_the_engine_reads(client: Client, team: object) -> None:
    from fusion.schema.recipe import Recipe

    run = factory.finished_run(team.project, team.owner)
    answer = page(client, team.viewer, team, f"{run.number}/recipe/")
    assert f'filename="run-{run.number}.yaml"' in answer["Content-Disposition"]
    assert Recipe.from_text(answer.content.decode()) == Recipe.parse(run.recipe)


def test_a_running_run_shows_its_stages_and_can_be_stopped(
    client: Client, team: object, django_assert_max_num_queries: object
) -> None:
    run = going(team, "running")
    client.force_login(team.contributor)
    with django_assert_max_num_queries(QUERIES):
        text = client.get(run.get_absolute_url()).content.decode()
    assert "3 of 24 models" in text
    assert "run-live" in text
    assert client.post(f"{run.get_absolute_url()}stop/").status_code == 302
    assert Job.objects.get(pk=run.job_id).stop_requested


def test_a_failed_run_says_why_and_offers_a_clone(client: Client, team: object) -> None:
    run = going(team, "failed", "The worker ran out of memory. Halve the batch size.")
    LogLine.objects.create(
        job=run.job, attempt=1, at=timezone.now(), text="the last line before the end"
    )
    text = page(client, team.owner, team, f"{run.number}/").content.decode()
    assert "Halve the batch size." in text
    assert "the last line before the end" in text
    assert f"new/?from={run.number}" in text


def test_an_open_page_reloads_when_the_state_has_changed(client: Client, team: object) -> None:
    run = factory.finished_run(team.project, team.owner)
    answer = page(
        client, team.viewer, team, f"{run.number}/?state=running", headers={"HX-Request": "true"}
    )
    assert answer.headers["HX-Refresh"] == "true"


def test_a_run_can_be_renamed_deleted_and_brought_back(client: Client, team: object) -> None:
    run = factory.finished_run(team.project, team.owner)
    client.force_login(team.owner)
    client.post(f"{run.get_absolute_url()}rename/", {"name": "The calm one", "question": "Why?"})
    assert "The calm one" in client.get(run.get_absolute_url()).content.decode()
    assert client.post(f"{run.get_absolute_url()}rename/", {"name": "x" * 121}).status_code == 422
    assert (
        "restore" in client.post(f"{run.get_absolute_url()}delete/", follow=True).content.decode()
    )
    assert client.get(run.get_absolute_url()).status_code == 404
    client.post(f"{run.get_absolute_url()}restore/")
    assert client.get(run.get_absolute_url()).status_code == 200


def test_a_running_run_is_not_deleted(client: Client, team: object) -> None:
    run = going(team, "running")
    client.force_login(team.owner)
    client.post(f"{run.get_absolute_url()}delete/")
    run.refresh_from_db()
    assert run.deleted_at is None


def test_run_again_starts_a_new_one_from_the_same_recipe(client: Client, team: object) -> None:
    run = factory.finished_run(team.project, team.owner)
    client.force_login(team.contributor)
    client.post(f"{run.get_absolute_url()}again/")
    again = Run.objects.get(parent=run)
    assert (again.alignment, again.job.state) == (run.alignment, Job.State.QUEUED)
    assert again.recipe["training"] == run.recipe["training"]
    assert set(again.recipe["encoders"]) == {"image", "speech", "text"}


def test_only_the_starter_or_a_maintainer_deletes(team: object) -> None:
    from django.core.exceptions import PermissionDenied

    run = factory.finished_run(team.project, team.owner)
    with pytest.raises(PermissionDenied):
        services.delete(team.contributor, run)
    services.delete(team.maintainer, run)
