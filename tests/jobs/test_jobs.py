"""What a job's row promises, whatever the broker does. Real workers that die are in
tests/faults.
"""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone

from apps.jobs import handlers, leases, services
from apps.jobs.models import Job
from apps.jobs.work import Failure, Work, perform
from fusion.core.progress import Stopped


def refuse(work: Work) -> None:
    raise Failure("The table has no column `sample_id`.")


def crash(work: Work) -> None:
    raise ZeroDivisionError("nobody expected this")


def be_stopped(work: Work) -> None:
    Job.objects.filter(pk=work.job.pk).update(stop_requested=True)
    work.flush()
    work.check()


def speak(work: Work) -> None:
    work.stage("read")
    work.log("half way")
    work.step(1, 2, "files")


@pytest.fixture
def job(team):
    def make(function: str = "speak") -> Job:
        handlers.register("try", handlers.Handler(f"{__name__}:{function}"))
        return Job.objects.create(
            project=team.project, kind="try", created_by=team.contributor, stages=["read"]
        )

    yield make
    handlers._handlers.pop("try", None)


@pytest.fixture(autouse=True)
def importable(monkeypatch) -> None:
    import sys

    monkeypatch.setitem(
        sys.modules, __name__, sys.modules.get(__name__) or __import__("types").ModuleType(__name__)
    )
    for function in (refuse, crash, be_stopped, speak):
        monkeypatch.setattr(sys.modules[__name__], function.__name__, function, raising=False)


def done(one: Job) -> Job:
    perform(str(one.pk))
    one.refresh_from_db()
    return one


@pytest.mark.django_db(transaction=True)
def test_a_job_ends_with_its_log_and_progress(job) -> None:
    one = done(job())
    assert (one.state, one.stage, one.done, one.total) == ("finished", "read", 1, 2)
    assert [line.text for line in one.log.all()] == ["half way"]


@pytest.mark.django_db(transaction=True)
def test_a_cause_that_a_person_can_act_on_is_kept_in_its_words(job) -> None:
    one = done(job("refuse"))
    assert (one.state, one.error) == ("failed", "The table has no column `sample_id`.")


@pytest.mark.django_db(transaction=True)
def test_an_unexpected_fault_fails_the_job_and_names_itself(job) -> None:
    one = done(job("crash"))
    assert one.state == "failed"
    assert "ZeroDivisionError" in one.error


@pytest.mark.django_db(transaction=True)
def test_a_stop_is_no_failure(job) -> None:
    assert done(job("be_stopped")).state == "stopped"


@pytest.mark.django_db(transaction=True)
def test_a_job_is_done_once_however_often_it_is_called(job) -> None:
    one = job()
    for _call in range(3):
        done(one)
    assert (one.attempt, one.log.count()) == (1, 1)


def test_a_stale_attempt_writes_nothing(job) -> None:
    one = job()
    first = leases.claim(str(one.pk), "a")
    Job.objects.filter(pk=one.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    second = leases.claim(str(one.pk), "b")
    assert (first.attempt, second.attempt) == (1, 2)
    with pytest.raises(leases.Fenced):
        leases.beat(first, stage="late")
    with pytest.raises(leases.Fenced):
        leases.close(first, Job.State.FINISHED)
    assert leases.beat(second, stage="mine") is False


def test_a_job_whose_worker_died_three_times_fails_in_words(job) -> None:
    one = job()
    Job.objects.filter(pk=one.pk).update(
        state="running", attempt=3, lease_until=timezone.now() - timedelta(seconds=1)
    )
    services.give_up_on_the_dead()
    one.refresh_from_db()
    assert one.state == "failed"
    assert "3" in one.error


def test_a_waiting_job_stops_at_once(job, team) -> None:
    one = job()
    services.request_stop(team.contributor, one)
    assert leases.claim(str(one.pk), "a") is None


@pytest.mark.parametrize(
    ("who", "error"),
    [("viewer", PermissionDenied), ("reviewer", PermissionDenied), ("outsider", Http404)],
)
def test_who_may_not_start_a_job_may_not_stop_one(
    job, team, who: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        services.request_stop(team.people()[who], job())


def test_stopped_is_its_own_exception() -> None:
    assert issubclass(Stopped, Exception)
