"""The verbs of slow work: submit, stop, and the sweep that brings back what was lost."""

import logging
import socket
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.jobs.leases import MAX_ATTEMPTS, close
from apps.projects.models import Project
from apps.projects.policies import require

from . import tasks
from .handlers import handler_for
from .models import Job

logger = logging.getLogger(__name__)

UNCLAIMED_AFTER = timedelta(seconds=30)


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
    tasks.work.apply_async([str(job.pk)], queue=job.queue, retry=False)
    Job.objects.filter(pk=job.pk).update(published_at=timezone.now())


@transaction.atomic
def request_stop(actor: User, job: Job) -> None:
    """A waiting job stops at once; a running one at its next check."""
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
    published = Q(published_at__gte=F("lease_until")) & Q(published_at__gte=now - UNCLAIMED_AFTER)
    dead = Q(state=Job.State.RUNNING, lease_until__lt=now) & ~published
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
    """Free, at the start of this machine's workers, whatever they held before; returns
    the number.
    """
    host = f"{socket.gethostname()}:"
    return Job.objects.filter(state=Job.State.RUNNING, lease_owner__startswith=host).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )
