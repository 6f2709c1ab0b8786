"""Icons, buttons, pills, chips: the smallest parts."""

from functools import lru_cache
from typing import Any

from django.template import Context
from django.templatetags.static import static
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.ui.html import attributes, classes, component, nonce
from apps.ui.library import register
from apps.ui.states import state_of

SEGMENT_STATES = ("met", "undecided", "not_met", "too_few")


@register.simple_tag
def icon(name: str, size: int = 18, label: str = "", cls: str = "") -> SafeString:
    """Draw one of apps/ui/icons.txt out of the sprite; decorative unless it has a label. "dot" is
    the pulsing dot.
    """
    return _icon(name, size, str(label), cls)


@lru_cache(maxsize=1024)
def _icon(name: str, size: int, label: str, cls: str) -> SafeString:
    """Draw an icon once in each process: a page has hundreds, of a few dozen kinds."""
    sprite = static("vendor/icons.svg")
    return component("basics/icon", name=name, size=size, label=label, cls=cls, sprite=sprite)


@register.simple_tag(takes_context=True)
def button(
    context: Context,
    label: Any,
    href: str = "",
    icon: str = "",
    kind: str = "",
    size: str = "",
    key: str = "",
    after: str = "",
    opens: str = "",
    **more: Any,
) -> SafeString:
    """Draw a link where it has an href, else a submit button. `opens` names a dialog; `key` shows a
    key cap; `after` is an icon behind.
    """
    look = classes(
        "btn",
        kind and f"btn--{kind}",
        size and f"btn--{size}",
        more.pop("class_", ""),
        more.pop("cls", ""),
    )
    if href:
        more = {"href": href, **more}
    else:
        more = {"type": "submit", **(opener(opens) if opens else {}), **more}
    return component(
        "basics/button",
        element="a" if href else "button",
        look=look,
        rest=attributes(more, nonce(context)),
        label=label,
        icon=icon,
        key=key,
        after=after,
    )


def opener(dialog: str) -> dict[str, str]:
    """Attributes of a button that opens a dialog, also without JavaScript."""
    return {
        "type": "button",
        "commandfor": dialog,
        "command": "show-modal",
        "data_opens": dialog,
    }


@register.simple_tag(takes_context=True)
def icon_button(context: Context, icon: str, label: Any, href: str = "", **more: Any) -> SafeString:
    """Draw a button of 36 x 36 px; the label is hidden text and a tooltip."""
    look = classes("btn btn--icon", more.pop("class_", ""), more.pop("cls", ""))
    kind = {"href": href} if href else {"type": "button"}
    rest = attributes({"class": look, **kind, "title": label, **more}, nonce(context))
    element = "a" if href else "button"
    return component("basics/icon_button", element=element, rest=rest, icon=icon, label=label)


@register.simple_tag
def pill(state: str, label: Any = "", size: str = "", tone: str = "", icon: str = "") -> SafeString:
    """Draw the tint, icon and word of a state."""
    known = state_of(state)
    return component(
        "basics/pill",
        tone=tone or known.tone,
        size=size,
        icon=icon or known.icon,
        label=label or known.label,
    )


@register.simple_tag
def state(state: str, label: Any = "") -> SafeString:
    """Draw the same without a tint, for cells of a table."""
    known = state_of(state)
    return component("basics/state", tone=known.tone, icon=known.icon, label=label or known.label)


@register.simple_tag
def tag(label: Any, tone: str = "") -> SafeString:
    """Draw a value in a grey chip; tone same, unlike, del or ins for differences of settings."""
    return component("basics/tag", label=label, tone=tone)


@register.simple_tag
def refchip(label: Any, href: str = "") -> SafeString:
    """Draw the accent chip that names a run, a sample, a review; a link where it has an href."""
    return component("basics/refchip", label=label, href=href)


@register.simple_tag
def copy(text: str, label: Any = "", shown: bool = False) -> SafeString:
    """Draw a button that copies `text` and announces it; without JavaScript the text can still be
    selected.
    """
    return component("basics/copy", text=text, label=label, shown=shown)


@register.simple_tag
def kbd(key: str) -> SafeString:
    """Draw a key cap."""
    return component("basics/kbd", key=key)


@register.simple_tag
def code(text: str, copy: bool = True) -> SafeString:
    """Draw a block of code or log lines, with a copy button."""
    return component("basics/code", text=text, copy=copy)


@register.simple_tag
def progress(
    value: float | None, total: float = 100, label: Any = "", shown: Any = ""
) -> SafeString:
    """Draw a bar with a name. `value` None means that the total is not known yet."""
    done = None if value is None else f"{min(value, total):g}"
    return component(
        "basics/progress", value=done, total=f"{total or 1:g}", label=label, shown=shown
    )


@register.simple_tag
def meter(states: list[str], size: str = "") -> SafeString:
    """Draw one segment a criterion; hatched = not met, outlined = undecided, empty = too few
    samples.
    """
    counts = [(name, states.count(name)) for name in SEGMENT_STATES if name in states]
    words = _(", ").join(f"{state_of(name).label}: {count}" for name, count in counts)
    return component("basics/meter", states=states, size=size, words=words)


@register.simple_tag(takes_context=True)
def hx(context: Context, **more: Any) -> SafeString:
    """Return hx- attributes with the nonce that hx-csp asks for:
    `{% hx post=url target="#thread" %}`.
    """
    return attributes({f"hx_{name}": value for name, value in more.items()}, nonce(context))
