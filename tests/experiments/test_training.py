"""Runs in a worker: what they store, how they end, and that a kill changes nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from apps.discussions.models import Notification
from apps.experiments import services
from apps.experiments.artifacts import predictions
from apps.experiments.models import Run
from apps.jobs import leases
from apps.jobs import services as jobs
from apps.jobs.models import Job, LogLine
from apps.jobs.work import perform
from apps.projects.models import Event
from fusion.core.fit_key import FitKey
from fusion.estimates.machine import Machine
from fusion.pipeline.bundle_files import load
from tests.experiments import small

WORKER = Path(__file__).with_name("worker.py")
POLL_SECONDS = 0.1


def started(team: object, **options: object) -> Run:
    return services.start_run(
        team.owner,
        team.project,
        small.frozen(team.project, team.owner),
        small.recipe(**options),
        "Does it run?",
    )


def finished(team: object, **options: object) -> Run:
    run = started(team, **options)
    perform(str(run.job_id))
    run.refresh_from_db()
    run.job.refresh_from_db()
    return run


@pytest.mark.django_db(transaction=True)
def test_a_run_stores_what_the_engine_wrote(team: object) -> None:
    run = finished(team)
    assert (run.job.state, run.job.error) == (Job.State.FINISHED, "")
    folder = settings.HOME / run.bundle_path
    assert run.result == json.loads((folder / "result.json").read_text()) | {
        "seconds": run.result["seconds"]
    }
    assert load(folder).result == run.evaluation.model_copy(
        update={"seconds": load(folder).result.seconds}
    )
    assert run.bundle_digest == json.loads((folder / "bundle.json").read_text())["digest"]
    assert run.score == run.evaluation.headline.score.value
    assert run.gain_low == run.evaluation.headline.gain_over_best_single.low
    assert not (folder.parent / "work").exists()


@pytest.mark.django_db(transaction=True)
def test_a_run_teaches_the_installation_what_it_took(team: object) -> None:
    before = Machine.load(settings.HOME)
    finished(team)
    after = Machine.load(settings.HOME)
    assert after.runs == before.runs + 1
    assert after.step("gated") != before.step("gated")
    assert after.base_mb > 50
    assert after.memory_mb


@pytest.mark.django_db(transaction=True)
def test_a_finished_run_is_told_and_can_be_read(team: object) -> None:
    run = finished(team)
    event = Event.objects.get(verb="run.finished")
    assert (event.target_id, event.data["metric"], event.data["score"]) == (
        str(run.number),
        "macro_f1",
        run.score,
    )
    assert Notification.objects.get(event=event).user == team.owner
    assert run.metrics.filter(name="validation_macro_f1").exists()
    assert LogLine.objects.filter(job=run.job).exists()
    table = predictions.table(run, {"show": "wrong"})
    counts = run.evaluation.confusion.counts
    assert table.page.paginator.count == sum(
        n for i, row in enumerate(counts) for j, n in enumerate(row) if i != j
    )
    assert table.total == run.evaluation.n_samples
    wrong = list(table.page)
    assert wrong
    assert not any(row["right"] for row in wrong)
    prediction = predictions.of_sample(run, "S000")
    assert {single["modality"] for single in prediction["answers"]} == {"image", "text", "scale"}


@pytest.mark.django_db(transaction=True)
def test_a_run_without_its_table_fails_in_words(team: object) -> None:
    run = started(team)
    run.alignment.table = None
    run.alignment.save()
    perform(str(run.job_id))
    run.job.refresh_from_db()
    assert run.job.state == Job.State.FAILED
    assert "freeze it again" in run.job.error
    assert Notification.objects.filter(event__verb="run.failed", user=team.owner).exists()


@pytest.mark.django_db(transaction=True)
def test_a_full_disk_and_missing_memory_are_named(
    team: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = {
        "disk": OSError(28, "No space left on device"),
        "memory": RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    }
    for word, error in errors.items():

        def fail(*_args: object, error: BaseException = error) -> None:
            raise error

        monkeypatch.setattr("fusion.pipeline.run.train", fail)
        run = finished(team)
        assert run.job.state == Job.State.FAILED
        assert word in run.job.error


@pytest.mark.django_db(transaction=True)
def test_a_stale_attempt_cannot_write_its_result(team: object) -> None:
    run = finished(team)
    result = run.evaluation
    Run.objects.filter(pk=run.pk).update(result=None)
    with pytest.raises(leases.Fenced):
        services.finish_run(run.job, run, result, "runs/x", "0")
    run.refresh_from_db()
    assert run.result is None


@pytest.fixture
def start_worker(transactional_db: None) -> Iterator[Callable[[], subprocess.Popen]]:
    workers: list[subprocess.Popen] = []

    def start() -> subprocess.Popen:
        command = [sys.executable, str(WORKER), str(connection.settings_dict["NAME"])]
        workers.append(
            subprocess.Popen(command, env={**os.environ, "CONSILIENCE_LEASE_SECONDS": "3"})
        )
        return workers[-1]

    yield start
    for worker in workers:
        kill(worker)


def kill(worker: subprocess.Popen) -> None:
    try:
        os.killpg(worker.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def wait(job: Job, condition: Callable[[Job], bool]) -> None:
    """Look again until the worker has come so far; a run that never does meets the time limit of
    every test, one that ended otherwise fails at once.
    """
    while True:
        job.refresh_from_db()
        if condition(job):
            return
        assert not job.is_over, f"{job.state} in {job.stage}, attempt {job.attempt}: {job.error}"
        jobs.sweep()
        time.sleep(POLL_SECONDS)


def facts(run: Run) -> dict:
    return {
        name: value for name, value in run.result.items() if name not in ("seconds", "environment")
    }


@pytest.mark.skipif(
    connection.vendor != "sqlite",
    reason="the worker of this test is pointed at the SQLite file of the tests",
)
def test_a_run_whose_worker_was_killed_ends_in_the_same_result(
    start_worker: Callable, team: object
) -> None:
    undisturbed = finished(team, epochs=150, seeds=2)
    run = services.retry(team.owner, undisturbed)
    first = start_worker()
    wait(run.job, lambda job: job.stage == "train" and job.done >= 3)
    kill(first)
    start_worker()
    wait(run.job, lambda job: job.is_over)
    run.refresh_from_db()
    assert (run.job.state, run.job.attempt) == (Job.State.FINISHED, 2)
    assert facts(run) == facts(undisturbed)
    assert curve(run) == curve(undisturbed)


def curve(run: Run) -> list[tuple]:
    return sorted(run.metrics.values_list(*FitKey._fields, "seed", "name", "epoch", "value"))


@pytest.mark.skipif(
    connection.vendor != "sqlite",
    reason="the worker of this test is pointed at the SQLite file of the tests",
)
def test_a_running_run_stops_when_asked(start_worker: Callable, team: object) -> None:
    start_worker()
    run = started(team, epochs=400, seeds=3)
    wait(run.job, lambda job: job.stage == "train" and job.done >= 1)
    services.stop_run(team.owner, run)
    wait(run.job, lambda job: job.is_over)
    assert (run.job.state, run.job.stage) == (Job.State.STOPPED, "train")
    assert run.job.done < run.job.total
    assert Event.objects.filter(verb="run.stopped").exists()
