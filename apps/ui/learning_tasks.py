"""Learning tasks in plain words."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

TITLES: dict[str, Promise] = {
    "classification": _("One of several labels"),
    "ordinal": _("One of several labels in an order"),
    "regression": _("A number"),
    "multi-label": _("Any number of labels"),
}


def title(task: str) -> str:
    return str(TITLES.get(task, task))


def choices() -> list[tuple[str, Promise]]:
    return list(TITLES.items())
