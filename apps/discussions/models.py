from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.projects.models import Event, Project


class Thread(models.Model):
    """A discussion where the evidence stands: on a sample, a run, a model version, a review, a data
    set.
    """

    class Anchor(models.TextChoices):
        SAMPLE = "sample", _("sample")
        RUN = "run", _("run")
        MODEL_VERSION = "version", _("model version")
        REVIEW = "review", _("review")
        DATASET = "dataset", _("data set")

    project = models.ForeignKey(Project, models.CASCADE, related_name="threads")
    anchor_type = models.CharField(max_length=10, choices=Anchor)
    anchor_id = models.CharField(max_length=120)
    """What the address holds: a sample's key, a run's number, `model/number` of a version, a
    review's number, a data set's slug.
    """
    anchor_label = models.CharField(max_length=160)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("created_at",)
        indexes = (
            models.Index(fields=("project", "anchor_type", "anchor_id"), name="thread_anchor"),
        )

    def __str__(self) -> str:
        return self.anchor_label


class Comment(models.Model):
    thread = models.ForeignKey(Thread, models.CASCADE, related_name="comments")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    body = models.TextField(max_length=10_000)
    created_at = models.DateTimeField(auto_now_add=True)
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)
    mentions = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+", blank=True)

    class Meta:
        ordering = ("created_at",)

    def __str__(self) -> str:
        return self.body[:80]


class Notification(models.Model):
    """An event that one person should see; `reason` says why."""

    class Reason(models.TextChoices):
        MENTION = "mention", _("You were mentioned")
        REPLY = "reply", _("Reply in a discussion you take part in")
        COMMENT = "comment", _("Comment on your work")
        REVIEW = "review", _("Your review is asked for")
        DECISION = "decision", _("A decision in your review")
        RUN = "run", _("Your run")
        DATA = "data", _("Your upload")
        MEMBER = "member", _("You joined")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notifications")
    event = models.ForeignKey(Event, models.CASCADE, related_name="notifications")
    reason = models.CharField(max_length=10, choices=Reason)
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=("user", "done_at", "-id"), name="notification_open"),)
        constraints = (models.UniqueConstraint(fields=("user", "event"), name="notified_once"),)

    def __str__(self) -> str:
        return f"{self.user_id} {self.reason}"
