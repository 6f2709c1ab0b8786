from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from apps.accounts.models import User

from .models import Discipline, Event, Invitation, Member, Project


def members(project: Project) -> QuerySet[Member]:
    return project.members.select_related("user").prefetch_related("disciplines")


def face(member: Member) -> dict[str, Any]:
    """Return what a person's avatar shows, in the colours of the first discipline."""
    disciplines = list(member.disciplines.all())
    return {
        "name": str(member.user),
        "initials": member.user.initials,
        "slot": disciplines[0].slot if disciplines else 0,
    }


def faces(project: Project) -> dict[int, dict[str, Any]]:
    """User id -> circle, for every member."""
    return {member.user_id: face(member) for member in members(project)}


def disciplines(project: Project) -> QuerySet[Discipline]:
    return project.disciplines.select_related("lead").prefetch_related("members__user")


def invitations() -> QuerySet[Invitation]:
    return Invitation.objects.select_related("project", "invited_by")


def has_account(invitation: Invitation) -> bool:
    return User.objects.filter(email=invitation.email).exists()


def open_invitations(project: Project) -> QuerySet[Invitation]:
    now = timezone.now()
    return project.invitations.filter(
        accepted_at=None, revoked_at=None, expires_at__gt=now
    ).prefetch_related("disciplines")


def events(user: User, project: Project | None = None) -> QuerySet[Event]:
    rows = (
        Event.objects.filter(project__in=Project.objects.visible_to(user))
        if project is None
        else project.events.all()
    )
    return rows.select_related("actor", "project").order_by("-id")
