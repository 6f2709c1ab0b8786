"""Cards, tiles, tabs and what else divides a page."""

from collections.abc import Iterable
from typing import Any

from django.template import Context
from django.utils.safestring import SafeString

from apps.ui import figures
from apps.ui.html import attributes, component, nonce, single_percent
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
    """Draw a white panel. With a title it has a head (question as title, one muted sentence, one
    action).
    """
    return component(
        "layout/card",
        content=content,
        title=single_percent(title),
        sub=single_percent(sub),
        action=action,
        action_url=action_url,
        cls=cls,
        level=level,
        rest=attributes(more, nonce(context)),
    )


@register.simple_block_tag
def card_head(content: str, title: Any = "", sub: Any = "", level: int = 2) -> SafeString:
    """Draw the head of a card that has more on its right side than one link."""
    title, sub = single_percent(title), single_percent(sub)
    return component("layout/card_head", title=title, sub=sub, content=content, level=level)


@register.simple_block_tag
def card_foot(content: str) -> SafeString:
    """Draw the line under a hairline at the end of a card."""
    return component("layout/box", look="card__foot", content=content)


@register.simple_block_tag
def tiles(content: str) -> SafeString:
    """Draw one card split by hairlines, 2 x 2 on a phone."""
    return component("layout/box", look="card tiles", content=content)


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
    """Draw a headline number: interval under it, difference in words, sparkline."""
    is_score = isinstance(value, float) or value is None
    return component(
        "layout/tile",
        label=label,
        number=figures.score(value, digits) if is_score else value,
        interval=single_percent(interval),
        delta=delta,
        verdict=verdict,
        digits=digits,
        note=single_percent(note),
        spark=sparkline(spark) if spark else "",
    )


@register.simple_block_tag
def tabs(content: str, label: Any = "") -> SafeString:
    """Draw the row of links under the title; each tab has its own address."""
    return component("layout/tabs", content=content, label=label)


@register.simple_tag
def tab(
    label: Any,
    href: str,
    current: bool = False,
    count: int | None = None,
    key: str = "",
    active: str = "",
) -> SafeString:
    """Draw one tab; current by flag, or where key equals active."""
    current = current or bool(key and key == active)
    return component("layout/tab", label=label, href=href, current=current, count=count)


@register.simple_tag
def crumb(label: Any, href: str = "") -> SafeString:
    """Draw one step of the breadcrumb; the last has no href."""
    return component("layout/crumb", label=label, href=href)


@register.simple_block_tag
def meta_line(content: str) -> SafeString:
    """Draw small facts under the title."""
    return component("layout/box", look="meta", content=content)


@register.simple_tag
def meta_item(icon_name: str, text: Any) -> SafeString:
    return component("layout/meta_item", icon=icon_name, text=text)


@register.simple_tag
def facts(rows: Iterable[tuple[Any, Any]]) -> SafeString:
    """Draw names left, values right, as a definition list."""
    return component("layout/facts", rows=rows)


@register.simple_tag
def segmented(items: Iterable[dict[str, Any]], label: Any = "") -> SafeString:
    """Draw two or three views of one thing as joined links."""
    return component("layout/segmented", items=items, label=label)
