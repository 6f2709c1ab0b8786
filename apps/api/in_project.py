from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from rest_framework import viewsets

from apps.api.queries import projects_of
from apps.projects.models import Project


class InProject(viewsets.GenericViewSet):
    """Everything under `/projects/<slug>/`: the project is found among those that the caller sees,
    else 404.
    """

    @cached_property
    def project(self) -> Project:
        return get_object_or_404(projects_of(self.request), slug=self.kwargs["project"])

    def get_serializer_context(self) -> dict[str, Any]:
        context = super().get_serializer_context()
        return (
            context
            if getattr(self, "swagger_fake_view", False)
            else {**context, "project": self.project}
        )
