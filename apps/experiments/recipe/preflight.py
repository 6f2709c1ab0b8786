"""Whether a run can be started at all: its recipe fits the alignment, and the machine can hold it.
What cannot is told with what to change.
"""

import shutil

from django.conf import settings
from django.utils.translation import gettext as _

from apps.datasets.models import Alignment
from apps.experiments import queries
from apps.experiments.recipe import alignment_facts, encoder_choices, estimates
from apps.experiments.report.rules import either
from fusion.estimates import cost
from fusion.schema.recipe import Recipe

RESERVE_MB = 300
"""Of the disk, for the bundle and everything else that is written."""


def problems(alignment: Alignment, recipe: Recipe) -> dict[str, list[str]]:
    """By form field; what belongs to no field stands under `memory` or `disk`."""
    return alignment_facts.problems(alignment, recipe) or too_large(alignment, recipe)


def too_large(alignment: Alignment, recipe: Recipe) -> dict[str, list[str]]:
    machine, shape = estimates.machine(), estimates.shape(alignment, recipe)
    found = cost.cost(shape, recipe, machine)
    least = found.memory_mb / estimates.MEMORY_SPREAD
    if machine.memory_mb is not None and least > machine.memory_mb:
        return {"memory": [memory_words(found, shape, recipe, least, machine.memory_mb)]}
    free = shutil.disk_usage(settings.HOME).free / cost.MB
    if found.disk_mb + RESERVE_MB > free and not estimates.is_cached(
        alignment, recipe, queries.past(alignment.project)
    ):
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


def memory_words(
    found: cost.Cost, shape: cost.Shape, recipe: Recipe, least: float, has: float
) -> str:
    words = {
        "need": size(least),
        "has": size(has),
        "encoder": encoder_choices.called(found.largest),
        "n": f"{shape.samples:,}",
    }
    if found.tuning:
        return _(
            "This run needs at least %(need)s of memory and the worker has %(has)s. Most of it is for training the encoder %(encoder)s: %(changes)s."
        ) % (words | {"changes": changes(recipe)})
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


def changes(recipe: Recipe) -> str:
    """What would need less memory while an encoder is trained, as far as the recipe does not ask
    for it already.
    """
    tuned = [
        choice
        for choices in recipe.encoders.values()
        for choice in choices
        if choice.tune != "frozen"
    ]
    options = [choice.tuning_options for choice in tuned]
    found = (
        [_("train a few extra weights beside it (LoRA) rather than all of it")]
        if any(one.tune == "full" for one in tuned)
        else []
    )
    found += [_("halve its batch")] if any(one.batch_size > 1 for one in options) else []
    found += (
        [_("compute a batch in more parts")]
        if any(one.accumulate < one.batch_size for one in options)
        else []
    )
    found += (
        [_("compute twice rather than keep")]
        if not all(one.checkpointing for one in options)
        else []
    )
    return either([*found, _("leave it as it is")])


def size(mb: float) -> str:
    """`850 MB`, `3.2 GB`."""
    return (
        _("%(n)s GB") % {"n": f"{mb / 1024:.1f}"}
        if mb >= 1000
        else _("%(n)s MB") % {"n": f"{mb:.0f}"}
    )
