"""People are circles, disciplines rounded squares: "ML" the person and "ML" the field cannot be
confused.
"""

from collections.abc import Iterable
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import ngettext

from apps.ui.html import classes, get
from apps.ui.library import register

SLOTS = 8


def slot_of(thing: Any) -> int:
    """Eight colours; from the ninth on they repeat, and the letters carry the identity."""
    slot = get(thing, "slot", 0) or get(thing, "colour_slot", 0) or 0
    return (int(slot) - 1) % SLOTS + 1 if slot else 0


def initials_of(person: Any) -> str:
    if known := get(person, "initials"):
        return str(known)
    words = name_of(person).replace("@", " ").replace(".", " ").split()
    return (words[0][0] + words[-1][0] if len(words) > 1 else (words or ["?"])[0][:2]).upper()


def name_of(person: Any) -> str:
    for key in ("name", "display_name", "email", "username"):
        if found := get(person, key):
            return str(found)
    return str(person) if isinstance(person, str) else ""


@register.simple_tag
def disc(discipline: Any, size: str = "") -> SafeString:
    """Discipline tile: two letters in the colours of its slot; size sm, "" or lg."""
    name = str(get(discipline, "name")) or str(get(discipline, "code"))
    look = classes("disc", size and f"disc--{size}")
    code = str(get(discipline, "code"))[:2].upper()
    return format_html(
        '<span class="{}" data-d="{}" role="img" aria-label="{}" title="{}">{}</span>',
        look,
        slot_of(discipline),
        name,
        name,
        code,
    )


@register.simple_tag
def discs(disciplines: Iterable[Any], size: str = "sm") -> SafeString:
    """A strip of discipline tiles."""
    return format_html(
        '<span class="discs">{}</span>',
        format_html_join("", "{}", ((disc(one, size),) for one in disciplines)),
    )


@register.simple_tag
def avatar(person: Any, size: str = "") -> SafeString:
    """Circle with initials in the colours of the person's discipline; size sm, "" or lg."""
    look = classes("avatar", size and f"avatar--{size}")
    name = name_of(person)
    return format_html(
        '<span class="{}" data-d="{}" role="img" aria-label="{}" title="{}">{}</span>',
        look,
        slot_of(person),
        name,
        name,
        initials_of(person),
    )


@register.simple_tag
def person(person: Any, size: str = "sm") -> SafeString:
    """Circle and name; the circle is silent, since the name follows."""
    look = classes("avatar", size and f"avatar--{size}")
    circle = format_html(
        '<span class="{}" data-d="{}" aria-hidden="true">{}</span>',
        look,
        slot_of(person),
        initials_of(person),
    )
    return format_html(
        '<span class="person">{}<span translate="no">{}</span></span>', circle, name_of(person)
    )


@register.simple_tag
def people(persons: Iterable[Any], total: int = 0) -> SafeString:
    """Overlapping circles with "8 people" behind them."""
    circles = format_html_join("", "{}", ((avatar(one),) for one in persons))
    words = (
        format_html(
            '<span class="muted">{}</span>',
            ngettext("%(n)s person", "%(n)s people", total) % {"n": total},
        )
        if total
        else ""
    )
    return format_html('<span class="people">{}{}</span>', circles, words)
