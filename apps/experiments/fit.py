"""Whether a run can be started at all: its recipe fits the alignment, and the machine can hold it. What cannot is told with what to change."""

import shutil

from django.conf import settings
from django.utils.translation import gettext as _

from apps.datasets.models import Alignment
from fusion import cost
from fusion.encoders import catalogue
from fusion.recipe import Recipe

from . import alignments, encoders, estimates, queries

RESERVE_MB = 300
"""Of the disk, for the bundle and everything else that is written."""


def problems(alignment: Alignment, recipe: Recipe) -> dict[str, list[str]]:
    """By form field; what belongs to no field stands under `memory` or `disk`."""
    return alignments.problems(alignment, recipe) or too_large(alignment, recipe)


def too_large(alignment: Alignment, recipe: Recipe) -> dict[str, list[str]]:
    machine, shape = estimates.machine(), estimates.shape(alignment, recipe)
    found = cost.cost(shape, recipe, machine)
    least = found.memory_mb / estimates.MEMORY_SPREAD
    if machine.memory_mb is not None and least > machine.memory_mb:
        return {"memory": [memory_words(found, shape, least, machine.memory_mb)]}
    free = shutil.disk_usage(settings.HOME).free / cost.MB
    if found.disk_mb + RESERVE_MB > free and not estimates.is_cached(alignment, recipe, queries.past(alignment.project)):
        words = {"need": size(found.disk_mb), "free": size(free)}
        return {
            "disk": [
                _(
                    "The vectors of this run take %(need)s and the disk has %(free)s left. Free some space, use fewer inputs, or choose encoders with shorter vectors."
                )
                % words
            ]
        }
    return {}


def memory_words(found: cost.Cost, shape: cost.Shape, least: float, has: float) -> str:
    entry = catalogue.get(found.largest) if found.largest else None
    words = {"need": size(least), "has": size(has), "encoder": encoders.name(entry) if entry else found.largest, "n": f"{shape.samples:,}"}
    if found.largest:
        return (
            _(
                "This run needs at least %(need)s of memory and the worker has %(has)s. Most of it is the encoder %(encoder)s: choose a smaller one, or run it on a worker with more memory."
            )
            % words
        )
    return (
        _(
            "This run needs at least %(need)s of memory and the worker has %(has)s. Most of it are the vectors of %(n)s samples: use fewer inputs, encoders with shorter vectors or fewer dimensions kept, or a worker with more memory."
        )
        % words
    )


def size(mb: float) -> str:
    """`850 MB`, `3.2 GB`."""
    return _("%(n)s GB") % {"n": f"{mb / 1024:.1f}"} if mb >= 1000 else _("%(n)s MB") % {"n": f"{mb:.0f}"}
