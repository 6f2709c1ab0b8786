"""Threads, comments and toasts; purely how they look."""

import re
from datetime import datetime
from typing import Any

from django.template import Context
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.ui.components.basics import button, icon, pill
from apps.ui.components.figures import when as when_tag
from apps.ui.components.people import avatar, disc, name_of
from apps.ui.html import attributes, classes
from apps.ui.library import register


@register.simple_block_tag
def thread(content: str, id: str = "", resolved: bool = False, plain: bool = False) -> SafeString:
    """Comments about one thing, inside the row they concern; plain = without its own box, for a
    rail.
    """
    look = classes(
        "thread", "thread--resolved" if resolved else "", "thread--plain" if plain else ""
    )
    return format_html('<div class="{}"{}>{}</div>', look, attributes({"id": id}), content)


@register.simple_block_tag
def thread_foot(content: str) -> SafeString:
    return format_html('<div class="thread__foot">{}</div>', content)


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
    """One comment; its content is the body. `name` replaces the author's ("You"), `note` stands
    behind the time.
    """
    tile = disc(discipline, "sm") if discipline else ""
    moment = when_tag(when_) if when_ else ""
    flag = pill("draft", size="sm") if draft else ""
    return format_html(
        '<article class="{}"{}>{}<div class="remark__main"><p class="remark__head"><b translate="no">{}</b>{}<span class="muted">{}</span>{}{}</p>'
        '<div class="prose" translate="no">{}</div></div></article>',
        classes("remark", "remark--draft" if draft else ""), attributes({"id": id}), avatar(author), name or name_of(author), tile, moment, flag, note, content,
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def toast(context: Context, text: Any, tone: str = "success", undo_url: str = "") -> SafeString:
    """Says what happened; stays 10 s, or while hovered or focused. Undo is a form that posts to
    `undo_url`.
    """
    undo = ""
    if undo_url:
        undo = format_html(
            '<form method="post" action="{}"><input type="hidden" name="csrfmiddlewaretoken" value="{}">{}</form>',
            undo_url, context.get("csrf_token", ""), button(context, _("Undo"), kind="ghost", size="sm"),
        )  # fmt: skip
    name = {
        "success": "check",
        "error": "circle-x",
        "danger": "circle-x",
        "warning": "triangle-alert",
    }.get(tone, "info")
    close = button(
        context,
        format_html('<span class="sr">{}</span>', _("Dismiss")),
        icon="x",
        kind="ghost",
        size="sm",
        type="button",
        data_dismiss=True,
    )
    return format_html(
        '<div class="toast tone-{}" data-toast>{}<p>{}</p>{}{}</div>',
        tone,
        icon(name, 17),
        text,
        undo,
        close,
    )


@register.simple_tag(takes_context=True)
def toasts(context: Context) -> SafeString:
    """Django's messages as toasts; a message tagged "undo:/address/" brings its Undo."""
    found = [
        toast(context, message.message, message.level_tag, _undo_of(message.extra_tags))
        for message in context.get("messages") or []
    ]
    return format_html(
        '<div class="toasts" id="toasts" role="status">{}</div>',
        format_html_join("", "{}", ((one,) for one in found)),
    )


def _undo_of(tags: str | None) -> str:
    found = [
        tag.removeprefix("undo:") for tag in (tags or "").split() if re.match(r"undo:/(?!/)", tag)
    ]
    return found[0] if found else ""
