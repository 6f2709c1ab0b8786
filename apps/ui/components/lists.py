"""Facets, filters, search, sorting, pages: the state of a list is its query string."""

from collections.abc import Iterable
from typing import Any

from django.core.paginator import Page
from django.http import QueryDict
from django.template import Context
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.ui.html import component
from apps.ui.library import register


@register.simple_tag
def facet(
    title: Any, name: str, options: Iterable[dict[str, Any]], open: bool = True, limit: int = 8
) -> SafeString:
    """Draw check boxes with a bar and a count each: pale bar = all, full bar = what matches the
    other filters.
    """
    rows = list(options)
    largest = max([_total(row) for row in rows], default=0) or 1
    bars = [_option(row, largest) for row in rows]
    hidden = bars[limit:]
    return component(
        "lists/facet",
        title=title,
        name=name,
        open=open,
        groups=[bars[:limit], hidden] if hidden else [bars],
        more=_("%(n)s more") % {"n": len(hidden)} if hidden else "",
    )


def _total(option: dict[str, Any]) -> int:
    return option.get("total") or option.get("count") or 0


def _option(option: dict[str, Any], largest: int) -> dict[str, Any]:
    count = option.get("count") or 0
    return {
        "value": option["value"],
        "label": option.get("label", option["value"]),
        "checked": option.get("checked"),
        "count": count,
        "bar": f"{100 * count / largest:.1f}",
        "bar_all": f"{100 * _total(option) / largest:.1f}",
    }


@register.simple_tag
def filter_chip(label: Any, href: str) -> SafeString:
    """Draw a filter that is on; its button takes it away."""
    return component("lists/filter_chip", label=label, href=href)


@register.simple_tag
def search_field(name: str, value: Any, label: Any) -> SafeString:
    """Draw a small search input with its icon; the label is hidden text."""
    return component("lists/search_field", name=name, value=value or "", label=label)


@register.simple_tag(takes_context=True)
def pagination(context: Context, page: Page, name: str = "page", at: str = "") -> SafeString:
    """Draw "1 to 12 of 183, 12 a page" with Previous and Next; other query parameters stay. `at`:
    id of the part of the page that it turns.
    """
    values = {
        "first": f"{page.start_index():,}",
        "last": f"{page.end_index():,}",
        "total": f"{page.paginator.count:,}",
        "size": page.paginator.per_page,
    }
    return component(
        "lists/pagination",
        words=_("%(first)s to %(last)s of %(total)s, %(size)s a page") % values,
        previous=_query(context, name, page.number - 1, at) if page.has_previous() else "",
        next=_query(context, name, page.number + 1, at) if page.has_next() else "",
    )


@register.simple_tag(takes_context=True)
def sort_link(context: Context, label: Any, key: str, current: str = "") -> SafeString:
    """Draw the head of a column that sorts; a second press turns the order."""
    order = ""
    if current.lstrip("-") == key:
        order = "down" if current.startswith("-") else "up"
    href = _query(context, "sort", f"-{key}" if order == "up" else key)
    return component("lists/sort_link", label=label, href=href, order=order)


def _query(context: Context, name: str, value: Any, at: str = "") -> str:
    query = context["request"].GET.copy() if "request" in context else QueryDict(mutable=True)
    query[name] = value
    if name != "page":
        query.pop("page", None)
    return f"?{query.urlencode()}{f'#{at}' if at else ''}"
