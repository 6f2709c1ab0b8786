from functools import cached_property

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.datasets.models import Alignment
from apps.jobs.models import Job
from apps.projects.models import Discipline, Project
from apps.ui import figures
from fusion.schema.result import EvaluationResult

from .words import list_in_words, method_name


class RunQuerySet(models.QuerySet["Run"]):
    def kept(self) -> "RunQuerySet":
        return self.filter(deleted_at=None)

    def light(self) -> "RunQuerySet":
        """Leave out what is long and no list shows: result, recipe and the like."""
        return self.defer(
            "result", "recipe", "alignment__summary", "alignment__spec", "job__payload"
        )


class Run(models.Model):
    """One training with its result. Its state is its job's state."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="runs")
    number = models.PositiveIntegerField()
    question = models.CharField(_("the question that this run answers"), max_length=200)
    name = models.CharField(_("name"), max_length=120, blank=True)
    """Given by a person; a run without one is called after its method and modalities."""
    alignment = models.ForeignKey(Alignment, models.PROTECT, related_name="runs")
    recipe = models.JSONField()
    """fusion.schema.recipe.Recipe as data, complete."""
    method = models.CharField(max_length=40, blank=True)
    modalities = models.JSONField(default=list)
    """[{name, kind}] that take part, in the order of the alignment."""
    parent = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="children"
    )
    job = models.OneToOneField(Job, models.PROTECT, related_name="run")
    result = models.JSONField(null=True)
    """fusion.schema.result.EvaluationResult, exactly as the engine wrote it."""
    metric = models.CharField(max_length=40, default="macro_f1")
    """The metric of `score` and `gain`, see fusion.schema.result.Headline; more is better."""
    score = models.FloatField(null=True)
    score_low = models.FloatField(null=True)
    score_high = models.FloatField(null=True)
    gain = models.FloatField(null=True)
    gain_low = models.FloatField(null=True)
    gain_high = models.FloatField(null=True)
    ece = models.FloatField(null=True)
    bundle_digest = models.CharField(max_length=64, blank=True)
    """Digest of the bundle under `CONSILIENCE_HOME/runs/<job id>/<attempt>/`."""
    bundle_path = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ("-number",)
        constraints = (
            models.UniqueConstraint(fields=("project", "number"), name="run_number_once"),
        )

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("experiments:run", args=[self.project.slug, self.number])

    @property
    def title(self) -> str:
        if self.name:
            return self.name
        if not self.modalities:
            return self.method_name
        words = {"method": self.method_name, "inputs": list_in_words(list(self.kinds))}
        return gettext("%(method)s of %(inputs)s") % words

    @property
    def method_name(self) -> str:
        return method_name(self.method)

    @property
    def kinds(self) -> dict[str, str]:
        """Modality -> its kind, in the order of the alignment."""
        return {modality["name"]: modality["kind"] for modality in self.modalities}

    @cached_property
    def disciplines(self) -> dict[str, Discipline]:
        """Disciplines of the project by their codes, as rules and protocols name them."""
        return {discipline.code: discipline for discipline in self.project.disciplines.all()}

    @property
    def metric_name(self) -> str:
        return figures.metric(self.metric)

    @property
    def evaluation(self) -> EvaluationResult | None:
        """Read once for as long as `result` is the same object: a page asks for it many times."""
        raw, evaluation = self.__dict__.get("_evaluation", (None, None))
        if raw is not self.result:
            evaluation = EvaluationResult.model_validate(self.result) if self.result else None
            self.__dict__["_evaluation"] = self.result, evaluation
        return evaluation


class Metric(models.Model):
    """One point of a curve. A later attempt's point replaces an earlier one's.

    model, fold, inner: of which fit, see fusion.core.fit_key.FitKey.
    """

    run = models.ForeignKey(Run, models.CASCADE, related_name="metrics")
    attempt = models.PositiveSmallIntegerField()
    model = models.CharField(max_length=120, default="")
    fold = models.CharField(max_length=120)
    inner = models.PositiveSmallIntegerField(default=0)
    seed = models.IntegerField()
    epoch = models.PositiveIntegerField()
    name = models.CharField(max_length=80)
    """The curve, for instance `validation_loss`."""
    value = models.FloatField()

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("run", "model", "fold", "inner", "seed", "name", "epoch"),
                name="metric_point_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} {self.model} {self.fold} {self.epoch}"
