"""Submitting, claiming and finishing slow work. A worker's every write carries its attempt; a stale
attempt's writes are refused.
"""

import logging
import os
import socket
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.projects.models import Project
from apps.projects.policies import require

from .models import Job

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
UNCLAIMED_AFTER = timedelta(seconds=30)


class Fenced(Exception):
    """Another attempt has taken this job over; whoever gets this must stop without writing
    anything.
    """


def owner_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def submit(
    project: Project,
    actor: User | None,
    kind: str,
    payload: dict[str, Any],
    stages: list[str],
    queue: str = "default",
) -> Job:
    """Queue a job; called inside the caller's transaction, published when that commits. The caller
    has checked the policy.
    """
    job = Job.objects.create(
        project=project, created_by=actor, kind=kind, payload=payload, stages=stages, queue=queue
    )
    transaction.on_commit(lambda: publish(job), robust=True)
    return job


def publish(job: Job) -> None:
    from .tasks import work

    work.apply_async([str(job.pk)], queue=job.queue, retry=False)
    Job.objects.filter(pk=job.pk).update(published_at=timezone.now())


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
    """Inside a transaction: make sure that this attempt still owns the job, and lock its row until
    the commit.
    """
    if not mine(job).update(updated_at=timezone.now()):
        raise Fenced(str(job.pk))


def beat(job: Job, **fields: Any) -> bool:
    """Extend the lease, write progress; returns whether somebody asked for a stop. Raises Fenced."""
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


@transaction.atomic
def request_stop(actor: User, job: Job) -> None:
    """A waiting job stops at once; a running one at its next check."""
    from .handlers import handler_for

    require(actor, "contribute", job.project)
    now = timezone.now()
    waiting = Job.objects.filter(pk=job.pk, state=Job.State.QUEUED)
    if waiting.update(
        state=Job.State.STOPPED, stop_requested=True, finished_at=now, updated_at=now
    ):
        job.refresh_from_db()
        handler_for(job.kind).stopped(job)
    else:
        Job.objects.filter(pk=job.pk, state=Job.State.RUNNING).update(
            stop_requested=True, updated_at=now
        )


def sweep() -> int:
    """Bring back what was lost: queued jobs that nobody claimed, running ones whose lease ran out.
    Returns how many were published.
    """
    now = timezone.now()
    lost = Q(state=Job.State.QUEUED) & (
        Q(published_at=None) | Q(published_at__lt=now - UNCLAIMED_AFTER)
    )
    told = Q(published_at__gte=F("lease_until")) & Q(published_at__gte=now - UNCLAIMED_AFTER)
    dead = Q(state=Job.State.RUNNING, lease_until__lt=now) & ~told
    give_up_on_the_dead()
    jobs = list(
        Job.objects.filter(lost | dead, attempt__lt=MAX_ATTEMPTS).filter(
            created_at__lt=now - timedelta(seconds=2)
        )
    )
    for job in jobs:
        publish(job)
    return len(jobs)


def give_up_on_the_dead() -> None:
    """A job whose worker died at every attempt fails, in words."""
    from .handlers import handler_for

    now = timezone.now()
    for job in Job.objects.filter(
        state=Job.State.RUNNING, lease_until__lt=now, attempt__gte=MAX_ATTEMPTS
    ).select_related("project"):
        with transaction.atomic():
            close(
                job,
                Job.State.FAILED,
                _("The worker died %(n)d times in this job, perhaps for want of memory.")
                % {"n": MAX_ATTEMPTS},
            )
            handler_for(job.kind).failed(job)


def end_leases_of_host() -> int:
    """At the start of this machine's workers: whatever they held before is free at once."""
    host = f"{socket.gethostname()}:"
    return Job.objects.filter(state=Job.State.RUNNING, lease_owner__startswith=host).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )
