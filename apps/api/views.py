"""The main job by program: project, upload, alignment, run, discussion. Thin: every rule is in a
service.
"""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, parsers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import queries
from apps.api.in_project import InProject
from apps.api.serializers import (
    AlignmentSerializer,
    BodySerializer,
    ChoicesSerializer,
    CommentSerializer,
    DataSetSerializer,
    ProjectSerializer,
    RunSerializer,
    ThreadSerializer,
    UploadSerializer,
)
from apps.datasets.alignments import services as alignments
from apps.datasets.models import Alignment, DataSet, Upload
from apps.datasets.uploads import services
from apps.datasets.uploads.receive import receive_file
from apps.discussions import anchors
from apps.discussions import services as discussions
from apps.discussions.models import Thread
from apps.experiments import services as runs
from apps.experiments.models import Run
from apps.projects.models import Project
from apps.projects.services import create_project
from fusion.schema.recipe import Recipe


class Projects(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    serializer_class = ProjectSerializer
    lookup_field = "slug"
    lookup_value_converter = "slug"

    def get_queryset(self) -> QuerySet[Project]:
        return queries.projects_of(self.request)

    def create(self, request: Request) -> Response:
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        fields = body.validated_data
        project = create_project(
            request.user, fields["name"], fields["goal"], fields.get("disciplines", [])
        )
        return Response(self.get_serializer(project).data, status.HTTP_201_CREATED)


class DataSets(mixins.ListModelMixin, mixins.RetrieveModelMixin, InProject):
    serializer_class = DataSetSerializer
    lookup_field = "slug"
    lookup_value_converter = "slug"

    def get_queryset(self) -> QuerySet[DataSet]:
        return queries.datasets(self.project)


class Uploads(mixins.ListModelMixin, mixins.RetrieveModelMixin, InProject):
    serializer_class = UploadSerializer
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Upload]:
        return queries.uploads(self.project)

    def create(self, request: Request, **_kwargs: str) -> Response:
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        upload = services.begin_upload(request.user, self.project, body.validated_data["source"])
        return Response(self.get_serializer(upload).data, status.HTTP_201_CREATED)

    @extend_schema(
        request={"application/octet-stream": bytes},
        parameters=[OpenApiParameter("name", str, required=True)],
    )
    @action(detail=True, methods=["put"], parser_classes=[parsers.FileUploadParser])
    def files(self, request: Request, **_kwargs: str) -> Response:
        """One file as the body; `?name=` says how it is called."""
        upload = self.get_object()
        receive_file(
            request.user, upload, request.query_params.get("name", ""), request.data["file"]
        )
        return self._respond(upload)

    @extend_schema(request=ChoicesSerializer)
    @action(detail=True, methods=["post"])
    def check(self, request: Request, **_kwargs: str) -> Response:
        """Start the check; look at `state` and `check_job` until it is ready."""
        upload = self.get_object()
        services.start_check(request.user, upload, **self._choices(request))
        return self._respond(upload)

    @extend_schema(request=ChoicesSerializer)
    @action(detail=True, methods=["post"], url_path="import")
    def confirm(self, request: Request, **_kwargs: str) -> Response:
        """Confirm what the check found: everything but the broken files becomes versions."""
        upload = self.get_object()
        if options := self._choices(request):
            services.choose(request.user, upload, **options)
        services.start_import(request.user, upload)
        return self._respond(upload)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, **_kwargs: str) -> Response:
        upload = self.get_object()
        services.cancel_upload(request.user, upload)
        return self._respond(upload)

    def _choices(self, request: Request) -> dict[str, Any]:
        body = ChoicesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return body.validated_data["options"]

    def _respond(self, upload: Upload) -> Response:
        return Response(self.get_serializer(self.get_queryset().get(pk=upload.pk)).data)


class Alignments(mixins.ListModelMixin, mixins.RetrieveModelMixin, InProject):
    serializer_class = AlignmentSerializer
    lookup_field = "number"
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Alignment]:
        return queries.alignments(self.project)

    def create(self, request: Request, **_kwargs: str) -> Response:
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        fields = body.validated_data
        alignment = alignments.create_alignment(
            request.user, self.project, fields["name"], fields.get("spec", {})
        )
        return Response(self.get_serializer(alignment).data, status.HTTP_201_CREATED)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def freeze(self, request: Request, **_kwargs: str) -> Response:
        alignment = self.get_object()
        alignments.freeze(request.user, alignment)
        return Response(self.get_serializer(self.get_object()).data)


class Runs(mixins.ListModelMixin, mixins.RetrieveModelMixin, InProject):
    serializer_class = RunSerializer
    lookup_field = "number"
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Run]:
        return queries.runs(self.project)

    def create(self, request: Request, **_kwargs: str) -> Response:
        """Start a run; without a recipe the default one is used."""
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        fields = body.validated_data
        alignment = get_object_or_404(
            queries.alignments(self.project), number=fields["alignment"]["number"]
        )
        recipe = Recipe.parse(fields.get("recipe", {}))
        run = runs.start_run(
            request.user,
            self.project,
            alignment,
            recipe,
            fields.get("question", ""),
            name=fields.get("name", ""),
        )
        return Response(self.get_serializer(run).data, status.HTTP_201_CREATED)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, **_kwargs: str) -> Response:
        runs.stop_run(request.user, self.get_object())
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(responses={200: dict})
    @action(detail=True)
    def result(self, request: Request, **_kwargs: str) -> Response:
        """The whole evaluation, exactly as the engine wrote it."""
        run = self.get_object()
        return Response(
            run.result, status.HTTP_200_OK if run.result else status.HTTP_204_NO_CONTENT
        )


class Threads(mixins.ListModelMixin, mixins.RetrieveModelMixin, InProject):
    serializer_class = ThreadSerializer
    lookup_value_converter = "int"
    filterset_fields = ("anchor_type", "anchor_id")

    def get_queryset(self) -> QuerySet[Thread]:
        return queries.threads(self.project)

    def create(self, request: Request, **_kwargs: str) -> Response:
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        fields = body.validated_data
        anchor = anchors.find(self.project, fields["anchor_type"], fields["anchor_id"])
        comment = discussions.open_thread(
            request.user,
            self.project,
            fields["anchor_type"],
            fields["anchor_id"],
            anchor.label,
            fields["body"],
            anchor.people,
        )
        return Response(self.get_serializer(comment.thread).data, status.HTTP_201_CREATED)

    @extend_schema(request=BodySerializer, responses={201: CommentSerializer})
    @action(detail=True, methods=["post"])
    def reply(self, request: Request, **_kwargs: str) -> Response:
        thread = self.get_object()
        body = BodySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        comment = discussions.reply(request.user, thread, body.validated_data["body"])
        return Response(CommentSerializer(comment).data, status.HTTP_201_CREATED)
