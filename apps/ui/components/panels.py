"""Banner, empty states, stage bar, menu, dialog, gate, selection bar, live regions."""

from typing import Any

from django.middleware.csrf import get_token
from django.template import Context
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.ui.components.basics import icon, meter, pill
from apps.ui.components.people import disc
from apps.ui.components.people import person as person_tag
from apps.ui.html import attributes, classes, get, nonce, said
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
    """Tinted bar: icon, sentence, one action (in an element of class banner__act)."""
    return format_html(
        '<div class="banner tone-{}">{}<div class="banner__body">{}</div></div>',
        tone,
        icon(icon_name or BANNER_ICONS[tone], 18),
        content,
    )


@register.simple_block_tag
def empty(
    content: str, kind: str = "nothing", title: Any = "", text: Any = "", icon_name: str = ""
) -> SafeString:
    """Nothing yet, nothing matches, cannot show: three kinds, never mixed. The content holds the
    one next action.
    """
    return format_html(
        '<div class="empty empty--{}">{}<p class="empty__title">{}</p><p class="muted">{}</p><div class="row row--center">{}</div></div>',
        kind, icon(icon_name or EMPTY_ICONS[kind], 22), said(title), said(text), content,
    )  # fmt: skip


@register.simple_tag
def stagebar(stages: list[dict[str, Any]]) -> SafeString:
    """Stages of slow work in the person's words: done, now (with its share), next, failed."""
    return format_html(
        '<ol class="stages">{}</ol>', format_html_join("", "{}", ((_stage(one),) for one in stages))
    )


def _stage(stage: dict[str, Any]) -> SafeString:
    state = stage.get("state", "next")
    mark = {"done": icon("check", 15), "now": icon("dot"), "failed": icon("x", 15)}.get(state, "")
    known = stage.get("share")
    share = {"done": 1.0, "failed": 1.0 if known is None else known, "now": known or 0.0}.get(
        state, 0.0
    )
    here = SafeString(' aria-current="step"') if state == "now" else ""
    return format_html(
        '<li class="stage stage--{}" style="--v:{}"{}><p class="stage__name">{}{}</p><p class="stage__detail">{}</p></li>',
        state, f"{100 * share:.1f}", here, mark, stage.get("name", ""), stage.get("detail", ""),
    )  # fmt: skip


@register.simple_block_tag
def menu(
    content: str, label: Any = "", icon_name: str = "", kind: str = "", align: str = "end"
) -> SafeString:
    """A button that opens a list of links and commands; works without JavaScript. kind="icon":
    three dots or an icon alone.
    """
    look = classes(
        "btn",
        "btn--icon" if kind == "icon" else "",
        f"btn--{kind}" if kind and kind != "icon" else "",
    )
    text = format_html('<span class="{}">{}</span>', "sr" if kind == "icon" else "", label)
    after = "" if kind == "icon" else icon("chevron-down", 15)
    return format_html(
        '<details class="menu"><summary class="{}">{}{}{}</summary><div class="menu__panel menu__panel--{}">{}</div></details>',
        look, icon(icon_name, 17) if icon_name else "", text, after, align, content,
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def menu_item(
    context: Context,
    label: Any,
    href: str = "",
    icon_name: str = "",
    key: str = "",
    danger: bool = False,
    post: str = "",
    **more: Any,
) -> SafeString:
    """A link, a dialog opener (opens=id) or, with `post`, a form that posts to that address."""
    inner = format_html(
        "{}<span>{}</span>{}",
        icon(icon_name, 16) if icon_name else "",
        label,
        format_html("<kbd>{}</kbd>", key) if key else "",
    )
    look = classes("menu__item", "menu__item--danger" if danger else "")
    if post:
        token = get_token(context["request"]) if "request" in context else ""
        form = '<form method="post" action="{}"><input type="hidden" name="csrfmiddlewaretoken" value="{}"><button class="{}"{}>{}</button></form>'
        return format_html(form, post, token, look, attributes(more, nonce(context)), inner)
    if opens := more.pop("opens", ""):
        more |= {
            "type": "button",
            "commandfor": opens,
            "command": "show-modal",
            "data_opens": opens,
        }
        return format_html(
            '<button class="{}"{}>{}</button>', look, attributes(more, nonce(context)), inner
        )
    return format_html(
        '<a class="{}" href="{}"{}>{}</a>', look, href, attributes(more, nonce(context)), inner
    )


@register.simple_block_tag
def dialog(content: str, id: str = "", title: Any = "") -> SafeString:
    """Modal dialog; its content brings its own form. Opened by `{% button … opens=id %}`."""
    return format_html(
        '<dialog class="dialog" id="{}" aria-labelledby="{}-title"><form method="dialog" class="dialog__close">'
        '<button class="btn btn--icon btn--ghost">{}<span class="sr">{}</span></button></form><h2 class="h2" id="{}-title">{}</h2>{}</dialog>',
        id, id, icon("x", 18), _("Close"), id, title, content,
    )  # fmt: skip


@register.simple_tag
def steps(items: list[dict[str, Any]], label: Any = "") -> SafeString:
    """Numbered steps of a longer form, with their state."""
    rows = format_html_join(
        "", "{}", ((_step(number, one),) for number, one in enumerate(items, 1))
    )
    return format_html(
        '<nav class="steps" aria-label="{}"><ol>{}</ol></nav>', label or _("Steps"), rows
    )


def _step(number: int, step: dict[str, Any]) -> SafeString:
    state = step.get("state", "next")
    mark = icon("check", 14, _("Done")) if state == "done" else str(number)
    here = SafeString(' aria-current="step"') if state == "now" else ""
    label = (
        format_html('<a href="{}">{}</a>', step["href"], step["label"])
        if step.get("href")
        else step["label"]
    )
    return format_html(
        '<li class="step step--{}"{}><span class="num-badge">{}</span>{}</li>',
        state,
        here,
        mark,
        label,
    )


@register.simple_block_tag
def gate(content: str) -> SafeString:
    """One column for each discipline that must decide."""
    return format_html('<div class="gate">{}</div>', content)


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
    """Stripe in the colour of the state, meter of criteria where there are any, person, decision."""
    who = format_html("<p>{}</p>", person_tag(person)) if person else ""
    criteria = ""
    if states:
        met = _("%(met)s of %(n)s criteria met") % {"met": states.count("met"), "n": len(states)}
        criteria = format_html("{}<p>{}</p>", meter(states), met)
    tone = "accent" if yours else state_of(state).tone
    return format_html(
        '<div class="gate__col tone-{}"><h3 class="gate__name">{}{}</h3>{}{}<p>{}</p><p class="gate__note">{}</p></div>',
        tone, disc(discipline), get(discipline, "name"), criteria, who, pill("your_turn" if yours else state, label), note,
    )  # fmt: skip


@register.simple_block_tag
def selection_bar(content: str, count: int = 0, of: int | None = None) -> SafeString:
    """Sticky bar with what can be done to the selected; its count is announced."""
    words = ngettext("%(n)s selected", "%(n)s selected", count) % {"n": count}
    total = (
        format_html(' <span class="muted">{}</span>', _("of %(n)s") % {"n": f"{of:,}"})
        if of is not None
        else ""
    )
    return format_html(
        '<div class="selbar"><p role="status"><b data-count>{}</b>{}</p><div class="row">{}</div></div>',
        words,
        total,
        content,
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
    """Fetches itself again from `url` when one of the topics happens ("run:31 review:7"); `url`
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
        "hx_select_oob": ",".join(f"#{one}" for one in also.split()),
    }
    return format_html("<{}{}>{}</{}>", tag, attributes(more, nonce(context)), content, tag)


@register.simple_tag
def live_status(project: Any = "", url: str = "") -> SafeString:
    """How fresh the page is, and Pause. One server-sent stream a browser, shared by its tabs;
    polling where that fails.
    """
    words = {
        "live": _("Live"),
        "paused": _("Paused"),
        "offline": _("Offline, trying again"),
        "pause": _("Pause updates"),
        "resume": _("Resume updates"),
    }
    ages = {"now": _("just now"), "seconds": _("{n} s ago"), "minutes": _("{n} min ago")}
    return format_html(
        '<cs-live class="live" data-project="{}" data-url="{}"{}><span class="pill tone-success" data-pill>{}<span data-text>{}</span></span>'
        '<button class="btn btn--sm" type="button" data-pause hidden>{}<span>{}</span></button></cs-live>',
        project, url or "/live/", attributes({f"data_{key}": value for key, value in {**words, **ages}.items()}), icon("dot"), _("Live"),
        icon("pause", 15), words["pause"],
    )  # fmt: skip
