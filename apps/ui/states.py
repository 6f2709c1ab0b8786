"""The states that a pill can show: tone, icon and word. Colour is never the only channel."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class State:
    tone: str
    icon: str
    label: Any


STATES: dict[str, State] = {
    "running": State("info", "dot", _("Running")),
    "training": State("info", "dot", _("Training")),
    "queued": State("plain", "clock", _("Queued")),
    "claimed": State("plain", "clock", _("Starting")),
    "waits": State("plain", "clock", _("Waits")),
    "finished": State("success", "check", _("Finished")),
    "done": State("success", "check", _("Done")),
    "failed": State("danger", "circle-x", _("Failed")),
    "stopped": State("plain", "square", _("Stopped")),
    "stopping": State("plain", "square", _("Stopping")),
    "ready": State("success", "check", _("Ready")),
    "processing": State("info", "dot", _("Processing")),
    "importing": State("info", "dot", _("Importing")),
    "uploading": State("info", "dot", _("Uploading")),
    "checked": State("warning", "list-checks", _("To confirm")),
    "partly_failed": State("warning", "triangle-alert", _("Partly failed")),
    "quarantined": State("warning", "file-exclamation-point", _("Set aside")),
    "frozen": State("success", "lock", _("Frozen")),
    "draft": State("info", "eye-off", _("Draft")),
    "open": State("info", "circle-dot", _("Open")),
    "resolved": State("success", "check", _("Resolved")),
    "closed": State("plain", "circle-slash", _("Closed")),
    "withdrawn": State("plain", "undo-2", _("Withdrawn")),
    "approved": State("success", "check", _("Approved")),
    "approved_waiver": State("warning", "file-pen", _("Approved with waiver")),
    "changes_requested": State("danger", "message-square-warning", _("Changes requested")),
    "commented": State("plain", "message-square", _("Commented")),
    "your_turn": State("accent", "arrow-right", _("Your turn")),
    "waiting": State("plain", "hourglass", _("Waiting")),
    "needs_look": State("warning", "rotate-ccw", _("Needs another look")),
    "not_required": State("plain", "minus", _("Not needed")),
    "in_review": State("warning", "scale", _("In review")),
    "candidate": State("info", "scale", _("Candidate")),
    "none": State("plain", "flask-conical", _("Registered")),
    "staging": State("info", "flask-conical", _("Staging")),
    "production": State("success", "package-check", _("Production")),
    "retired": State("plain", "archive", _("Retired")),
    "met": State("success", "check", _("Met")),
    "undecided": State("warning", "circle-dashed", _("Undecided")),
    "not_met": State("danger", "x", _("Not met")),
    "too_few": State("plain", "circle-slash", _("Too few samples")),
    "active": State("success", "check", _("Active")),
    "invited": State("plain", "send", _("Invited")),
    "expired": State("plain", "clock", _("Expired")),
    "revoked": State("danger", "ban", _("Revoked")),
}


def state_of(name: str) -> State:
    """An unknown state is shown plainly with its own word, never as an error page."""
    return STATES.get(name, State("plain", "circle-dot", name.replace("_", " ").capitalize()))
