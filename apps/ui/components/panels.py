"""Banner, empty states, stage bar, menu, dialog, gate, selection bar, live regions."""

from typing import Any

from django.middleware.csrf import get_token
from django.template import Context
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.ui.components.basics import opener
from apps.ui.html import attributes, component, get, nonce, single_percent
from apps.ui.library import register
from apps.ui.states import state_of

BANNER_ICONS = {
    "info": "info",
    "warning": "triangle-alert",
    "success": "circle-check",
    "danger": "circle-x",
}
EMPTY_ICONS = {"nothing": "flask-conical", "nomatch": "search-x", "error": "file-exclamation-point"}


@register.simple_block_tag
def banner(content: str, tone: str = "info", icon_name: str = "") -> SafeString:
    """Draw a tinted bar: icon, sentence, one action (in an element of class banner__act)."""
    return component(
        "panels/banner", content=content, tone=tone, icon=icon_name or BANNER_ICONS[tone]
    )


@register.simple_block_tag
def empty(
    content: str, kind: str = "nothing", title: Any = "", text: Any = "", icon_name: str = ""
) -> SafeString:
    """Say nothing yet, nothing matches, cannot show: three kinds, never mixed. The content holds
    the one next action.
    """
    return component(
        "panels/empty",
        content=content,
        kind=kind,
        icon=icon_name or EMPTY_ICONS[kind],
        title=single_percent(title),
        text=single_percent(text),
    )


@register.simple_tag
def stagebar(stages: list[dict[str, Any]]) -> SafeString:
    """Draw the stages of slow work in the person's words: done, now (with its share), next,
    failed.
    """
    return component("panels/stagebar", stages=[_stage(stage) for stage in stages])


def _stage(stage: dict[str, Any]) -> dict[str, Any]:
    state, share = stage.get("state", "next"), stage.get("share")
    if state == "done" or (state == "failed" and share is None):
        share = 1.0
    elif state == "next":
        share = 0.0
    return {
        "state": state,
        "percent": f"{100 * (share or 0.0):.1f}",
        "name": stage.get("name", ""),
        "detail": stage.get("detail", ""),
    }


@register.simple_block_tag
def menu(
    content: str, label: Any = "", icon_name: str = "", kind: str = "", align: str = "end"
) -> SafeString:
    """Draw a button that opens a list of links and commands; works without JavaScript.
    kind="icon": three dots or an icon alone.
    """
    return component(
        "panels/menu", content=content, label=label, icon=icon_name, kind=kind, align=align
    )


@register.simple_tag(takes_context=True)
def menu_item(
    context: Context,
    label: Any,
    href: str = "",
    icon_name: str = "",
    key: str = "",
    danger: bool = False,
    post: str = "",
    opens: str = "",
    **more: Any,
) -> SafeString:
    """Draw a link, a dialog opener (opens=id) or, with `post`, a form that posts to
    that address.
    """
    if not post:
        more = {**more, **(opener(opens) if opens else {"href": href})}
    return component(
        "panels/menu_item",
        element="button" if post or opens else "a",
        rest=attributes(more, nonce(context)),
        label=label,
        icon=icon_name,
        key=key,
        danger=danger,
        post=post,
        token=get_token(context["request"]) if post and "request" in context else "",
    )


@register.simple_block_tag
def dialog(content: str, id: str = "", title: Any = "") -> SafeString:
    """Draw a modal dialog; its content brings its own form. Opened by `{% button … opens=id %}`."""
    return component("panels/dialog", content=content, id=id, title=title)


@register.simple_tag
def steps(items: list[dict[str, Any]], label: Any = "") -> SafeString:
    """Draw the numbered steps of a longer form, with their state."""
    return component("panels/steps", items=items, label=label)


@register.simple_block_tag
def gate(content: str) -> SafeString:
    """Draw one column for each discipline that must decide."""
    return component("layout/box", look="gate", content=content)


@register.simple_tag
def gate_column(
    discipline: Any,
    state: str,
    states: list[str] | None = None,
    person: Any = None,
    note: Any = "",
    label: Any = "",
    yours: bool = False,
) -> SafeString:
    """Draw a stripe in the colour of the state, the meter of criteria where there are any, person,
    decision.
    """
    criteria = ""
    if states:
        count = {"met": states.count("met"), "n": len(states)}
        criteria = _("%(met)s of %(n)s criteria met") % count
    return component(
        "panels/gate_column",
        tone="accent" if yours else state_of(state).tone,
        discipline=discipline,
        name=get(discipline, "name"),
        states=states,
        criteria=criteria,
        person=person,
        state="your_turn" if yours else state,
        label=label,
        note=note,
    )


@register.simple_block_tag
def selection_bar(content: str, count: int = 0, of: int | None = None) -> SafeString:
    """Draw a sticky bar with what can be done to the selected; its count is announced."""
    return component(
        "panels/selection_bar",
        content=content,
        selected=ngettext("%(n)s selected", "%(n)s selected", count) % {"n": count},
        of="" if of is None else _("of %(n)s") % {"n": f"{of:,}"},
    )


@register.simple_block_tag(takes_context=True)
def live_region(
    context: Context,
    content: str,
    id: str = "",
    url: str = "",
    topics: str = "",
    also: str = "",
    tag: str = "div",
    cls: str = "",
) -> SafeString:
    """Fetch itself again from `url` when one of the topics happens ("run:31 review:7"); `url`
    answers this very element.

    `also`: ids of elements outside it that the same answer renews, as "run-state run-since". Topic
    "connected": once when the page has begun to listen, for what may have ended while the page was
    on its way. The address must answer the region alone for an htmx request (select picks it out of
    a whole page otherwise).
    """
    trigger = ", ".join(
        f"live-{topic.replace(':', '-')} from:body throttle:1s" for topic in topics.split()
    )
    more = {
        "id": id,
        "class": cls,
        "hx_get": url,
        "hx_trigger": trigger,
        "hx_swap": "outerMorph",
        "hx_select": f"#{id}",
        "hx_target": f"#{id}",
        "hx_select_oob": ",".join(f"#{element}" for element in also.split()),
    }
    rest = attributes(more, nonce(context))
    return component("panels/live_region", tag=tag, rest=rest, content=content)


@register.simple_tag
def live_status(project: Any = "", url: str = "") -> SafeString:
    """Say how fresh the page is, and offer Pause. One server-sent stream a browser, shared by its
    tabs; polling where that fails.
    """
    words = {
        "live": _("Live"),
        "paused": _("Paused"),
        "offline": _("Offline, trying again"),
        "pause": _("Pause updates"),
        "resume": _("Resume updates"),
        "now": _("just now"),
        "seconds": _("{n} s ago"),
        "minutes": _("{n} min ago"),
    }
    data = attributes({f"data_{name}": text for name, text in words.items()})
    return component("panels/live_status", project=project, url=url or "/live/", words=data)
