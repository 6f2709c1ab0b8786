"""Leases of jobs: claiming one, extending the lease, ending it. Every write carries the attempt;
those of a stale attempt are refused.
"""

import os
import socket
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from .models import Job

MAX_ATTEMPTS = 3


class Fenced(Exception):
    """Another attempt has taken this job over; whoever gets this must stop without writing
    anything.
    """


def owner_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def claim(job_id: str, owner: str) -> Job | None:
    """Take a job that waits, or whose worker's lease ran out; None when somebody else has it or it
    is over.
    """
    now = timezone.now()
    free = Q(state=Job.State.QUEUED) | Q(state=Job.State.RUNNING, lease_until__lt=now)
    taken = Job.objects.filter(free, pk=job_id, attempt__lt=MAX_ATTEMPTS).update(
        state=Job.State.RUNNING,
        attempt=F("attempt") + 1,
        lease_owner=owner,
        lease_until=now + timedelta(seconds=settings.JOB_LEASE_SECONDS),
        started_at=now,
        stage_started_at=now,
        error="",
        updated_at=now,
    )
    return Job.objects.select_related("project", "created_by").get(pk=job_id) if taken else None


def mine(job: Job) -> QuerySet[Job]:
    """The row, if this attempt still owns it."""
    return Job.objects.filter(pk=job.pk, attempt=job.attempt, state=Job.State.RUNNING)


def hold(job: Job) -> None:
    """Make sure, inside a transaction, that this attempt still owns the job, and lock its row until
    the commit.
    """
    if not mine(job).update(updated_at=timezone.now()):
        raise Fenced(str(job.pk))


def beat(job: Job, **fields: Any) -> bool:
    """Extend the lease, write progress; returns whether somebody asked for a stop.
    Raises Fenced.
    """
    now = timezone.now()
    if not mine(job).update(
        lease_until=now + timedelta(seconds=settings.JOB_LEASE_SECONDS), updated_at=now, **fields
    ):
        raise Fenced(str(job.pk))
    return Job.objects.filter(pk=job.pk, stop_requested=True).exists()


def close(job: Job, state: Job.State, error: str = "") -> None:
    """End the job; inside the transaction that writes its result."""
    now = timezone.now()
    ended = mine(job).update(
        state=state, error=error, finished_at=now, lease_until=None, lease_owner="", updated_at=now
    )
    if not ended:
        raise Fenced(str(job.pk))
    job.state, job.error, job.finished_at = state, error, now
