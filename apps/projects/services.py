"""The verbs of projects: create, change, add people and disciplines, invite."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from guardian.shortcuts import assign_perm

from apps.accounts.models import User
from apps.accounts.services import create_user

from .events import record
from .models import Counter, Discipline, Invitation, Member, Project, Role, RoleGroup
from .policies import require
from .roles import GRANTS

INVITATION_DAYS = 14


def next_number(project: Project, kind: str) -> int:
    """The next number of this kind in the project; called inside the transaction that uses it."""
    counter, _made = Counter.objects.get_or_create(project=project, kind=kind)
    Counter.objects.filter(pk=counter.pk).update(value=F("value") + 1)
    counter.refresh_from_db()
    return counter.value


def free_slug(name: str, taken: Iterable[str], fallback: str) -> str:
    base = slugify(name)[:50] or fallback
    used = set(taken)
    candidates = (base if n == 1 else f"{base}-{n}" for n in range(1, len(used) + 2))
    return next(slug for slug in candidates if slug not in used)


RESERVED_SLUGS = ("new",)


@transaction.atomic
def create_project(
    actor: User, name: str, goal: str, disciplines: Iterable[dict[str, Any]] = ()
) -> Project:
    if not goal.strip():
        raise ValidationError({"goal": _("Say in one sentence what the project is for.")})
    taken = [*Project.objects.values_list("slug", flat=True), *RESERVED_SLUGS]
    project = Project.objects.create(
        name=name.strip(),
        goal=goal.strip(),
        slug=free_slug(name, taken, "project"),
        created_by=actor,
    )
    for role in Role:
        group = Group.objects.create(name=f"project {project.pk} {role.value}")
        RoleGroup.objects.create(project=project, role=role, group=group)
        for action in GRANTS[role]:
            assign_perm(f"projects.{action}_project", group, project)
    for number, fields in enumerate(disciplines):
        Discipline.objects.create(project=project, **{"slot": number % 8 + 1, **fields})
    _set_member(project, actor, Role.OWNER, [])
    record(project, actor, "project.created", "project", project.slug, project.name)
    return project


@transaction.atomic
def change_project(actor: User, project: Project, name: str, goal: str) -> Project:
    require(actor, "own", project)
    changes = {
        field: [getattr(project, field), new]
        for field, new in (("name", name), ("goal", goal))
        if getattr(project, field) != new
    }
    project.name, project.goal = name, goal
    project.save(update_fields=["name", "goal"])
    record(project, actor, "project.changed", "project", project.slug, name, changes=changes)
    return project


@transaction.atomic
def add_discipline(
    actor: User,
    project: Project,
    code: str,
    name: str,
    lead: User | None = None,
    slot: int | None = None,
) -> Discipline:
    require(actor, "maintain", project)
    count = project.disciplines.count()
    discipline = Discipline.objects.create(
        project=project, code=code.upper(), name=name, lead=lead, slot=slot or count % 8 + 1
    )
    record(project, actor, "discipline.added", "discipline", discipline.code, name)
    return discipline


@transaction.atomic
def change_discipline(actor: User, discipline: Discipline, **fields: Any) -> Discipline:
    project = discipline.project
    require(actor, "maintain", project)
    changes = {
        field: [str(getattr(discipline, field)), str(new)]
        for field, new in fields.items()
        if getattr(discipline, field) != new
    }
    for field, new in fields.items():
        setattr(discipline, field, new)
    discipline.save()
    record(
        project,
        actor,
        "discipline.changed",
        "discipline",
        discipline.code,
        discipline.name,
        changes=changes,
    )
    return discipline


def _set_member(
    project: Project, user: User, role: Role, disciplines: Iterable[Discipline]
) -> Member:
    member, _made = Member.objects.update_or_create(
        project=project, user=user, defaults={"role": role}
    )
    member.disciplines.set(disciplines)
    user.groups.remove(*Group.objects.filter(role_group__project=project))
    user.groups.add(Group.objects.get(role_group__project=project, role_group__role=role))
    user.__dict__.pop("_project_actions", None)
    return member


@transaction.atomic
def set_member(
    actor: User, project: Project, user: User, role: Role, disciplines: Iterable[Discipline] = ()
) -> Member:
    """Add a person, or change the role and disciplines of one."""
    require(actor, "own", project)
    before = project.members.filter(user=user).first()
    if before and before.role == Role.OWNER and role != Role.OWNER:
        _keep_an_owner(project, user)
    old = before.role if before else None
    member = _set_member(project, user, role, disciplines)
    verb = "member.changed" if before else "member.added"
    record(project, actor, verb, "member", user.pk, str(user), changes={"role": [old, role]})
    return member


@transaction.atomic
def remove_member(actor: User, project: Project, user: User) -> None:
    if actor != user:
        require(actor, "own", project)
    member = project.members.get(user=user)
    if member.role == Role.OWNER:
        _keep_an_owner(project, user)
    user.groups.remove(*Group.objects.filter(role_group__project=project))
    user.__dict__.pop("_project_actions", None)
    member.delete()
    record(project, actor, "member.removed", "member", user.pk, str(user))


def _keep_an_owner(project: Project, leaving: User) -> None:
    if not project.members.filter(role=Role.OWNER).exclude(user=leaving).exists():
        raise ValidationError(_("A project needs an owner. Make somebody else an owner first."))


@transaction.atomic
def invite(
    actor: User, project: Project, email: str, role: Role, disciplines: Iterable[Discipline] = ()
) -> Invitation:
    require(actor, "own", project)
    if project.members.filter(user__email=email.lower()).exists():
        raise ValidationError({"email": _("This person is a member already.")})
    until = timezone.now() + timedelta(days=INVITATION_DAYS)
    invitation = Invitation.objects.create(
        project=project, email=email.lower(), role=role, invited_by=actor, expires_at=until
    )
    invitation.disciplines.set(disciplines)
    record(project, actor, "member.invited", "member", email.lower(), email.lower())
    return invitation


@transaction.atomic
def revoke_invitation(actor: User, invitation: Invitation) -> None:
    require(actor, "own", invitation.project)
    Invitation.objects.filter(pk=invitation.pk, accepted_at=None).update(revoked_at=timezone.now())
    record(
        invitation.project, actor, "member.uninvited", "member", invitation.email, invitation.email
    )


@transaction.atomic
def accept_invitation(invitation: Invitation, user: User) -> Member:
    """Works once, before its end, and only for the address that was invited."""
    now = timezone.now()
    open_ones = Invitation.objects.filter(
        pk=invitation.pk, accepted_at=None, revoked_at=None, expires_at__gt=now
    )
    if user.email != invitation.email:
        raise ValidationError(
            _("This invitation is for another e-mail address. Sign in with that one.")
        )
    if not open_ones.update(accepted_at=now):
        raise ValidationError(
            _("This invitation has been used, has ended or was withdrawn. Ask for a new one.")
        )
    project = invitation.project
    if member := project.members.filter(user=user).first():
        return member
    member = _set_member(project, user, Role(invitation.role), invitation.disciplines.all())
    record(project, user, "member.joined", "member", user.pk, str(user))
    return member


@transaction.atomic
def join_as_new_person(invitation: Invitation, name: str, password: str) -> User:
    """Make the account that the invitation is for, and accept; nothing stays when either is
    refused.
    """
    try:
        user = create_user(invitation.email, name, password)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from error
    accept_invitation(invitation, user)
    return user
