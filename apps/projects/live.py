"""Live updates: what is sent to open pages, where it is read from, and the wake-up after a commit.

An app that has something to tell registers a feed from `ready()`; apps.projects itself tells the
events, apps.jobs the progress of jobs.
"""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings

from .models import Event

if TYPE_CHECKING:
    from redis import Redis

logger = logging.getLogger(__name__)

CHANNEL = "consilience:live"
BATCH = 500


@dataclass(frozen=True)
class Message:
    """One server-sent event. Only those of the outbox have an id, by which a browser resumes; the
    rest is transient.
    """

    project_id: int
    event: str
    data: dict[str, Any]
    id: int | None = None

    def encode(self) -> bytes:
        number = f"id: {self.id}\n" if self.id is not None else ""
        return (
            f"{number}event: {self.event}\ndata: "
            f"{json.dumps(self.data, ensure_ascii=False, default=str)}\n\n"
        ).encode()


Feed = Callable[[], list[Message]]
_feeds: list[Callable[[], Feed]] = []


def register(start: Callable[[], Feed]) -> None:
    """`start` is called when the first page opens a stream and gives a function that returns what
    is new since its last call.
    """
    if start not in _feeds:
        _feeds.append(start)


def start_feeds() -> list[Feed]:
    return [start() for start in _feeds]


def newest_id() -> int:
    return Event.objects.order_by("-id").values_list("id", flat=True).first() or 0


def events_between(
    after: int, until: int | None = None, projects: set[int] | None = None
) -> Iterator[Message]:
    """Events of projects in the order of their commits, at most BATCH of them."""
    rows = Event.objects.filter(id__gt=after, project__isnull=False).order_by("id")
    if until is not None:
        rows = rows.filter(id__lte=until)
    if projects is not None:
        rows = rows.filter(project_id__in=projects)
    for event in rows.select_related("project")[:BATCH]:
        yield _message(event)


def _message(event: Event) -> Message:
    data = {
        "project": event.project.slug if event.project else None,
        "verb": event.verb,
        "target_type": event.target_type,
        "target_id": event.target_id,
        "label": event.label,
        "actor_id": event.actor_id,
        "data": {key: value for key, value in event.data.items() if key != "changes"},
    }
    return Message(event.project_id or 0, event.verb, data, event.id)


@cache
def _redis() -> "Redis":
    from redis import Redis

    return Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)


def wake() -> None:
    """Called after the commit of an event: tell the web processes to look now. Without Redis they
    look five times a second.
    """
    if not settings.REDIS_URL:
        return
    from redis import RedisError

    try:
        _redis().publish(CHANNEL, b"1")
    except RedisError as error:
        logger.warning("Redis does not answer (%s); open pages learn of it a moment later", error)
