import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.projects.models import Project


class Job(models.Model):
    """Slow work. This row is the truth: the broker only wakes workers
    (docs/architecture.md, jobs).
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Running")
        FINISHED = "finished", _("Finished")
        FAILED = "failed", _("Failed")
        STOPPED = "stopped", _("Stopped")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="jobs")
    kind = models.CharField(max_length=20)
    queue = models.CharField(max_length=10, default="default")
    payload = models.JSONField(default=dict)
    """Ids only; a worker reads everything else, and every right, from the database."""
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    stages = models.JSONField(default=list)
    stage = models.CharField(max_length=20, blank=True)
    stage_times = models.JSONField(default=dict)
    """Stage -> seconds it took; the current one is absent."""
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    unit = models.CharField(max_length=20, blank=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    lease_owner = models.CharField(max_length=120, blank=True)
    lease_until = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)
    stop_requested = models.BooleanField(default=False)
    error = models.TextField(blank=True)
    """The cause in words, for the person; empty unless failed."""
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    stage_started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)

    class Meta:
        ordering = ("-created_at",)
        indexes = (models.Index(fields=("state", "lease_until"), name="job_state_lease"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    @property
    def is_over(self) -> bool:
        return self.state in {self.State.FINISHED, self.State.FAILED, self.State.STOPPED}


class LogLine(models.Model):
    job = models.ForeignKey(Job, models.CASCADE, related_name="log")
    attempt = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    text = models.TextField()

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.text[:80]
