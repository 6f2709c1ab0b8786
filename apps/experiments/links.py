"""Runs by their numbers, for discussions that stand on them."""

from collections.abc import Collection

from django.utils.translation import gettext as _

from apps.discussions.anchors import Anchor
from apps.experiments.queries import is_number, runs_of
from apps.projects.models import Project


def find_runs(project: Project, ids: Collection[str]) -> dict[str, Anchor]:
    numbers = [int(number) for number in ids if is_number(number)]
    rows = runs_of(project).filter(number__in=numbers).light()
    return {
        str(run.number): Anchor(
            _("run %(n)d") % {"n": run.number}, run.get_absolute_url(), people_of(run.created_by_id)
        )
        for run in rows
    }


def people_of(user_id: int | None) -> tuple[int, ...]:
    return (user_id,) if user_id else ()
