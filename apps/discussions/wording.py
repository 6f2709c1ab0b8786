"""How an event reads in the inbox. The sentences belong to apps.workspace, which lies above and registers its own teller."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from django.urls import reverse

from apps.projects.models import Event


class Told(Protocol):
    """What happened ("replied on ..."), the name of the thing it stands on, its icon and its page."""

    @property
    def phrase(self) -> str: ...
    @property
    def heading(self) -> str: ...
    @property
    def icon(self) -> str: ...
    @property
    def url(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Plain:
    phrase: str
    heading: str
    icon: str
    url: str


def _plain(event: Event) -> Told:
    url = event.project.get_absolute_url() if event.project else reverse("home")
    return Plain(event.label or event.verb, event.label, "inbox", url)


_tellers: list[Callable[[Event], Told]] = [_plain]


def register(teller: Callable[[Event], Told]) -> None:
    """The last one registered tells all events."""
    _tellers.append(teller)


def tell(event: Event) -> Told:
    return _tellers[-1](event)
