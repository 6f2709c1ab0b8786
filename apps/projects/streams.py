"""The one route of the asynchronous half: server-sent events for the signed-in person."""

import asyncio
from collections.abc import AsyncIterator

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.decorators import login_not_required
from django.core.handlers.asgi import ASGIRequest
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    StreamingHttpResponse,
)
from django.utils.translation import gettext as _

from . import live
from .hub import STREAMS_A_PERSON, Subscription, hub, visible
from .live import Message

HEARTBEAT_SECONDS = 15


def refusal(status: int, text: str) -> JsonResponse:
    return JsonResponse({"detail": text}, status=status)


@login_not_required  # answers 401 itself: a redirect to the sign-in page would be read as a stream
async def stream(request: HttpRequest) -> HttpResponseBase:
    """GET /live/[?project=slug]: events and progress of jobs, resumed after the header
    Last-Event-ID.
    """
    if request.method != "GET":
        return HttpResponse(status=405, headers={"Allow": "GET"})
    user = await request.auser()
    if not user.is_authenticated:
        return refusal(401, _("Sign in to follow live updates."))
    if not isinstance(request, ASGIRequest):
        return refusal(503, _("Live updates need the asynchronous server."))
    if hub.streams_of(user.pk) >= STREAMS_A_PERSON:
        return refusal(
            429, _("Too many pages of yours are open. Close one to get live updates here.")
        )
    only = request.GET.get("project") or None
    projects = await hub.read(visible, user, only)
    if only and not projects:
        return refusal(404, _("There is no such project, or you are not a member of it."))
    session = request.session
    subscription = Subscription(
        user.pk, session.session_key or "", session.get(HASH_SESSION_KEY, ""), only, projects
    )
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(
        _body(subscription, _last_id(request)), content_type="text/event-stream", headers=headers
    )


def _last_id(request: HttpRequest) -> int | None:
    text = request.headers.get("Last-Event-ID", "")
    return int(text) if text.isdecimal() and len(text) < 19 else None


async def _body(subscription: Subscription, last: int | None) -> AsyncIterator[bytes]:
    try:
        until = await hub.join(subscription)
        for message in await _missed(subscription, last, until):
            yield message.encode()
        yield Message(0, "hello", {}, max(until, last or 0)).encode()
        while True:
            try:
                message = await asyncio.wait_for(subscription.queue.get(), HEARTBEAT_SECONDS)
            except TimeoutError:
                yield b": still here\n\n"
                continue
            if message is None:
                return
            if message.id is None or message.id > (last or 0):
                yield message.encode()
    finally:
        hub.leave(subscription)


async def _missed(subscription: Subscription, last: int | None, until: int) -> list[Message]:
    """Return the events since the browser went away; when that is too much, the page is told to
    load itself anew.
    """
    if last is None or last >= until:
        return []
    missed = await hub.read(lambda: list(live.events_between(last, until, subscription.projects)))
    return missed if len(missed) < live.BATCH else [Message(0, "reload", {})]
