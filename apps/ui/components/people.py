"""People are circles, disciplines rounded squares: "ML" the person and "ML" the field cannot be
confused.
"""

from collections.abc import Iterable
from typing import Any

from django.utils.safestring import SafeString

from apps.ui.html import component, get
from apps.ui.library import register

SLOTS = 8


def slot_of(thing: Any) -> int:
    """Return one of eight colours; from the ninth on they repeat, and the letters carry the
    identity.
    """
    slot = get(thing, "slot", 0) or get(thing, "colour_slot", 0) or 0
    return (int(slot) - 1) % SLOTS + 1 if slot else 0


def initials_of(person: Any) -> str:
    if known := get(person, "initials"):
        return str(known)
    words = name_of(person).replace("@", " ").replace(".", " ").split()
    return (words[0][0] + words[-1][0] if len(words) > 1 else (words or ["?"])[0][:2]).upper()


def name_of(person: Any) -> str:
    for key in ("name", "display_name", "email", "username"):
        if name := get(person, key):
            return str(name)
    return str(person) if isinstance(person, str) else ""


@register.simple_tag
def disc(discipline: Any, size: str = "") -> SafeString:
    """Draw a discipline tile: two letters in the colours of its slot; size sm, "" or lg."""
    code = str(get(discipline, "code"))
    name = str(get(discipline, "name")) or code
    slot = str(slot_of(discipline))
    return component("people/disc", size=size, slot=slot, name=name, code=code[:2].upper())


@register.simple_tag
def discs(disciplines: Iterable[Any], size: str = "sm") -> SafeString:
    """Draw a strip of discipline tiles."""
    return component("people/discs", disciplines=disciplines, size=size)


@register.simple_tag
def avatar(person: Any, size: str = "", silent: bool = False) -> SafeString:
    """Draw a circle with initials in the colours of the person's discipline; size sm, "" or lg. A
    silent one stands beside the name.
    """
    return component(
        "people/avatar",
        size=size,
        slot=str(slot_of(person)),
        name=name_of(person),
        initials=initials_of(person),
        silent=silent,
    )


@register.simple_tag
def person(person: Any, size: str = "sm") -> SafeString:
    """Draw a circle and the name; the circle is silent, since the name follows."""
    return component("people/person", person=person, size=size, name=name_of(person))


@register.simple_tag
def people(persons: Iterable[Any], total: int = 0) -> SafeString:
    """Draw overlapping circles with "8 people" behind them."""
    return component("people/people", persons=persons, total=total)
