"""Threads, comments and toasts; purely how they look."""

import re
from datetime import datetime
from typing import Any

from django.template import Context
from django.utils.safestring import SafeString

from apps.ui.components.people import name_of
from apps.ui.html import component
from apps.ui.library import register

TOAST_ICONS = {
    "success": "check",
    "error": "circle-x",
    "danger": "circle-x",
    "warning": "triangle-alert",
}


@register.simple_block_tag
def thread(content: str, id: str = "", resolved: bool = False, plain: bool = False) -> SafeString:
    """Draw comments about one thing, inside the row they concern; plain = without its own box, for
    a rail.
    """
    return component("discussion/thread", content=content, id=id, resolved=resolved, plain=plain)


@register.simple_block_tag
def thread_foot(content: str) -> SafeString:
    return component("layout/box", look="thread__foot", content=content)


@register.simple_block_tag
def remark(
    content: str,
    author: Any = None,
    when_: datetime | None = None,
    discipline: Any = None,
    draft: bool = False,
    id: str = "",
    note: Any = "",
    name: Any = "",
) -> SafeString:
    """Draw one comment; its content is the body. `name` replaces the author's ("You"), `note`
    stands behind the time.
    """
    return component(
        "discussion/remark",
        content=content,
        author=author,
        name=name or name_of(author),
        moment=when_,
        discipline=discipline,
        draft=draft,
        id=id,
        note=note,
    )


@register.simple_tag(takes_context=True)
def toast(context: Context, text: Any, tone: str = "success", undo_url: str = "") -> SafeString:
    """Say what happened; stays 10 s, or while hovered or focused. Undo is a form that posts to
    `undo_url`.
    """
    token = context.get("csrf_token", "")
    icon = TOAST_ICONS.get(tone, "info")
    return component(
        "discussion/toast", text=text, tone=tone, icon=icon, undo_url=undo_url, token=token
    )


@register.simple_tag(takes_context=True)
def toasts(context: Context) -> SafeString:
    """Draw Django's messages as toasts; a message tagged "undo:/address/" brings its Undo."""
    messages = context.get("messages") or []
    return component(
        "discussion/toasts",
        toasts=[
            toast(context, message.message, message.level_tag, _undo_of(message.extra_tags))
            for message in messages
        ],
    )


def _undo_of(tags: str | None) -> str:
    for tag in (tags or "").split():
        if re.match(r"undo:/(?!/)", tag):
            return tag.removeprefix("undo:")
    return ""
