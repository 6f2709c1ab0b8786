from typing import Any

from django import template
from django.conf import settings

from apps.accounts import demo
from apps.accounts.forms import LANGUAGE_NAMES

register = template.Library()


@register.simple_tag(takes_context=True)
def demo_people(context: dict[str, Any]) -> list[dict[str, Any]]:
    """One tile a demo person, with the first discipline; empty where signing in by tile
    is closed.
    """
    request = context["request"]
    if not demo.is_open(request):
        return []
    tiles = []
    for person in demo.people():
        disciplines = [
            discipline
            for member in person.memberships.all()
            for discipline in member.disciplines.all()
        ]
        first = disciplines[0] if disciplines else None
        tiles.append(
            {
                "person": {
                    "name": person.name,
                    "initials": person.initials,
                    "slot": first.slot if first else 1,
                },
                "pk": person.pk,
                "discipline": first,
            }
        )
    return tiles


@register.simple_tag
def languages() -> list[tuple[str, str]]:
    return [(code, LANGUAGE_NAMES[code]) for code, _name in settings.LANGUAGES]
