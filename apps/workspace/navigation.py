"""The frame around every page: rail, counts, the person, the menu of new things."""

from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.accounts.models import User
from apps.datasets.models import Alignment, DataSet
from apps.discussions.models import Notification
from apps.experiments.models import Run
from apps.projects.models import Discipline, Member, Project
from apps.projects.policies import can
from apps.registry.models import Model
from apps.reviews.models import Review
from apps.reviews.queries import waiting_for

Entry = dict[str, Any]
Room = tuple[str, str, str, Entry]
"""URL name, label, icon, numbers."""


def shell_for(request: HttpRequest) -> dict[str, Any] | None:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return None
    project: Project | None = getattr(request, "project", None)
    memberships = _memberships(user)
    inbox = Notification.objects.filter(user=user, done_at=None).count()
    n = _counts(project) if project else {}
    return {
        "project": _switcher(project, memberships, n) if project else None,
        "rail": _project_rail(request, project, n)
        if project
        else _own_rail(request, memberships, inbox),
        "new": _new(user, project),
        "inbox": inbox,
        "user": _person(user, memberships, project),
    }


def _memberships(user: User) -> list[Member]:
    """A member of a project sees it: membership and the role's group are written together."""
    return list(
        user.memberships.select_related("project")
        .prefetch_related("disciplines")
        .order_by("project__name")
    )


def _person(user: User, memberships: list[Member], project: Project | None) -> Entry:
    disciplines = [
        discipline
        for member in memberships
        if project is None or member.project_id == project.pk
        for discipline in member.disciplines.all()
    ]
    links = [
        _entry(_("Settings"), "settings", reverse("accounts:profile")),
        _entry(_("Access tokens"), "key-round", reverse("accounts:tokens")),
        _entry(_("Encoders"), "brain", reverse("experiments:encoders")),
    ]
    return {
        "name": user.name,
        "email": user.email,
        "initials": user.initials,
        "slot": disciplines[0].slot if disciplines else 0,
        "links": links,
    }


def _switcher(project: Project, memberships: list[Member], n: dict[str, int]) -> Entry:
    others = [
        {"name": member.project.name, "url": member.project.get_absolute_url()}
        for member in memberships
        if member.project_id != project.pk
    ]
    return {
        "name": project.name,
        "slug": project.slug,
        "code": project.code,
        "slot": project.slot,
        "disciplines": n["n_disciplines"],
        "members": n["n_people"],
        "projects": others,
    }


def _entry(label: str, icon: str, url: str, current: bool = False, **more: Any) -> Entry:
    return {"label": label, "icon": icon, "url": url, "current": current, **more}


def _own_rail(request: HttpRequest, memberships: list[Member], inbox: int) -> list[Entry]:
    path = request.path
    home, box, search, new = (
        reverse("home"),
        reverse("discussions:inbox"),
        reverse("workspace:search"),
        reverse("projects:new"),
    )
    own = [
        _entry(_("Your work"), "house", home, path == home),
        _entry(_("Inbox"), "inbox", box, path == box, badge=inbox),
        _entry(_("Search"), "search", search, path == search),
    ]
    projects = [
        _entry(member.project.name, "merge", member.project.get_absolute_url())
        for member in memberships
    ]
    profile, tokens, keys = (
        reverse("accounts:profile"),
        reverse("accounts:tokens"),
        reverse("workspace:help"),
    )
    models = reverse("experiments:encoders")
    you = [
        _entry(_("Settings"), "settings", profile, path == profile),
        _entry(_("Access tokens"), "key-round", tokens, path == tokens),
        _entry(_("Encoders"), "brain", models, path == models),
        _entry(_("Help"), "circle-question-mark", keys, path == keys),
    ]
    return [
        {"title": "", "entries": own},
        {
            "title": _("Your projects"),
            "entries": [*projects, _entry(_("New project"), "plus", new, path == new)],
        },
        {"title": pgettext("the person who is signed in", "You"), "entries": you},
    ]


def _counts(project: Project) -> dict[str, int]:
    """All numbers of the rail in one query."""

    def number(rows: QuerySet[Any]) -> Coalesce:
        inner = (
            rows.filter(project=OuterRef("pk"))
            .order_by()
            .values("project")
            .annotate(n=Count("pk"))
            .values("n")
        )
        return Coalesce(Subquery(inner), 0)

    return (
        Project.objects.filter(pk=project.pk)
        .annotate(
            n_data=number(DataSet.objects.filter(deleted_at=None)),
            n_alignments=number(Alignment.objects.all()),
            n_runs=number(Run.objects.filter(deleted_at=None)),
            n_reviews=number(Review.objects.all()),
            n_models=number(Model.objects.all()),
            n_people=number(Member.objects.all()),
            n_disciplines=number(Discipline.objects.all()),
        )
        .values(
            "n_data", "n_alignments", "n_runs", "n_reviews", "n_models", "n_people", "n_disciplines"
        )
        .get()
    )


def _project_rail(request: HttpRequest, project: Project, n: dict[str, int]) -> list[Entry]:
    waiting = sum(1 for review in waiting_for(request.user) if review.project_id == project.pk)
    reviews = {"badge": waiting, "count": n["n_reviews"]}
    rooms: list[tuple[str, list[Room]]] = [
        (
            _("Project"),
            [
                ("projects:overview", _("Overview"), "layout-dashboard", {}),
                ("datasets:list", _("Data sets"), "database", {"count": n["n_data"]}),
                ("workspace:samples", _("Samples"), "images", {}),
                ("datasets:alignments", _("Alignments"), "merge", {"count": n["n_alignments"]}),
            ],
        ),
        (
            _("Models"),
            [
                ("experiments:runs", _("Runs"), "flask-conical", {"count": n["n_runs"]}),
                ("reviews:list", _("Reviews"), "scale", reviews),
                ("registry:models", _("Model registry"), "package", {"count": n["n_models"]}),
            ],
        ),
        (
            _("Team"),
            [
                ("projects:members", _("Members"), "users", {"count": n["n_people"]}),
                ("projects:activity", _("Activity"), "history", {}),
            ],
        ),
    ]
    if can(request.user, "own", project):
        rooms[-1][1].append(("projects:settings", _("Settings"), "settings", {}))
    return [
        {"title": title, "entries": [_room(request, project, *room) for room in group]}
        for title, group in rooms
    ]


def _room(
    request: HttpRequest, project: Project, name: str, label: str, icon: str, numbers: Entry
) -> Entry:
    url = reverse(name, args=[project.slug])
    is_current = (
        request.path == url if name == "projects:overview" else request.path.startswith(url)
    )
    if name == "projects:members":
        is_current = is_current or request.path.startswith(
            reverse("projects:disciplines", args=[project.slug])
        )
    return _entry(label, icon, url, is_current, **numbers)


def _new(user: User, project: Project | None) -> list[Entry]:
    items = [_entry(_("Project"), "merge", reverse("projects:new"))]
    if project and can(user, "contribute", project):
        named = [
            (_("Data set"), "upload", "datasets:new"),
            (_("Alignment"), "merge", "datasets:new_alignment"),
            (_("Run"), "flask-conical", "experiments:new_run"),
        ]
        items = [
            *(
                _entry(label, icon, reverse(name, args=[project.slug]))
                for label, icon, name in named
            ),
            *items,
        ]
    return items
