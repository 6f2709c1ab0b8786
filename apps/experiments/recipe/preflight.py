"""Checks before the start of a run: its recipe fits the alignment, and the machine can hold it.
Every problem says what to change.
"""

import shutil

from django.conf import settings
from django.utils.translation import gettext as _

from apps.datasets.models import Alignment
from apps.experiments import queries
from apps.experiments.recipe import encoder_choices, estimates, recipe_checks
from apps.experiments.words import either
from fusion.estimates import cost
from fusion.schema.recipe import Recipe

RESERVE_MB = 300
"""Disk that stays free for the bundle and everything else that is written."""


def problems(alignment: Alignment, recipe: Recipe) -> dict[str, list[str]]:
    """Problems by form field; those of no field stand under `memory` or `disk`."""
    return recipe_checks.problems(alignment, recipe) or too_large(alignment, recipe)


def too_large(alignment: Alignment, recipe: Recipe) -> dict[str, list[str]]:
    machine, shape = estimates.machine(), estimates.shape(alignment, recipe)
    costs = cost.cost(shape, recipe, machine)
    least = costs.memory_mb / estimates.MEMORY_SPREAD
    if machine.memory_mb is not None and least > machine.memory_mb:
        return {"memory": [memory_words(costs, shape, recipe, least, machine.memory_mb)]}
    free = shutil.disk_usage(settings.HOME).free / cost.MB
    if costs.disk_mb + RESERVE_MB > free and not estimates.is_cached(
        alignment, recipe, queries.past(alignment.project)
    ):
        words = {"need": size(costs.disk_mb), "free": size(free)}
        return {
            "disk": [
                _(
                    "The vectors of this run take %(need)s and the disk has %(free)s left. Free "
                    "some space, use fewer inputs, or choose encoders with shorter vectors."
                )
                % words
            ]
        }
    return {}


def memory_words(
    costs: cost.Cost, shape: cost.Shape, recipe: Recipe, least: float, has: float
) -> str:
    words = {
        "need": size(least),
        "has": size(has),
        "encoder": encoder_choices.called(costs.largest),
        "n": f"{shape.samples:,}",
    }
    if costs.tuning:
        return _(
            "This run needs at least %(need)s of memory and the worker has %(has)s. Most of it is "
            "for training the encoder %(encoder)s: %(changes)s."
        ) % (words | {"changes": changes(recipe)})
    if costs.largest:
        return (
            _(
                "This run needs at least %(need)s of memory and the worker has %(has)s. Most of it "
                "is the encoder %(encoder)s: choose a smaller one, or run it on a worker with more "
                "memory."
            )
            % words
        )
    return (
        _(
            "This run needs at least %(need)s of memory and the worker has %(has)s. Most of it are "
            "the vectors of %(n)s samples: use fewer inputs, encoders with shorter vectors or "
            "fewer dimensions kept, or a worker with more memory."
        )
        % words
    )


def changes(recipe: Recipe) -> str:
    """Ways to train an encoder with less memory that the recipe does not take already."""
    tuned = [
        choice
        for choices in recipe.encoders.values()
        for choice in choices
        if choice.tune != "frozen"
    ]
    tunings = [choice.tuning_options for choice in tuned]
    lora = _("train a few extra weights beside it (LoRA) rather than all of it")
    ways = {
        lora: any(choice.tune == "full" for choice in tuned),
        _("halve its batch"): any(tuning.batch_size > 1 for tuning in tunings),
        _("compute a batch in more parts"): any(
            tuning.accumulate < tuning.batch_size for tuning in tunings
        ),
        _("compute twice rather than keep"): not all(tuning.checkpointing for tuning in tunings),
        _("leave it as it is"): True,
    }
    return either([way for way, helps in ways.items() if helps])


def size(mb: float) -> str:
    """`850 MB`, `3.2 GB`."""
    return (
        _("%(n)s GB") % {"n": f"{mb / 1024:.1f}"}
        if mb >= 1000
        else _("%(n)s MB") % {"n": f"{mb:.0f}"}
    )
