"""Tags for the frame of a page: theme, address of a named page that may not exist, titles."""

from typing import Any

from django.http import HttpRequest
from django.template import Context
from django.urls import NoReverseMatch, reverse
from django.utils.safestring import SafeString

from apps.ui.html import attributes, component, get
from apps.ui.library import register

THEMES = ("light", "dark")


@register.simple_tag(takes_context=True)
def theme(context: Context) -> SafeString:
    """Return ` data-theme="dark"` from the cookie, else from the person's profile; nothing follows
    the system.
    """
    request: HttpRequest | None = context.get("request")
    chosen = (request.COOKIES.get("theme") if request else "") or get(
        get(context.get("shell") or {}, "user", {}) or {}, "theme"
    )
    return attributes({"data_theme": chosen if chosen in THEMES else ""})


@register.simple_tag
def page_url(name: str, *args: Any, **kwargs: Any) -> str:
    """Return the address of a named page, or nothing where this installation does not have it."""
    try:
        return reverse(name, args=args, kwargs=kwargs)
    except NoReverseMatch:
        return ""


@register.simple_tag
def mark(size: int = 26) -> SafeString:
    """Draw three strands that join into one node."""
    return component("shell/mark", size=size)
