"""Hooks by which apps above this one add to a version's page: reviews register themselves in
`ready()`.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from apps.projects.models import Discipline

from .models import ModelVersion


@dataclass(frozen=True)
class VersionAction:
    """A button in the head of a version's page."""

    label: Any
    href: str
    icon: str = ""


@dataclass(frozen=True)
class Approval:
    """One discipline's decision about the version."""

    discipline: Discipline
    person: str
    state: str
    """A state of apps/ui/states.py."""
    summary: str
    at: datetime
    url: str
    review: int


version_actions: list[Callable[[HttpRequest, ModelVersion], list[VersionAction]]] = []
approvals: list[Callable[[ModelVersion], list[Approval]]] = []
in_review: list[Callable[[Collection[ModelVersion]], dict[int, int]]] = []
"""Version id -> number of the review that is under way."""


def actions_of(request: HttpRequest, version: ModelVersion) -> list[VersionAction]:
    return [action for hook in version_actions for action in hook(request, version)]


def approvals_of(version: ModelVersion) -> list[Approval]:
    return [approval for hook in approvals for approval in hook(version)]


def reviews_of(versions: Collection[ModelVersion]) -> dict[int, int]:
    return {pk: number for hook in in_review for pk, number in hook(versions).items()}
