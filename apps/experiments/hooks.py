"""Hooks by which apps above this one add to a run's page, registered from `ready()`.

hooks.run_actions.append(lambda request, run: [Action(_("Register as a model version"), url,
"package", primary=True)])
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest

from .models import Run


@dataclass(frozen=True)
class Action:
    """A button in the head of a finished run's page."""

    label: str
    href: str
    icon: str = ""
    primary: bool = False


@dataclass(frozen=True)
class Note:
    """A fact in the line under a run's title, for instance "candidate in review 7"."""

    icon: str
    text: str
    label: str
    href: str


run_actions: list[Callable[[HttpRequest, Run], list[Action]]] = []
run_notes: list[Callable[[HttpRequest, Run], list[Note]]] = []


def actions_of(request: HttpRequest, run: Run) -> list[Action]:
    return [action for hook in run_actions for action in hook(request, run)]


def notes_of(request: HttpRequest, run: Run) -> list[Note]:
    return [note for hook in run_notes for note in hook(request, run)]
