"""The progress of jobs on open pages: rows that changed since the last look. Transient: what counts
is an event of the outbox.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from apps.jobs.models import Job
from apps.projects.live import Feed, Message

OVERLAP = timedelta(seconds=5)
"""Looked at again each time: a row may be committed later than its time says, or by a machine whose
clock is behind.
"""


def job_feed() -> Feed:
    updated_at: dict[UUID, datetime] = {}
    started = timezone.now()

    def news() -> list[Message]:
        since = max(started, timezone.now() - OVERLAP)
        jobs = list(
            Job.objects.filter(updated_at__gte=since)
            .select_related("project")
            .defer("payload")
            .order_by("updated_at")
        )
        fresh = [job for job in jobs if updated_at.get(job.pk) != job.updated_at]
        updated_at.clear()
        updated_at.update((job.pk, job.updated_at) for job in jobs)
        return [message(job) for job in fresh]

    return news


def message(job: Job) -> Message:
    data = {
        "job": job.pk,
        "project": job.project.slug,
        "kind": job.kind,
        "state": job.state,
        "stage": job.stage,
        "done": job.done,
        "total": job.total,
        "unit": job.unit,
        "attempt": job.attempt,
    }
    return Message(job.project_id, "job", data)
