"""Cards, tiles, tabs and what else divides a page."""

from collections.abc import Iterable
from typing import Any

from django.template import Context
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from apps.ui import figures
from apps.ui.components.basics import button, icon
from apps.ui.components.figures import delta as delta_tag
from apps.ui.html import attributes, classes, nonce, said
from apps.ui.library import register
from apps.ui.plots.spark import sparkline


@register.simple_block_tag(takes_context=True)
def card(
    context: Context,
    content: str,
    title: Any = "",
    sub: Any = "",
    action: Any = "",
    action_url: str = "",
    cls: str = "",
    level: int = 2,
    **more: Any,
) -> SafeString:
    """White panel. With a title it has a head (question as title, one muted sentence, one action)."""
    right = button(context, action, action_url, size="sm") if action else ""
    head = _head(title, sub, right, level) if title else ""
    return format_html(
        '<section class="{}"{}>{}{}</section>',
        classes("card", cls),
        attributes(more, nonce(context)),
        head,
        content,
    )


@register.simple_block_tag
def card_head(content: str, title: Any = "", sub: Any = "", level: int = 2) -> SafeString:
    """Head of a card that has more on its right side than one link."""
    return _head(title, sub, content, level)


@register.simple_block_tag
def card_foot(content: str) -> SafeString:
    """Line under a hairline at the end of a card."""
    return format_html('<div class="card__foot">{}</div>', content)


def _head(title: Any, sub: Any, right: Any, level: int) -> SafeString:
    below = format_html('<p class="card__sub">{}</p>', said(sub)) if sub else ""
    act = format_html('<div class="card__act">{}</div>', right) if str(right).strip() else ""
    return format_html(
        '<div class="card__head"><div><h{} class="h2">{}</h{}>{}</div>{}</div>',
        level,
        said(title),
        level,
        below,
        act,
    )


@register.simple_block_tag
def tiles(content: str) -> SafeString:
    """One card split by hairlines, 2 x 2 on a phone."""
    return format_html('<div class="card tiles">{}</div>', content)


@register.simple_tag
def tile(
    label: Any,
    value: Any,
    interval: Any = "",
    delta: float | None = None,
    verdict: str = "same",
    note: Any = "",
    spark: list[float] | None = None,
    digits: int = 3,
) -> SafeString:
    """A headline number: interval under it, difference in words, sparkline."""
    number = figures.score(value, digits) if isinstance(value, float) or value is None else value
    lines = format_html_join(
        "", "{}",
        [(part,) for part in (
            format_html('<p class="tile__ci">{}</p>', said(interval)) if interval else "",
            format_html("<p>{}</p>", delta_tag(delta, verdict, digits)) if delta is not None else "",
            format_html('<p class="tile__ci">{}</p>', said(note)) if note else "",
            sparkline(spark) if spark else "",
        ) if part],
    )  # fmt: skip
    return format_html(
        '<div class="tile"><p class="tile__label">{}</p><p class="tile__n">{}</p>{}</div>',
        label,
        number,
        lines,
    )


@register.simple_block_tag
def tabs(content: str, label: Any = "") -> SafeString:
    """Row of links under the title; each tab has its own address."""
    return format_html('<nav class="tabs" aria-label="{}"><ul>{}</ul></nav>', label, content)


@register.simple_tag
def tab(
    label: Any,
    href: str,
    current: bool = False,
    count: int | None = None,
    key: str = "",
    active: str = "",
) -> SafeString:
    """One tab; current by flag, or where key equals active."""
    here = SafeString(' aria-current="page"') if current or (key and key == active) else ""
    number = (
        format_html(' <span class="count">{}</span>', f"{count:,}") if count is not None else ""
    )
    return format_html('<li><a href="{}"{}>{}{}</a></li>', href, here, label, number)


@register.simple_tag
def crumb(label: Any, href: str = "") -> SafeString:
    """One step of the breadcrumb; the last has no href."""
    if href:
        return format_html('<li><a href="{}">{}</a></li>', href, label)
    return format_html('<li><span aria-current="page">{}</span></li>', label)


@register.simple_block_tag
def meta_line(content: str) -> SafeString:
    """Small facts under the title."""
    return format_html('<div class="meta">{}</div>', content)


@register.simple_tag
def meta_item(icon_name: str, text: Any) -> SafeString:
    return format_html('<span class="meta__item">{}{}</span>', icon(icon_name, 15), text)


@register.simple_tag
def facts(rows: Iterable[tuple[Any, Any]]) -> SafeString:
    """Names left, values right, as a definition list."""
    return format_html(
        '<dl class="facts">{}</dl>', format_html_join("", "<div><dt>{}</dt><dd>{}</dd></div>", rows)
    )


@register.simple_tag
def segmented(items: Iterable[dict[str, Any]], label: Any = "") -> SafeString:
    """Two or three views of one thing as joined links."""
    links = format_html_join(
        "", '<a href="{}"{}>{}<span>{}</span></a>',
        (
            (one["href"], SafeString(' aria-current="true"') if one.get("current") else "", icon(one["icon"], 16) if one.get("icon") else "", one["label"])
            for one in items
        ),
    )  # fmt: skip
    return format_html('<nav class="segmented" aria-label="{}">{}</nav>', label, links)
