"""Workers that die, freeze or race: every job ends once, with the same result."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection, transaction

from apps.jobs import leases, services
from apps.jobs.handlers import Handler, register
from apps.jobs.models import Job, LogLine

HERE = Path(__file__).parent
LEASE = 2
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        connection.vendor != "sqlite",
        reason="the worker of these tests is pointed at the SQLite file of the tests",
    ),
]


@pytest.fixture
def start_worker(transactional_db: None) -> Iterator[Callable[[], subprocess.Popen]]:
    """Starts a worker; all are ended with their process groups."""
    workers: list[subprocess.Popen] = []

    def start() -> subprocess.Popen:
        command = [sys.executable, str(HERE / "worker.py"), str(connection.settings_dict["NAME"])]
        workers.append(
            subprocess.Popen(command, env={**os.environ, "CONSILIENCE_LEASE_SECONDS": str(LEASE)})
        )
        return workers[-1]

    yield start
    for worker in workers:
        kill(worker)


@pytest.fixture
def counting(team: object, tmp_path: Path) -> Callable[[int], Job]:
    register("counting", Handler("counting:run"))

    def submit(total: int, folder: Path = tmp_path) -> Job:
        with transaction.atomic():
            return services.submit(
                team.project,
                team.owner,
                "counting",
                {"folder": str(folder), "total": total},
                ["count"],
            )

    return submit


def kill(worker: subprocess.Popen, number: signal.Signals = signal.SIGKILL) -> None:
    try:
        os.killpg(worker.pid, number)
    except ProcessLookupError:
        return


def wait(
    job: Job, condition: Callable[[Job], bool], seconds: float = 120, sweep: bool = False
) -> Job:
    deadline = time.monotonic() + seconds
    while True:
        job.refresh_from_db()
        if condition(job):
            return job
        assert time.monotonic() < deadline, (
            f"{job.state}, attempt {job.attempt}, {job.done} of {job.total}, {job.error}"
        )
        if sweep:
            services.sweep()
        time.sleep(0.2)


def counted(folder: Path) -> list[tuple[int, int]]:
    return [tuple(map(int, line.split())) for line in (folder / "counted").read_text().splitlines()]


def test_a_job_runs_in_a_real_worker_and_leaves_its_progress_and_log(
    start_worker: Callable, counting: Callable[[int], Job], tmp_path: Path
) -> None:
    start_worker()
    job = wait(counting(5), lambda job: job.is_over)
    assert (job.state, job.attempt, job.done, job.total) == (Job.State.FINISHED, 1, 5, 5)
    assert [number for _attempt, number in counted(tmp_path)] == [1, 2, 3, 4, 5]
    assert LogLine.objects.filter(job=job).count() == 5


def test_a_worker_killed_in_the_middle_ends_in_the_same_result(
    start_worker: Callable, counting: Callable[[int], Job], tmp_path: Path
) -> None:
    first = start_worker()
    job = counting(30)
    wait(job, lambda job: job.done >= 5)
    kill(first)
    start_worker()
    wait(job, lambda job: job.is_over, sweep=True)
    assert (job.state, job.attempt, job.done) == (Job.State.FINISHED, 2, 30)
    numbers = [number for _attempt, number in counted(tmp_path)]
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(1, 31))


def test_a_worker_that_froze_past_its_lease_writes_nothing_more(
    start_worker: Callable,
    counting: Callable[..., Job],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    frozen = start_worker()
    job = counting(20)
    wait(job, lambda job: job.done >= 3)
    kill(frozen, signal.SIGSTOP)
    second = start_worker()
    wait(job, lambda job: job.attempt == 2, sweep=True)
    kill(frozen, signal.SIGCONT)
    wait(job, lambda job: job.is_over)
    kill(second)
    wait(counting(1, tmp_path_factory.mktemp("next")), lambda job: job.is_over)
    job.refresh_from_db()
    assert (job.state, job.attempt) == (Job.State.FINISHED, 2)
    takeover = LogLine.objects.filter(job=job, attempt=2).order_by("id").first()
    assert takeover is not None
    assert not LogLine.objects.filter(job=job, attempt=1, id__gt=takeover.id).exists()


def test_a_job_published_many_times_runs_once(
    start_worker: Callable,
    counting: Callable[..., Job],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    job = counting(3)
    for _ in range(20):
        services.publish(job)
    start_worker()
    start_worker()
    wait(job, lambda job: job.is_over)
    wait(counting(1, tmp_path_factory.mktemp("next")), lambda job: job.is_over)
    job.refresh_from_db()
    assert (job.state, job.attempt) == (Job.State.FINISHED, 1)
    assert len(counted(tmp_path)) == 3


def test_a_running_job_stops_when_asked(
    start_worker: Callable, counting: Callable[[int], Job], team: object
) -> None:
    start_worker()
    job = counting(300)
    wait(job, lambda job: job.done >= 2)
    services.request_stop(team.owner, job)
    wait(job, lambda job: job.is_over)
    assert job.state == Job.State.STOPPED


def test_a_message_that_got_lost_is_published_again(
    start_worker: Callable, counting: Callable[[int], Job], settings: object
) -> None:
    job = counting(2)
    for message in Path(settings.HOME, "broker", "queue").glob("*.msg"):
        message.unlink()
    Job.objects.filter(pk=job.pk).update(
        published_at=None, created_at=job.created_at - services.UNCLAIMED_AFTER
    )
    start_worker()
    assert wait(job, lambda job: job.is_over, sweep=True).state == Job.State.FINISHED


def test_a_job_of_a_dead_worker_is_published_once_while_nobody_is_free(
    counting: Callable[[int], Job],
) -> None:
    job = counting(2)
    leases.claim(str(job.pk), "a-worker-that-died")
    long_ago = job.created_at - services.UNCLAIMED_AFTER
    Job.objects.filter(pk=job.pk).update(
        created_at=long_ago, published_at=long_ago, lease_until=job.created_at
    )
    assert [services.sweep(), services.sweep()] == [1, 0]
