import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.jobs.models import Job
from apps.projects.models import Discipline, Project


class Blob(models.Model):
    """The bytes of one file, stored once under their SHA-256."""

    sha256 = models.CharField(max_length=64, unique=True)
    size = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=10)
    """image, audio, table"""
    media_type = models.CharField(max_length=60)
    facts = models.JSONField(default=dict)
    """What the inspection found: width, height, seconds, rate, flags, waveform peaks."""
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.sha256[:12]

    @property
    def name(self) -> str:
        return f"{self.sha256[:2]}/{self.sha256[2:4]}/{self.sha256}"


class BlobUse(models.Model):
    """A project that may read a blob; media is served, and a cached vector found, only through such
    a row.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="blob_uses")
    blob = models.ForeignKey(Blob, models.PROTECT, related_name="uses")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("project", "blob"), name="blob_use_once"),)

    def __str__(self) -> str:
        return f"{self.project_id} {self.blob_id}"


class DataSet(models.Model):
    class Kind(models.TextChoices):
        DATA = "data", _("Data")
        ANNOTATION = "annotation", _("Annotations")

    project = models.ForeignKey(Project, models.CASCADE, related_name="datasets")
    discipline = models.ForeignKey(Discipline, models.PROTECT, related_name="datasets")
    slug = models.SlugField(max_length=60)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.DATA)
    description = models.TextField(_("description"), blank=True)
    licence = models.CharField(_("licence"), max_length=120, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(fields=("project", "slug"), name="dataset_slug_once"),
        )

    def __str__(self) -> str:
        return self.name


class Version(models.Model):
    """One immutable state of a data set: a Parquet file, its schema, its statistics."""

    dataset = models.ForeignKey(DataSet, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    table = models.ForeignKey(Blob, models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64)
    """SHA-256 over schema and table: what an alignment names."""
    key_column = models.CharField(max_length=120)
    n_rows = models.PositiveIntegerField()
    columns = models.JSONField(default=list)
    """[{name, kind, unit, description, missing, distinct, ...}] in the order of the table; the key
    first.
    """
    report = models.JSONField(default=dict)
    """What the check found, grouped by problem: [{code, severity, title, count, examples: [{file,
    row, key, text}]}].
    """
    statistics = models.JSONField(default=dict)
    note = models.CharField(_("what changed"), max_length=300, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-number",)
        constraints = (models.UniqueConstraint(fields=("dataset", "number"), name="version_once"),)

    def __str__(self) -> str:
        return f"{self.dataset} v{self.number}"


class Upload(models.Model):
    """Files on their way to become versions: received, checked by a job, confirmed by the person,
    written by a job.
    """

    class State(models.TextChoices):
        RECEIVING = "receiving", _("Receiving")
        CHECKING = "checking", _("Checking")
        READY = "ready", _("Waiting for you")
        IMPORTING = "importing", _("Importing")
        DONE = "done", _("Imported")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    class Source(models.TextChoices):
        TABLE = "table", _("A table, with a zip of media")
        STUDY = "study", _("A whole study folder")
        ANNOTATION = "annotation", _("A table of annotations")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="uploads")
    source = models.CharField(max_length=12, choices=Source)
    state = models.CharField(max_length=12, choices=State, default=State.RECEIVING)
    options = models.JSONField(default=dict)
    """Data set name, discipline, key column, column kinds, licence: what the person chose."""
    files = models.JSONField(default=list)
    """[{name, size, sha256}] under `CONSILIENCE_HOME/uploads/<id>/`."""
    report = models.JSONField(default=dict)
    check_job = models.OneToOneField(Job, models.SET_NULL, null=True, related_name="checked_upload")
    import_job = models.OneToOneField(
        Job, models.SET_NULL, null=True, related_name="imported_upload"
    )
    versions = models.ManyToManyField(Version, related_name="+", blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return str(self.id)


class Alignment(models.Model):
    """Chosen columns of chosen versions, joined on the sample key; frozen to a digest that runs
    name.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        FREEZING = "freezing", _("Freezing")
        FROZEN = "frozen", _("Frozen")
        FAILED = "failed", _("Failed")

    project = models.ForeignKey(Project, models.CASCADE, related_name="alignments")
    number = models.PositiveIntegerField()
    name = models.CharField(_("name"), max_length=120)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    spec = models.JSONField(default=dict)
    """{modalities: {name: {kind, columns: ["dataset.column"]}}, label: {source, annotator?},
    groups, cluster, split, extras}.
    """
    versions = models.ManyToManyField(Version, related_name="alignments")
    table = models.ForeignKey(Blob, models.PROTECT, null=True, related_name="+")
    digest = models.CharField(max_length=64, blank=True)
    summary = models.JSONField(default=dict)
    """n_samples, n_labelled, labels, modality counts, patterns (UpSet), duplicates, leaks, group
    counts: what its page shows.
    """
    job = models.OneToOneField(Job, models.SET_NULL, null=True, related_name="alignment")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    frozen_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-number",)
        constraints = (
            models.UniqueConstraint(fields=("project", "number"), name="alignment_number_once"),
        )

    def __str__(self) -> str:
        return self.name
