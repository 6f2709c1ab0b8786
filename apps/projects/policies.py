"""Rights of people in a project. The only module that asks guardian; everything else asks `can` or
`require`.
"""

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _
from guardian.shortcuts import get_objects_for_user

from .roles import GRANTS, Action, Role

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from apps.accounts.models import User

    from .models import Project, ProjectQuerySet


def visible_projects(
    projects: "ProjectQuerySet", user: "User | AnonymousUser"
) -> "ProjectQuerySet":
    if not user.is_authenticated:
        return projects.none()
    return get_objects_for_user(
        user, "projects.view_project", projects, with_superuser=False, accept_global_perms=False
    )


def actions(user: "User | AnonymousUser", project: "Project") -> frozenset[str]:
    """Everything that the person may do here; asked once a request and project."""
    if not user.is_authenticated or not user.is_active:
        return frozenset()
    cache = user.__dict__.setdefault("_project_actions", {})
    if project.pk not in cache:
        from guardian.core import ObjectPermissionChecker

        codes = (
            ObjectPermissionChecker(user).get_perms(project)
            if not user.is_superuser
            else _granted(user, project)
        )
        cache[project.pk] = frozenset(code.removesuffix("_project") for code in codes)
    return cache[project.pk]


def _granted(user: "User", project: "Project") -> list[str]:
    """Being a superuser opens no project: only membership does."""
    roles = project.members.filter(user=user).values_list("role", flat=True)
    return [f"{action}_project" for role in roles for action in GRANTS[Role(role)]]


def can(user: "User | AnonymousUser", action: Action, project: "Project") -> bool:
    return action in actions(user, project)


def require(user: "User | AnonymousUser", action: Action, project: "Project") -> None:
    """Raise 404 for an outsider, who must not learn that the project exists, and 403 for a member
    without the right.
    """
    if can(user, action, project):
        return
    if not can(user, "view", project):
        raise Http404
    raise PermissionDenied(DENIALS[action]())


DENIALS = {
    "view": lambda: _("You are not a member of this project."),
    "comment": lambda: _(
        "Viewers can read but not comment. Ask an owner of the project for another role."
    ),
    "contribute": lambda: _(
        "Only contributors, maintainers and owners can add data and start runs. Ask an owner of "
        "the project."
    ),
    "review": lambda: _(
        "Only reviewers, maintainers and owners can decide in reviews. Ask an owner of the project."
    ),
    "maintain": lambda: _("Only maintainers and owners can do this. Ask an owner of the project."),
    "own": lambda: _("Only owners can do this. Ask an owner of the project."),
}
