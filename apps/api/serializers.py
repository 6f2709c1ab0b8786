"""Forms of the API's answers and requests. Reading serializers name their fields one by one;
writing ones hold only what a caller may set.
"""

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.datasets.models import Alignment, DataSet, Upload, Version
from apps.discussions.models import Comment, Thread
from apps.experiments.models import Run
from apps.jobs.models import Job
from apps.projects.models import Discipline, Project
from fusion.schema.result import Headline


class PageField(serializers.CharField):
    """The address of the thing's page, for people."""

    def __init__(self, name: str, *args: str) -> None:
        self.name, self.parts = name, args
        super().__init__(read_only=True, source="*")

    def to_representation(self, value: Any) -> str:
        args = [_dig(value, part) for part in self.parts]
        return self.context["request"].build_absolute_uri(reverse(self.name, args=args))


def _dig(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = getattr(value, name)
    return value


class DisciplineSerializer(serializers.ModelSerializer):
    class Meta:
        model = Discipline
        fields = ("code", "name")


class ProjectSerializer(serializers.ModelSerializer):
    disciplines = DisciplineSerializer(many=True, required=False)
    page = PageField("projects:overview", "slug")

    class Meta:
        model = Project
        fields = ("slug", "name", "goal", "disciplines", "created_at", "page")
        read_only_fields = ("slug", "created_at")


class JobSerializer(serializers.ModelSerializer):
    class Meta:
        model = Job
        fields = (
            "id",
            "kind",
            "state",
            "stages",
            "stage",
            "done",
            "total",
            "unit",
            "attempt",
            "error",
            "started_at",
            "finished_at",
        )
        read_only_fields = fields


class VersionSerializer(serializers.ModelSerializer):
    class Meta:
        model = Version
        fields = (
            "number",
            "digest",
            "key_column",
            "n_rows",
            "columns",
            "report",
            "note",
            "created_at",
        )
        read_only_fields = fields


class DataSetSerializer(serializers.ModelSerializer):
    discipline = serializers.CharField(source="discipline.code", read_only=True)
    versions = VersionSerializer(many=True, read_only=True)
    page = PageField("datasets:dataset", "project.slug", "slug")

    class Meta:
        model = DataSet
        fields = (
            "slug",
            "name",
            "kind",
            "discipline",
            "description",
            "licence",
            "versions",
            "page",
        )
        read_only_fields = fields


class UploadSerializer(serializers.ModelSerializer):
    check_job = JobSerializer(read_only=True)
    import_job = JobSerializer(read_only=True)
    page = PageField("datasets:upload", "project.slug", "pk")

    class Meta:
        model = Upload
        fields = (
            "id",
            "source",
            "state",
            "options",
            "files",
            "report",
            "check_job",
            "import_job",
            "page",
        )
        read_only_fields = ("id", "state", "options", "files", "report")


class ChoicesSerializer(serializers.Serializer):
    """The choices of an upload, as on the pages of the wizard; everything may be left out."""

    options = serializers.DictField(required=False, default=dict)


class AlignmentSerializer(serializers.ModelSerializer):
    job = JobSerializer(read_only=True)
    page = PageField("datasets:alignment", "project.slug", "number")

    class Meta:
        model = Alignment
        fields = (
            "number",
            "name",
            "state",
            "spec",
            "digest",
            "summary",
            "job",
            "frozen_at",
            "page",
        )
        read_only_fields = ("number", "state", "digest", "summary", "frozen_at")


class RunSerializer(serializers.ModelSerializer):
    job = JobSerializer(read_only=True)
    alignment = serializers.IntegerField(source="alignment.number")
    headline = serializers.SerializerMethodField()
    recipe = serializers.DictField(required=False, default=dict)
    page = PageField("experiments:run", "project.slug", "number")

    class Meta:
        model = Run
        fields = (
            "number",
            "name",
            "question",
            "alignment",
            "recipe",
            "method",
            "headline",
            "bundle_digest",
            "job",
            "created_at",
            "page",
        )
        read_only_fields = ("number", "method", "bundle_digest", "created_at")
        extra_kwargs = {
            "question": {"required": False, "allow_blank": True},
            "name": {"required": False, "allow_blank": True},
        }

    @extend_schema_field(serializers.DictField(allow_null=True))
    def get_headline(self, run: Run) -> dict[str, Any] | None:
        """Return the headline in today's form, also where the result was written by an earlier
        version.
        """
        return (
            Headline.model_validate(run.result["headline"]).model_dump(mode="json")
            if run.result
            else None
        )


class CommentSerializer(serializers.ModelSerializer):
    author = serializers.CharField(source="author.name", read_only=True, default="")
    body = serializers.SerializerMethodField()

    class Meta:
        model = Comment
        fields = ("id", "author", "body", "created_at", "edited_at")
        read_only_fields = fields

    def get_body(self, comment: Comment) -> str:
        return "" if comment.deleted_at else comment.body


class ThreadSerializer(serializers.ModelSerializer):
    comments = CommentSerializer(many=True, read_only=True)
    body = serializers.CharField(write_only=True, max_length=10_000)

    class Meta:
        model = Thread
        fields = (
            "id",
            "anchor_type",
            "anchor_id",
            "anchor_label",
            "resolved_at",
            "comments",
            "body",
        )
        read_only_fields = ("id", "anchor_label", "resolved_at")


class BodySerializer(serializers.Serializer):
    body = serializers.CharField(max_length=10_000)
