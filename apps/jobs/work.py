"""A claimed job in a worker's hands: progress, log, heartbeat, stop, the end."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import close_old_connections, transaction
from django.utils import timezone

from fusion.core.progress import Progress, Stopped

from . import leases
from .handlers import handler_for
from .models import Job, LogLine

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 1.0


class Failure(Exception):
    """A cause that the person can read and act on; anything else that is raised is a fault of the
    program.
    """


class Work(Progress):
    """Progress of one attempt. Writes are gathered and flushed about once a second, so that web
    writes are not starved.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self._fields: dict[str, Any] = {}
        self._lines: list[LogLine] = []
        self._flushed = 0.0
        self._lock = threading.Lock()
        self._stop = False
        self._fenced = False
        self._ended = threading.Event()
        self.on_flush: Callable[[], None] | None = None

    def stage(self, name: str) -> None:
        now = timezone.now()
        with self._lock:
            if self.job.stage and self.job.stage_started_at:
                self.job.stage_times[self.job.stage] = (
                    now - self.job.stage_started_at
                ).total_seconds()
            self.job.stage, self.job.stage_started_at = name, now
            self._fields |= {
                "stage": name,
                "stage_started_at": now,
                "stage_times": dict(self.job.stage_times),
                "done": 0,
                "total": 0,
            }
        self.flush()

    def step(self, done: int, total: int, unit: str = "") -> None:
        with self._lock:
            self._fields |= {"done": done, "total": total, "unit": unit}
        self.flush_if_due()

    def log(self, text: str) -> None:
        with self._lock:
            self._lines.append(
                LogLine(job=self.job, attempt=self.job.attempt, at=timezone.now(), text=text)
            )
        self.flush_if_due()

    def check(self) -> None:
        self.flush_if_due()
        if self._fenced:
            raise leases.Fenced(str(self.job.pk))
        if self._stop:
            raise Stopped

    def flush_if_due(self) -> None:
        if time.monotonic() - self._flushed >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        with self._lock:
            fields, self._fields = self._fields, {}
            lines, self._lines = self._lines, []
            self._flushed = time.monotonic()
        with transaction.atomic():
            self._stop = leases.beat(self.job, **fields) or self._stop
            LogLine.objects.bulk_create(lines)
            if self.on_flush:
                self.on_flush()

    def _heart(self) -> None:
        """Keeps the lease while the work is inside one long call."""
        while not self._ended.wait(settings.JOB_LEASE_SECONDS / 3):
            close_old_connections()
            try:
                self._stop = leases.beat(self.job) or self._stop
            except leases.Fenced:
                self._fenced = True
                return
            except Exception:  # the database may be away for a moment; the lease tells the rest
                logger.exception("The heartbeat of job %s failed", self.job.pk)

    def __enter__(self) -> "Work":
        threading.Thread(target=self._beat_and_close, daemon=True).start()
        return self

    def _beat_and_close(self) -> None:
        from django.db import connection

        try:
            self._heart()
        finally:
            connection.close()

    def __exit__(self, *_error: object) -> None:
        self._ended.set()


def perform(job_id: str) -> None:
    """Claim the job and do it. Safe to call any number of times for one job."""
    job = leases.claim(job_id, leases.owner_name())
    if job is None:
        return
    handler = handler_for(job.kind)
    try:
        with Work(job) as work:
            handler.function()(work)
            if not Job.objects.get(pk=job.pk).is_over:
                work.flush()
                leases.close(job, Job.State.FINISHED)
    except leases.Fenced:
        logger.warning("Job %s was taken over; attempt %d ends without a word", job.pk, job.attempt)
    except Stopped:
        _end(job, Job.State.STOPPED, "")
    except Failure as failure:
        _end(job, Job.State.FAILED, str(failure))
    except MemoryError:
        _end(job, Job.State.FAILED, "The worker ran out of memory.")
    except Exception as error:
        logger.exception("Job %s failed", job.pk)
        _end(job, Job.State.FAILED, f"{type(error).__name__}: {error}")


def _end(job: Job, state: Job.State, error: str) -> None:
    handler = handler_for(job.kind)
    try:
        with transaction.atomic():
            leases.close(job, state, error)
            (handler.stopped if state == Job.State.STOPPED else handler.failed)(job)
    except leases.Fenced:
        logger.warning("Job %s was taken over before it could end", job.pk)
