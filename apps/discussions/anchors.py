"""Objects that a discussion can stand on. Each app says how its own objects are found; this app
knows none of them.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from django.http import Http404
from django.utils.translation import gettext as _

from apps.projects.models import Project


@dataclass(frozen=True, slots=True)
class Anchor:
    """An object of a project: its short name, its page, and the ids of the people whose
    work it is.
    """

    label: str
    url: str
    people: tuple[int, ...] = ()


Finder = Callable[[Project, Collection[str]], dict[str, Anchor]]
"""Ids that a page's address holds -> those that exist in the project; at most two queries for any
number of ids.
"""

FINDERS: dict[str, Finder] = {}


def register(kind: str, finder: Finder) -> None:
    """Called in an AppConfig.ready: `register("run", find_runs)`."""
    FINDERS[kind] = finder


def find_many(project: Project, kind: str, ids: Collection[str]) -> dict[str, Anchor]:
    finder = FINDERS.get(kind)
    return finder(project, ids) if finder and ids else {}


def find(project: Project, kind: str, anchor_id: str) -> Anchor:
    """The object, or 404: nobody can open a discussion on what is not there."""
    anchor = find_many(project, kind, [anchor_id]).get(anchor_id)
    if anchor is None:
        raise Http404(_("There is nothing here to discuss."))
    return anchor
