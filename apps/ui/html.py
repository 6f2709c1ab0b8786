"""Attributes and values for components."""

from collections.abc import Mapping
from typing import Any

from django.template import Context
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString


def get(thing: Any, name: str, default: Any = "") -> Any:
    """A key of a mapping or an attribute of an object: components take both."""
    if isinstance(thing, Mapping):
        return thing.get(name, default)
    return getattr(thing, name, default)


def nonce(context: Context) -> str:
    return str(context.get("CSP_NONCE", ""))


def attributes(values: Mapping[str, Any], page_nonce: str = "") -> SafeString:
    """` data-x="1" hidden` from data_x=1, hidden=True; hx_ names bring the nonce that hx-csp asks
    for.
    """
    pairs = [
        (name.rstrip("_").replace("_", "-"), value)
        for name, value in values.items()
        if value not in (None, False, "")
    ]
    if any(name.startswith("hx-") for name, _ in pairs):
        pairs.append(("hx-nonce", page_nonce))
    return format_html_join("", "{}", ((_pair(name, value),) for name, value in pairs))


def _pair(name: str, value: Any) -> SafeString:
    if value is True:
        return format_html(" {}", name)
    return format_html(' {}="{}"', name, value)


def classes(*names: str | bool | None) -> str:
    return " ".join(name for name in names if isinstance(name, str) and name)


def said(text: Any) -> Any:
    """A translated constant of a template: Django doubles its per cent signs (`_("95 % interval")`)
    and never undoes that.
    """
    if isinstance(text, SafeString):
        return text
    return str(text).replace("%%", "%")
