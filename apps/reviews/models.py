from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.projects.models import Discipline, Project
from apps.registry.models import ModelVersion


class Review(models.Model):
    """The question whether a model version becomes Staging; every required discipline
    answers it.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        APPROVED = "approved", _("Approved")
        CHANGES = "changes", _("Changes requested")
        PROMOTED = "promoted", _("Promoted")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    project = models.ForeignKey(Project, models.CASCADE, related_name="reviews")
    number = models.PositiveIntegerField()
    version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="reviews")
    replaces = models.ForeignKey(ModelVersion, models.SET_NULL, null=True, related_name="+")
    target = models.CharField(
        max_length=10, choices=ModelVersion.Alias, default=ModelVersion.Alias.STAGING
    )
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    reason = models.TextField(_("why it should be promoted"), blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    asked_again_at = models.DateTimeField(null=True)
    """Requests for changes from before this moment are answered; their disciplines decide anew."""
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-number",)
        constraints = (
            models.UniqueConstraint(fields=("project", "number"), name="review_number_once"),
        )

    def __str__(self) -> str:
        return f"{self.version}"

    def get_absolute_url(self) -> str:
        return reverse("reviews:review", args=[self.project.slug, self.number])

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


OPEN_STATES = (Review.State.OPEN, Review.State.CHANGES, Review.State.APPROVED)
"""States in which decisions can still change."""


class Requirement(models.Model):
    """A discipline that must decide, and, where one is named, the person who is asked."""

    review = models.ForeignKey(Review, models.CASCADE, related_name="requirements")
    discipline = models.ForeignKey(Discipline, models.PROTECT, related_name="+")
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    why = models.CharField(max_length=200, blank=True)
    """Names of its data sets in the model; empty where the proposer asked it for another reason."""

    class Meta:
        ordering = ("discipline__name",)
        constraints = (
            models.UniqueConstraint(fields=("review", "discipline"), name="requirement_once"),
        )

    def __str__(self) -> str:
        return str(self.discipline)


class Decision(models.Model):
    """One discipline's answer. Answers are never overwritten: the newest that is no
    comment counts.
    """

    class Verdict(models.TextChoices):
        APPROVE = "approve", _("Approve")
        COMMENT = "comment", _("Comment only")
        CHANGES = "changes", _("Request changes")

    review = models.ForeignKey(Review, models.CASCADE, related_name="decisions")
    discipline = models.ForeignKey(Discipline, models.PROTECT, related_name="+")
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    verdict = models.CharField(max_length=10, choices=Verdict)
    summary = models.TextField(_("summary for the other disciplines"), max_length=10_000)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("created_at",)

    def __str__(self) -> str:
        return f"{self.discipline} {self.verdict}"
