"""Facets, filters, search, sorting, pages: the state of a list is its query string."""

from collections.abc import Iterable
from typing import Any

from django.core.paginator import Page
from django.http import QueryDict
from django.template import Context
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.ui.components.basics import button, icon
from apps.ui.library import register


@register.simple_tag
def facet(
    title: Any, name: str, options: Iterable[dict[str, Any]], open: bool = True, limit: int = 8
) -> SafeString:
    """Check boxes with a bar and a count each: pale bar = all, full bar = what matches the other
    filters.
    """
    rows = list(options)
    largest = max([one.get("total") or one.get("count") or 0 for one in rows], default=0) or 1
    first = format_html_join("", "{}", ((_option(name, one, largest),) for one in rows[:limit]))
    more = format_html_join("", "{}", ((_option(name, one, largest),) for one in rows[limit:]))
    if rows[limit:]:
        more = format_html(
            '<details class="facet__more"><summary>{}</summary>{}</details>',
            _("%(n)s more") % {"n": len(rows) - limit},
            more,
        )
    return format_html(
        '<details class="facet"{}><summary>{}{}</summary><fieldset><legend class="sr">{}</legend>{}{}</fieldset></details>',
        SafeString(" open") if open else "", title, icon("chevron-down", 15), title, first, more,
    )  # fmt: skip


def _option(name: str, option: dict[str, Any], largest: int) -> SafeString:
    count, total = option.get("count") or 0, option.get("total") or option.get("count") or 0
    return format_html(
        '<label class="facet__opt"><input class="check" type="checkbox" name="{}" value="{}"{}><span class="facet__label">{}'
        '<span class="facet__bar" style="--v:{};--all:{}"></span></span><span class="facet__n">{}</span></label>',
        name, option["value"], SafeString(" checked") if option.get("checked") else "", option.get("label", option["value"]),
        f"{100 * count / largest:.1f}", f"{100 * total / largest:.1f}", f"{count:,}",
    )  # fmt: skip


@register.simple_tag
def filter_chip(label: Any, href: str) -> SafeString:
    """A filter that is on; its button takes it away."""
    return format_html(
        '<span class="filter"><span>{}</span><a href="{}">{}<span class="sr">{}</span></a></span>',
        label,
        href,
        icon("x", 14),
        _("Remove filter %(filter)s") % {"filter": label},
    )


@register.simple_tag
def search_field(name: str, value: Any, label: Any) -> SafeString:
    """Small search input with its icon; the label is hidden text."""
    return format_html(
        '<label class="searchfield">{}<span class="sr">{}</span><input class="input" type="search" name="{}" value="{}" placeholder="{}"></label>',
        icon("search", 16), label, name, value or "", label,
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def pagination(context: Context, page: Page, name: str = "page", at: str = "") -> SafeString:
    """ "1 to 12 of 183, 12 a page" with Previous and Next; other query parameters stay. `at`: id of
    the part of the page that it turns.
    """
    values = {
        "first": f"{page.start_index():,}",
        "last": f"{page.end_index():,}",
        "total": f"{page.paginator.count:,}",
        "size": page.paginator.per_page,
    }
    words = _("%(first)s to %(last)s of %(total)s, %(size)s a page") % values
    back = (
        button(
            context,
            _("Previous"),
            _query(context, name, page.number - 1, at),
            "arrow-left",
            size="sm",
            rel="prev",
        )
        if page.has_previous()
        else ""
    )
    on = (
        button(
            context,
            _("Next"),
            _query(context, name, page.number + 1, at),
            size="sm",
            after="arrow-right",
            rel="next",
        )
        if page.has_next()
        else ""
    )
    return format_html(
        '<nav class="pages" aria-label="{}"><p class="muted">{}</p><div class="row">{}{}</div></nav>',
        _("Pages"),
        words,
        back,
        on,
    )


@register.simple_tag(takes_context=True)
def sort_link(context: Context, label: Any, key: str, current: str = "") -> SafeString:
    """Head of a column that sorts; a second press turns the order."""
    descending, mine = current == f"-{key}", current.lstrip("-") == key
    target = key if descending or not mine else f"-{key}"
    arrow = icon("arrow-down" if descending else "arrow-up", 13) if mine else ""
    turned = _("sorted downwards") if descending else _("sorted upwards")
    words = format_html('<span class="sr">{}</span>', turned) if mine else ""
    return format_html(
        '<a class="sort" href="{}">{}{}{}</a>', _query(context, "sort", target), label, arrow, words
    )


def _query(context: Context, name: str, value: Any, at: str = "") -> str:
    query = context["request"].GET.copy() if "request" in context else QueryDict(mutable=True)
    query[name] = value
    if name != "page":
        query.pop("page", None)
    return f"?{query.urlencode()}{f'#{at}' if at else ''}"
