"""Where a run is found by its number, for discussions that stand on it."""

from collections.abc import Collection

from django.utils.translation import gettext as _

from apps.discussions.anchors import Anchor
from apps.projects.models import Project

from .queries import runs_of


def find_runs(project: Project, ids: Collection[str]) -> dict[str, Anchor]:
    numbers = [int(one) for one in ids if one.isdecimal() and len(one) < 9]
    rows = runs_of(project).filter(number__in=numbers).light()
    return {
        str(run.number): Anchor(
            _("run %(n)d") % {"n": run.number}, run.get_absolute_url(), people_of(run.created_by_id)
        )
        for run in rows
    }


def people_of(user_id: int | None) -> tuple[int, ...]:
    return (user_id,) if user_id else ()
