"""Icons, buttons, pills, chips: the smallest parts."""

from typing import Any

from django.template import Context
from django.templatetags.static import static
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.ui.html import attributes, classes, nonce
from apps.ui.library import register
from apps.ui.states import state_of

SEGMENT_STATES = ("met", "undecided", "not_met", "too_few")


@register.simple_tag
def icon(name: str, size: int = 18, label: str = "", cls: str = "") -> SafeString:
    """One of apps/ui/icons.txt out of the sprite; decorative unless it has a label. "dot" is the
    pulsing dot.
    """
    if name == "dot":
        return SafeString('<span class="livedot" aria-hidden="true"></span>')
    name_of = (
        format_html(' role="img" aria-label="{}"', label)
        if label
        else SafeString(' aria-hidden="true"')
    )
    return format_html(
        '<svg class="{}" width="{}" height="{}"{}><use href="{}#{}"></use></svg>',
        classes("icon", cls), size, size, name_of, static("vendor/icons.svg"), name,
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def button(
    context: Context,
    label: Any,
    href: str = "",
    icon: str = "",
    kind: str = "",
    size: str = "",
    **more: Any,
) -> SafeString:
    """A link where it has an href, else a submit button. `opens` names a dialog; `key` shows a key
    cap; `after` an icon behind.
    """
    key, opens, after = more.pop("key", ""), more.pop("opens", ""), more.pop("after", "")
    look = classes(
        "btn",
        kind and f"btn--{kind}",
        size and f"btn--{size}",
        more.pop("class_", ""),
        more.pop("cls", ""),
    )
    cap = format_html("<kbd>{}</kbd>", key) if key else ""
    picture = _icon(icon, 16) if icon else ""
    behind = _icon(after, 16) if after else ""
    if href:
        return format_html(
            '<a class="{}" href="{}"{}>{}<span>{}</span>{}{}</a>',
            look,
            href,
            attributes(more, nonce(context)),
            picture,
            label,
            cap,
            behind,
        )
    if opens:
        more |= {
            "type": "button",
            "commandfor": opens,
            "command": "show-modal",
            "data_opens": opens,
        }
    more.setdefault("type", "submit")
    return format_html(
        '<button class="{}"{}>{}<span>{}</span>{}{}</button>',
        look,
        attributes(more, nonce(context)),
        picture,
        label,
        cap,
        behind,
    )


@register.simple_tag(takes_context=True)
def icon_button(context: Context, icon: str, label: Any, href: str = "", **more: Any) -> SafeString:
    """36 x 36 px; the label is hidden text and a tooltip."""
    more = {
        "class_": classes("btn btn--icon", more.pop("class_", ""), more.pop("cls", "")),
        "title": label,
        **more,
    }
    look = {"class": more.pop("class_")}
    inner = format_html('{}<span class="sr">{}</span>', _icon(icon, 18), label)
    if href:
        return format_html(
            "<a{}>{}</a>", attributes({**look, "href": href, **more}, nonce(context)), inner
        )
    more.setdefault("type", "button")
    return format_html("<button{}>{}</button>", attributes({**look, **more}, nonce(context)), inner)


@register.simple_tag
def pill(state: str, label: Any = "", size: str = "", tone: str = "", icon: str = "") -> SafeString:
    """Tint, icon and word of a state."""
    known = state_of(state)
    look = classes("pill", f"tone-{tone or known.tone}", size and f"pill--{size}")
    return format_html(
        '<span class="{}">{}{}</span>', look, _icon(icon or known.icon, 15), label or known.label
    )


@register.simple_tag
def state(state: str, label: Any = "") -> SafeString:
    """The same without a tint, for cells of a table."""
    known = state_of(state)
    return format_html(
        '<span class="state tone-{}">{}{}</span>',
        known.tone,
        _icon(known.icon, 15),
        label or known.label,
    )


@register.simple_tag
def tag(label: Any, tone: str = "") -> SafeString:
    """A value in a grey chip; tone same, unlike, del or ins for differences of settings."""
    if tone == "same":
        return format_html('<span class="subtle">{}</span>', _("same"))
    sign = {"del": "−", "ins": "+"}.get(tone, "")
    element = {"del": "del", "ins": "ins"}.get(tone, "span")
    return format_html(
        '<{} class="{}">{}{}</{}>',
        element,
        classes("tag", tone and f"tag--{tone}"),
        sign,
        label,
        element,
    )


@register.simple_tag
def refchip(label: Any, href: str = "") -> SafeString:
    """Accent chip that names a run, a sample, a review; a link where it has an href."""
    if href:
        return format_html('<a class="ref" href="{}">{}</a>', href, label)
    return format_html('<span class="ref">{}</span>', label)


@register.simple_tag
def copy(text: str, label: Any = "", shown: bool = False) -> SafeString:
    """A button that copies `text` and announces it; without JavaScript the text can still be
    selected.
    """
    before = format_html('<code class="mono">{}</code>', text) if shown else ""
    return format_html(
        '{}<cs-copy data-text="{}" data-done="{}"><button class="btn btn--ghost btn--sm" type="button">{}<span>{}</span></button></cs-copy>',
        before, text, _("Copied"), _icon("copy", 15), label or _("Copy"),
    )  # fmt: skip


@register.simple_tag
def kbd(key: str) -> SafeString:
    """A key cap."""
    return format_html("<kbd>{}</kbd>", key)


@register.simple_tag
def code(text: str, copy: bool = True) -> SafeString:
    """A block of code or log lines, with a copy button."""
    act = _copy(text) if copy else ""
    return format_html(
        '<div class="code"><pre tabindex="0"><code>{}</code></pre>{}</div>', text, act
    )


@register.simple_tag
def progress(
    value: float | None, total: float = 100, label: Any = "", shown: Any = ""
) -> SafeString:
    """A bar with a name. `value` None means that the total is not known yet."""
    text = format_html('<span class="progress__text">{}</span>', shown) if shown else ""
    if value is None:
        return format_html(
            '<div class="progress"><progress aria-label="{}"></progress>{}</div>',
            label or _("Progress"),
            text,
        )
    return format_html(
        '<div class="progress"><progress value="{}" max="{}" aria-label="{}"></progress>{}</div>',
        _number(min(value, total)), _number(total or 1), label or _("Progress"), text,
    )  # fmt: skip


@register.simple_tag
def meter(states: list[str], size: str = "") -> SafeString:
    """One segment a criterion; hatched = not met, outlined = undecided, empty = too few samples."""
    counted = [(name, states.count(name)) for name in SEGMENT_STATES if name in states]
    words = _(", ").join(f"{state_of(name).label}: {count}" for name, count in counted)
    segments = format_html_join("", '<span class="meter__{}"></span>', ((name,) for name in states))
    return format_html(
        '<span class="{}" role="img" aria-label="{}">{}</span>',
        classes("meter", size and f"meter--{size}"),
        words,
        segments,
    )


@register.simple_tag(takes_context=True)
def hx(context: Context, **more: Any) -> SafeString:
    """`{% hx post=url target="#thread" %}`: hx- attributes with the nonce that hx-csp asks for."""
    return attributes({f"hx_{name}": value for name, value in more.items()}, nonce(context))


def _number(value: float) -> str:
    return f"{value:g}"


def _icon(name: str, size: int) -> SafeString:
    return icon(name, size)


def _copy(text: str) -> SafeString:
    return copy(str(conditional_escape(text)) if isinstance(text, SafeString) else text)
