"""The server: pages and bytes by WSGI threads, in pools of their own so that slow clients never
stop a page; `/live/` asynchronous.

pages      10 threads; the body is read before a thread is taken, so a slow sender holds none
uploads     4 threads; bodies over 256 KiB or of unknown length, ended by a silence
downloads   4 threads; media and files, ended when the reader takes nothing for too long
"""

import asyncio
import os
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilience.settings")

import django
from a2wsgi import WSGIMiddleware
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

SMALL_BODY = 256 * 1024
SILENCE_SECONDS = float(os.environ.get("CONSILIENCE_SILENCE_SECONDS", "30"))
DOWNLOADS = re.compile(r"/(media|blobs|files|download|bundle|export)(/|$)")


class LiveHandler(ASGIHandler):
    """A handler without a thread for every stream: all synchronous code under /live/ shares one
    thread and one connection.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.handle(scope, receive, send)


django.setup()
wsgi = WSGIHandler()
live = LiveHandler()
pages = WSGIMiddleware(wsgi, workers=10, send_queue_size=128)
uploads = WSGIMiddleware(wsgi, workers=4)
downloads = WSGIMiddleware(wsgi, workers=4)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif scope["type"] == "http":
        await http(scope, receive, send)
    else:
        await send({"type": "websocket.close", "code": 1000})


async def lifespan(receive: Receive, send: Send) -> None:
    for step in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{step}.complete"})


async def http(scope: Scope, receive: Receive, send: Send) -> None:
    if not has_small_body(scope):
        await uploads(scope, limited(scope, receive), patient(send))
        return
    try:
        async with asyncio.timeout(SILENCE_SECONDS):
            receive = await read_whole(receive)
    except TimeoutError:
        await answer(send, 408, b"The request took too long to arrive.")
        return
    except ConnectionResetError:
        return
    if scope["path"].startswith("/live/"):
        await live(scope, receive, send)
    elif DOWNLOADS.search(scope["path"]):
        await downloads(scope, receive, patient(send))
    else:
        await pages(scope, receive, send)


def has_small_body(scope: Scope) -> bool:
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"0")
    return b"transfer-encoding" not in headers and length.isdigit() and int(length) <= SMALL_BODY


async def read_whole(receive: Receive) -> Receive:
    """Take the body in; what is returned gives it in one piece, then whatever comes after it (the
    disconnect).
    """
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError
        body += message.get("body", b"")
        more = message.get("more_body", False)
    is_replayed = False

    async def replay() -> MutableMapping[str, Any]:
        nonlocal is_replayed
        if is_replayed:
            return await receive()
        is_replayed = True
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    return replay


def limited(scope: Scope, receive: Receive) -> Receive:
    """A body that falls silent, or breaks off, is an error where it is read; a2wsgi would hand it
    on as complete.
    """

    async def next_part() -> MutableMapping[str, Any]:
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                message = await receive()
        except TimeoutError as error:
            raise ConnectionResetError(
                f"Nothing of {scope['path']} arrived for {SILENCE_SECONDS:.0f} s"
            ) from error
        if message["type"] == "http.disconnect":
            raise ConnectionResetError(f"The sender of {scope['path']} went away")
        return message

    return next_part


def patient(send: Send) -> Send:
    """Give up on a reader that takes nothing; what is left is dropped, so that the thread runs to
    its end and is free.
    """
    has_given_up = False

    async def next_part(message: MutableMapping[str, Any]) -> None:
        nonlocal has_given_up
        if has_given_up:
            return
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                await send(message)
        except TimeoutError:
            has_given_up = True

    return next_part


async def answer(send: Send, status: int, text: bytes) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})
