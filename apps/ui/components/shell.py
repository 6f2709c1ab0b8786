"""What the frame of a page needs: theme, address of a named page that may not exist, titles."""

from typing import Any

from django.http import HttpRequest
from django.template import Context
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.ui.html import get
from apps.ui.library import register

THEMES = ("light", "dark")


@register.simple_tag(takes_context=True)
def theme(context: Context) -> SafeString:
    """` data-theme="dark"` from the cookie, else from the person's profile; nothing follows the
    system.
    """
    request: HttpRequest | None = context.get("request")
    chosen = (request.COOKIES.get("theme") if request else "") or get(
        get(context.get("shell") or {}, "user", {}) or {}, "theme"
    )
    return format_html(' data-theme="{}"', chosen) if chosen in THEMES else SafeString("")


@register.simple_tag
def page_url(name: str, *args: Any, **kwargs: Any) -> str:
    """The address of a named page, or nothing where this installation does not have it."""
    try:
        return reverse(name, args=args, kwargs=kwargs)
    except NoReverseMatch:
        return ""


@register.simple_tag
def mark(size: int = 26) -> SafeString:
    """Three strands that join into one node."""
    return format_html(
        '<svg class="mark" width="{}" height="{}" viewBox="0 0 26 26" fill="none" aria-hidden="true">'
        '<path class="mark__a" d="M3 5.5c7 0 7 7.5 15 7.5"></path><path class="mark__b" d="M3 13h15"></path>'
        '<path class="mark__c" d="M3 20.5c7 0 7-7.5 15-7.5"></path><circle class="mark__d" cx="20" cy="13" r="3.4"></circle></svg>',
        size, size,
    )  # fmt: skip
