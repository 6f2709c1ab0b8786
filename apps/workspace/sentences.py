"""Events in words. Every verb that a service records has its phrase here; a test walks the code for verbs that have none."""

from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.projects.models import Event, Role

PHRASES: dict[str, Promise] = {
    "project.created": _("created the project"),
    "project.changed": _("changed the project's name or goal"),
    "discipline.added": _("added the discipline %(label)s"),
    "discipline.changed": _("changed the discipline %(label)s"),
    "member.added": _("added %(label)s as %(role)s"),
    "member.changed": _("made %(label)s %(role)s"),
    "member.removed": _("removed %(label)s"),
    "member.invited": _("invited %(label)s"),
    "member.uninvited": _("withdrew the invitation of %(label)s"),
    "member.joined": _("joined the project"),
}

ICONS = {
    "project": "merge",
    "discipline": "users",
    "member": "users",
    "dataset": "database",
    "upload": "upload",
    "alignment": "merge",
    "sample": "image",
    "run": "flask-conical",
    "model": "package",
    "version": "package",
    "review": "scale",
}

HEADINGS: dict[str, Promise] = {
    "project": _("Project"),
    "discipline": _("Disciplines"),
    "member": _("Members"),
    "dataset": _("Data set %(label)s"),
    "upload": _("Upload %(label)s"),
    "alignment": _("Alignment %(id)s: %(label)s"),
    "sample": _("Sample %(label)s"),
    "run": _("Run %(id)s: %(label)s"),
    "model": _("Model %(label)s"),
    "version": _("Model version %(label)s"),
    "review": _("Review %(id)s: %(label)s"),
}


@dataclass(frozen=True)
class Told:
    """One event as a page shows it."""

    event: Event
    phrase: str
    heading: str
    icon: str
    url: str


def tell(event: Event) -> Told:
    words = _words(event)
    phrase = PHRASES.get(event.verb)
    heading = HEADINGS.get(event.target_type)
    return Told(
        event=event,
        phrase=str(phrase) % words if phrase else event.verb,
        heading=str(heading) % words if heading else event.label,
        icon=ICONS.get(event.target_type, "history"),
        url=address(event),
    )


def _words(event: Event) -> dict[str, Any]:
    role = (event.data.get("changes") or {}).get("role", ["", ""])[1]
    known = {"label": event.label, "id": event.target_id, "role": Role(role).label if role in Role.values else ""}
    return known | {key: value for key, value in event.data.items() if isinstance(value, str | int | float)}


def address(event: Event) -> str:
    """Where the thing stands now; the project's page when it has none of its own."""
    if event.project is None:
        return reverse("home")
    slug, target = event.project.slug, event.target_id
    pages: dict[str, tuple[str, list[Any]]] = {
        "discipline": ("projects:disciplines", [slug]),
        "member": ("projects:members", [slug]),
        "dataset": ("datasets:dataset", [slug, target]),
        "upload": ("datasets:upload", [slug, target]),
        "alignment": ("datasets:alignment", [slug, target]),
        "sample": ("workspace:sample", [slug, target]),
        "run": ("experiments:run", [slug, target]),
        "model": ("registry:model", [slug, target]),
        "version": ("registry:version", [slug, *target.split("/")]),
        "review": ("reviews:review", [slug, target]),
    }
    name, args = pages.get(event.target_type, ("projects:overview", [slug]))
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return reverse("projects:overview", args=[slug])
