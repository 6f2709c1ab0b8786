from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.datasets.models import Alignment
from apps.jobs.models import Job
from apps.projects.models import Project
from fusion.result import EvaluationResult


class Run(models.Model):
    """One training with its result. Its state is its job's state."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="runs")
    number = models.PositiveIntegerField()
    question = models.CharField(_("the question that this run answers"), max_length=200)
    alignment = models.ForeignKey(Alignment, models.PROTECT, related_name="runs")
    recipe = models.JSONField()
    parent = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="children")
    job = models.OneToOneField(Job, models.PROTECT, related_name="run")
    result = models.JSONField(null=True)
    """fusion.result.EvaluationResult, exactly as the engine wrote it."""
    macro_f1 = models.FloatField(null=True)
    macro_f1_low = models.FloatField(null=True)
    macro_f1_high = models.FloatField(null=True)
    gain = models.FloatField(null=True)
    ece = models.FloatField(null=True)
    bundle_digest = models.CharField(max_length=64, blank=True)
    """Digest of the bundle under `CONSILIENCE_HOME/runs/<job id>/<attempt>/`."""
    bundle_path = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-number",)
        constraints = (models.UniqueConstraint(fields=("project", "number"), name="run_number_once"),)

    def __str__(self) -> str:
        return self.question or str(self.number)

    def get_absolute_url(self) -> str:
        return reverse("experiments:run", args=[self.project.slug, self.number])

    @property
    def evaluation(self) -> EvaluationResult | None:
        return EvaluationResult.model_validate(self.result) if self.result else None


class Metric(models.Model):
    """One point of a curve. Points of an attempt that a resume replaced are deleted when the resume begins."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="metrics")
    attempt = models.PositiveSmallIntegerField()
    fold = models.CharField(max_length=60)
    seed = models.IntegerField()
    epoch = models.PositiveIntegerField()
    name = models.CharField(max_length=40)
    value = models.FloatField()

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("run", "fold", "seed", "name", "epoch"), name="metric_point_once"),)

    def __str__(self) -> str:
        return f"{self.name} {self.fold} {self.epoch}"
