from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.experiments.models import Run
from apps.projects.models import Project


class Model(models.Model):
    project = models.ForeignKey(Project, models.CASCADE, related_name="models")
    slug = models.SlugField(max_length=60)
    name = models.CharField(_("name"), max_length=120)
    description = models.CharField(_("what it is for, in one sentence"), max_length=300, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("project", "slug"), name="model_slug_once"),)

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("registry:model", args=[self.project.slug, self.slug])


class ModelVersion(models.Model):
    """A registered run: its bundle by digest, its card, and the alias it carries."""

    class Alias(models.TextChoices):
        NONE = "", _("Candidate")
        STAGING = "staging", _("Staging")
        PRODUCTION = "production", _("Production")

    model = models.ForeignKey(Model, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    run = models.OneToOneField(Run, models.PROTECT, related_name="model_version")
    alias = models.CharField(max_length=10, choices=Alias, blank=True)
    card = models.JSONField(default=dict)
    """{meant_for, not_for, limits, notes}: the words of the team; figures come from the run."""
    bundle_digest = models.CharField(max_length=64)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    promoted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-number",)
        constraints = (
            models.UniqueConstraint(fields=("model", "number"), name="model_version_once"),
            models.UniqueConstraint(
                fields=("model", "alias"), condition=~models.Q(alias=""), name="alias_once_a_model"
            ),
        )

    def __str__(self) -> str:
        return f"{self.model} {self.number}"

    def get_absolute_url(self) -> str:
        return reverse(
            "registry:version", args=[self.model.project.slug, self.model.slug, self.number]
        )

    @property
    def key(self) -> str:
        """Return the id for events and discussions: the end of its address."""
        return f"{self.model.slug}/{self.number}"

    @property
    def stage(self) -> str:
        """A state of apps/ui/states.py; a version that once had an alias is retired."""
        return self.alias or ("retired" if self.promoted_at else "none")
