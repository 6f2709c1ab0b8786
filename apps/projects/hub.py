"""One reader a process for all open streams: looks for news, keeps what each person may see, hands
messages out.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection

from apps.accounts.models import User

from . import live
from .live import Message
from .models import Project

logger = logging.getLogger(__name__)

STREAMS_A_PERSON = 10
POLL_SECONDS = 0.2
POLL_WITH_REDIS = 0.5
CHECK_SECONDS = 15.0
QUEUE_LENGTH = 1_000
RIGHTS = ("member.", "project.")
"""Events after which the people on the streams are asked anew what they may see."""

T = TypeVar("T")


@dataclass(eq=False)
class Subscription:
    """One open stream. `projects` is what its person may see; None in the queue ends it."""

    user_id: int
    session_key: str
    session_hash: str
    only: str | None
    projects: set[int]
    queue: asyncio.Queue[Message | None] = field(
        default_factory=lambda: asyncio.Queue(QUEUE_LENGTH)
    )

    def offer(self, message: Message) -> None:
        if message.project_id not in self.projects:
            return
        try:
            self.queue.put_nowait(message)
        except asyncio.QueueFull:
            self.end()

    def end(self) -> None:
        """The browser comes back by itself, with the id of the last event that it got."""
        while not self.queue.empty():
            self.queue.get_nowait()
        self.queue.put_nowait(None)


def visible(user: User, only: str | None) -> set[int]:
    projects = Project.objects.visible_to(user)
    return set((projects.filter(slug=only) if only else projects).values_list("pk", flat=True))


class Hub:
    def __init__(self) -> None:
        self.subscriptions: set[Subscription] = set()
        self.position = 0
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="live")
        self._feeds: list[live.Feed] = []
        self._task: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._news = asyncio.Event()

    def streams_of(self, user_id: int) -> int:
        return sum(subscription.user_id == user_id for subscription in self.subscriptions)

    async def join(self, subscription: Subscription) -> int:
        """Begin to receive; returns the id up to which the stream must catch up by itself."""
        self.subscriptions.add(subscription)
        async with self._starting:
            if self._task is None or self._task.done():
                self.position = await self.read(live.newest_id)
                self._feeds = await self.read(live.start_feeds)
                self._news = asyncio.Event()
                self._task = asyncio.create_task(self._run())
        return self.position

    def leave(self, subscription: Subscription) -> None:
        self.subscriptions.discard(subscription)

    async def read(self, function: Callable[..., T], *arguments: Any) -> T:
        """Ask the database in the hub's one thread, so that any number of streams needs one
        connection.
        """
        return await asyncio.get_running_loop().run_in_executor(
            self._reader, _with_connection, function, *arguments
        )

    async def _run(self) -> None:
        """Lives as long as there are streams. Whatever the database does, it goes on."""
        listener = asyncio.create_task(self._listen()) if settings.REDIS_URL else None
        checked = asyncio.get_running_loop().time()
        try:
            while self.subscriptions:
                await self._pause()
                due = asyncio.get_running_loop().time() - checked > CHECK_SECONDS
                try:
                    await self._look(due)
                except Exception:  # streams must outlive a database that is away for a moment
                    logger.exception("Live updates could not be read; trying again")
                    await asyncio.sleep(1)
                if due:
                    checked = asyncio.get_running_loop().time()
        finally:
            if listener:
                listener.cancel()

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(
                self._news.wait(), POLL_WITH_REDIS if settings.REDIS_URL else POLL_SECONDS
            )
        self._news.clear()

    async def _look(self, check_people: bool) -> None:
        messages = await self.read(lambda: list(live.events_between(self.position)))
        transient = await self.read(lambda: [message for feed in self._feeds for message in feed()])
        if check_people or any(message.event.startswith(RIGHTS) for message in messages):
            await self._check_people()
        for message in [*messages, *transient]:
            for subscription in tuple(self.subscriptions):
                subscription.offer(message)
        if messages:
            self.position = messages[-1].id or self.position

    async def _check_people(self) -> None:
        """Cut off people who signed out, were switched off, changed the password or
        lost a project.
        """
        current = await self.read(allowed, tuple(self.subscriptions))
        for subscription in tuple(self.subscriptions):
            projects = current.get(subscription, subscription.projects)
            if projects is None:
                subscription.end()
                self.leave(subscription)
            else:
                subscription.projects = projects

    async def _listen(self) -> None:
        """Redis only shortens the wait; without it the poll finds everything."""
        from redis import RedisError
        from redis.asyncio import Redis

        while True:
            try:
                async with (
                    Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1) as client,
                    client.pubsub() as channel,
                ):
                    await channel.subscribe(live.CHANNEL)
                    async for _message in channel.listen():
                        self._news.set()
            except (RedisError, OSError) as error:
                logger.warning("No wake-ups from Redis (%s); looking twice a second", error)
                await asyncio.sleep(1)


def allowed(subscriptions: tuple[Subscription, ...]) -> dict[Subscription, set[int] | None]:
    """Return the projects that each stream may see now; None where its sign-in has ended."""
    users = {
        user.pk: user
        for user in User.objects.filter(
            pk__in={subscription.user_id for subscription in subscriptions}, is_active=True
        )
    }
    result: dict[Subscription, set[int] | None] = {}
    visible_projects: dict[tuple[int, str | None], set[int]] = {}
    for subscription in subscriptions:
        user = users.get(subscription.user_id)
        if (
            user is None
            or user.get_session_auth_hash() != subscription.session_hash
            or not SessionStore().exists(subscription.session_key)
        ):
            result[subscription] = None
            continue
        key = (subscription.user_id, subscription.only)
        if key not in visible_projects:
            visible_projects[key] = visible(user, subscription.only)
        result[subscription] = visible_projects[key]
    return result


def _with_connection(function: Callable[..., T], *arguments: Any) -> T:
    connection.close_if_unusable_or_obsolete()
    return function(*arguments)


hub = Hub()
