"""Events in words. Every verb that a service records has its phrase here; a test walks the code for
verbs that have none.
"""

from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.projects.models import Event, Role
from apps.ui import figures

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
    "study.imported": _("imported the study %(label)s"),
    "dataset.created": _("created the data set"),
    "dataset.changed": _("changed the description"),
    "dataset.deleted": _("deleted the data set"),
    "dataset.restored": _("brought the data set back"),
    "version.added": _("added version %(number)s with %(rows)s rows"),
    "upload.checked": _("The check is done"),
    "upload.imported": _("The import is done"),
    "upload.failed": _("The upload failed: %(error)s"),
    "alignment.created": _("drafted it"),
    "alignment.freezing": _("started to freeze it"),
    "alignment.frozen": _("froze it with %(samples)s samples"),
    "alignment.discarded": _("threw the draft away"),
    "run.started": _("started it"),
    "run.finished": _("It finished: %(metric)s %(score)s"),
    "run.failed": _("It failed: %(error)s"),
    "run.stopped": _("It was stopped"),
    "run.stop_requested": _("asked it to stop"),
    "run.renamed": _("renamed it"),
    "run.deleted": _("deleted it"),
    "run.restored": _("brought it back"),
    "model.registered": _("registered it from run %(run)s"),
    "model.card_changed": _("changed the card"),
    "review.opened": _("asked for decisions"),
    "review.decided": _("decided for %(discipline)s: %(verdict)s"),
    "review.asked_again": _("made changes and asks again"),
    "review.promoted": _("promoted it to Staging"),
    "review.withdrawn": _("withdrew it"),
    "comment.added": _("commented: %(excerpt)s"),
    "comment.replied": _("replied: %(excerpt)s"),
    "comment.edited": _("changed a comment"),
    "comment.deleted": _("deleted a comment"),
    "comment.restored": _("brought a comment back"),
    "comment.resolved": _("marked a discussion as resolved"),
    "comment.reopened": _("reopened a discussion"),
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
class EventSentence:
    """One event as a page shows it."""

    event: Event
    phrase: str
    heading: str
    icon: str
    url: str


def sentence_of(event: Event) -> EventSentence:
    words = _words(event)
    phrase = PHRASES.get(event.verb)
    heading = HEADINGS.get(event.target_type)
    return EventSentence(
        event=event,
        phrase=str(phrase) % words if phrase else event.verb,
        heading=str(heading) % words if heading else event.label,
        icon=ICONS.get(event.target_type, "history"),
        url=address(event),
    )


VERDICTS: dict[str, Promise] = {
    "approve": _("approved"),
    "comment": _("comment only"),
    "changes": _("changes requested"),
}


class _Words(dict[str, Any]):
    """A phrase never fails for want of a detail that an old event lacks."""

    def __missing__(self, key: str) -> str:
        return "…"


def _plain(value: str | float) -> str:
    return (
        f"{value:.3f}".removeprefix("0")
        if isinstance(value, float)
        else f"{value:,}"
        if isinstance(value, int)
        else value
    )


def _words(event: Event) -> _Words:
    role = (event.data.get("changes") or {}).get("role", ["", ""])[1]
    known = {
        "label": event.label,
        "id": event.target_id,
        "role": Role(role).label if role in Role.values else "",
    }
    details = {
        key: _plain(value)
        for key, value in event.data.items()
        if isinstance(value, str | int | float)
    }
    if "macro_f1" in event.data:  # as a run's end was told before there were other learning tasks
        details |= {"metric": "macro_f1", "score": details["macro_f1"]}
    if "metric" in details:
        details["metric"] = figures.metric(details["metric"])
    verdict = VERDICTS.get(str(event.data.get("verdict")))
    return _Words(known | details | ({"verdict": verdict} if verdict else {}))


def address(event: Event) -> str:
    """Return the page of the event's target; the project's page where it has none of its own."""
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
