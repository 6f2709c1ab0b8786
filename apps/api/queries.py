"""Rows of a project together with what their serializers read."""

from django.db.models import QuerySet
from rest_framework.request import Request

from apps.accounts.models import ApiToken
from apps.datasets.models import Alignment, DataSet, Upload
from apps.discussions.models import Thread
from apps.experiments.models import Run
from apps.projects.models import Project, ProjectQuerySet


def projects_of(request: Request) -> ProjectQuerySet:
    """Return the person's projects, or the one that the token was made for."""
    if not request.user.is_authenticated:
        return Project.objects.none()
    projects = Project.objects.visible_to(request.user)
    token = request.auth
    if isinstance(token, ApiToken) and token.project_id:
        projects = projects.filter(pk=token.project_id)
    return projects.prefetch_related("disciplines")


def datasets(project: Project) -> QuerySet[DataSet]:
    rows = DataSet.objects.filter(project=project, deleted_at=None)
    return rows.select_related("discipline", "project").prefetch_related("versions")


def uploads(project: Project) -> QuerySet[Upload]:
    rows = Upload.objects.filter(project=project)
    return rows.select_related("project", "check_job", "import_job")


def alignments(project: Project) -> QuerySet[Alignment]:
    return Alignment.objects.filter(project=project).select_related("project", "job")


def runs(project: Project) -> QuerySet[Run]:
    rows = Run.objects.filter(project=project, deleted_at=None)
    return rows.select_related("project", "alignment", "job")


def threads(project: Project) -> QuerySet[Thread]:
    return Thread.objects.filter(project=project).prefetch_related("comments__author")
