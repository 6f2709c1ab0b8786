import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from .roles import Role

if TYPE_CHECKING:
    from apps.accounts.models import User


class ProjectQuerySet(models.QuerySet["Project"]):
    def visible_to(self, user: "User") -> "ProjectQuerySet":
        """The only way to rows: every queryset of anything in a project starts here."""
        from .policies import visible_projects

        return visible_projects(self, user)


class Project(models.Model):
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120)
    goal = models.CharField(_("goal, in one sentence"), max_length=300)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        permissions = (
            ("comment_project", "Can comment"),
            ("contribute_project", "Can upload data, align and start runs"),
            ("review_project", "Can decide in reviews"),
            ("maintain_project", "Can register and propose models, and manage data"),
            ("own_project", "Can manage members and settings"),
        )

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("projects:overview", args=[self.slug])

    @property
    def code(self) -> str:
        words = self.name.split()
        return (words[0][:1] + words[1][:1] if len(words) > 1 else self.name[:2]).upper()

    @property
    def slot(self) -> int:
        return (self.pk or 0) % 8 + 1


class ProjectUserPermission(UserObjectPermissionBase):
    content_object = models.ForeignKey(Project, models.CASCADE)

    def __str__(self) -> str:
        return f"{self.user_id} {self.permission_id} {self.content_object_id}"


class ProjectGroupPermission(GroupObjectPermissionBase):
    content_object = models.ForeignKey(Project, models.CASCADE)

    def __str__(self) -> str:
        return f"{self.group_id} {self.permission_id} {self.content_object_id}"


class RoleGroup(models.Model):
    """The five groups of a project, one a role; guardian's grants hang on them."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="role_groups")
    role = models.CharField(max_length=12, choices=Role)
    group = models.OneToOneField(Group, models.CASCADE, related_name="role_group")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("project", "role"), name="one_group_a_role"),
        )

    def __str__(self) -> str:
        return f"{self.project_id} {self.role}"


class Discipline(models.Model):
    project = models.ForeignKey(Project, models.CASCADE, related_name="disciplines")
    code = models.CharField(_("code"), max_length=2)
    name = models.CharField(_("name"), max_length=60)
    slot = models.PositiveSmallIntegerField(_("colour"), default=1)
    lead = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("lead"),
    )

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(fields=("project", "code"), name="discipline_code_once"),
        )

    def __str__(self) -> str:
        return self.name


class Member(models.Model):
    project = models.ForeignKey(Project, models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=12, choices=Role)
    disciplines = models.ManyToManyField(
        Discipline, blank=True, related_name="members", verbose_name=_("disciplines")
    )
    joined_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("user__name",)
        constraints = (models.UniqueConstraint(fields=("project", "user"), name="member_once"),)

    def __str__(self) -> str:
        return str(self.user)


class Invitation(models.Model):
    """A link that lets one person in; it is shown for copying, and works once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="invitations")
    email = models.EmailField(_("e-mail"))
    role = models.CharField(_("role"), max_length=12, choices=Role, default=Role.CONTRIBUTOR)
    disciplines = models.ManyToManyField(
        Discipline, blank=True, related_name="+", verbose_name=_("disciplines")
    )
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.email


class Counter(models.Model):
    """The last number given in a project to a run, a review, an alignment."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)
    value = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("project", "kind"), name="one_counter_a_kind"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


class OutboxTurn(models.Model):
    """One row. Whoever writes an event takes it first, so events are committed in the order of
    their ids.
    """

    n = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.n)


class Event(models.Model):
    """A change, written in the transaction that made it. Append-only: activity, notifications,
    audit, live updates.
    """

    project = models.ForeignKey(Project, models.CASCADE, null=True, related_name="events")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    verb = models.CharField(max_length=40)
    """For instance `run.finished`; the sentences are in apps.projects.sentences."""
    target_type = models.CharField(max_length=20)
    target_id = models.CharField(max_length=80)
    """What the address holds: a run's number, a data set's slug, a sample's key."""
    label = models.CharField(max_length=200, blank=True)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=("project", "-id"), name="event_project"),)

    def __str__(self) -> str:
        return f"{self.verb} {self.label}"
