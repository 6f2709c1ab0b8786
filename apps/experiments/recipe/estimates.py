"""Estimates of a run's time and memory, before it starts and while it goes on: always a range, from
what this installation's machine has shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from apps.datasets.models import Alignment
from apps.experiments.models import Run
from apps.experiments.recipe import alignment_facts
from apps.jobs.models import Job
from fusion.encoders import catalogue
from fusion.estimates import cost
from fusion.estimates.machine import Machine
from fusion.schema.recipe import Recipe

MEMORY_SPREAD = 1.3
ENOUGH = 3
"""Units of a stage that must be done before its speed says anything."""


@dataclass(frozen=True)
class Estimate:
    """Seconds and MB. runs: how many the machine has learnt from; memory_has: what the worker may
    take, None where unknown.
    """

    low: float
    high: float
    memory_low: float
    memory_high: float
    memory_has: float | None
    runs: int = 0
    cached: bool = False


def machine() -> Machine:
    return Machine.load(settings.HOME)


def shape(alignment: Alignment, recipe: Recipe, cached: bool = False) -> cost.Shape:
    inputs = tuple(
        cost.Input(
            modality.name,
            modality.present,
            tuple(encoders_of(recipe, modality.name, modality.kind)),
            len(modality.columns),
            modality.kind,
        )
        for modality in alignment_facts.used(alignment, recipe)
    )
    knowledge = alignment.spec.get("knowledge", {})
    rules = len(knowledge.get("rules", [])) + bool(knowledge.get("concepts"))
    return cost.Shape(
        alignment_facts.usable(alignment),
        len(alignment_facts.folds(alignment)),
        inputs,
        cached,
        rules,
    )


def encoders_of(recipe: Recipe, name: str, kind: str) -> list[str]:
    choices = recipe.encoders.get(name)
    return [choice.name for choice in choices] if choices else list(catalogue.default(kind))


def fits_of_fold(alignment: Alignment, recipe: Recipe) -> int:
    return cost.fits_of_round(shape(alignment, recipe), recipe)


def fits(alignment: Alignment, recipe: Recipe) -> int:
    return cost.fits(shape(alignment, recipe), recipe)


def estimate(alignment: Alignment, recipe: Recipe, past: Sequence[Run] = ()) -> Estimate:
    """`past`: finished runs of the project, which may have left the vectors in the cache."""
    learnt, cached = machine(), is_cached(alignment, recipe, past)
    costs = cost.cost(shape(alignment, recipe, cached), recipe, learnt)
    spread = cost.spread(learnt)
    return Estimate(
        low=costs.seconds / spread,
        high=costs.seconds * spread,
        memory_low=costs.memory_mb / MEMORY_SPREAD,
        memory_high=costs.memory_mb * MEMORY_SPREAD,
        memory_has=learnt.memory_mb,
        runs=learnt.runs,
        cached=cached,
    )


def is_cached(alignment: Alignment, recipe: Recipe, past: Sequence[Run]) -> bool:
    return any(same_vectors(run, alignment, recipe) for run in past)


def same_vectors(run: Run, alignment: Alignment, recipe: Recipe) -> bool:
    """A finished run on the same alignment with the same encoders has left its vectors in the
    cache.
    """
    if run.alignment_id != alignment.pk or run.job.state != Job.State.FINISHED:
        return False
    if recipe.search and recipe.search.probe and not run.recipe.get("search"):
        return False
    if recipe.precision != run.recipe.get("precision"):
        return False
    before = run.recipe.get("encoders", {})
    now = alignment_facts.complete(alignment, recipe).model_dump(mode="json")["encoders"]
    names = {modality.name for modality in alignment_facts.used(alignment, recipe)}
    return names <= {modality["name"] for modality in run.modalities} and all(
        reading(before.get(name, [])) == reading(now.get(name, [])) for name in names
    )


def reading(choices: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """The options that decide the vectors of frozen encoders, however they are used afterwards."""
    options = ("name", "layers", "pooling", "grid", "resolution")
    return [tuple(choice.get(option) for option in options) for choice in choices]


def left(
    job: Job, now_in_stage: float, alignment: Alignment, recipe: Recipe
) -> tuple[float, float] | None:
    """Seconds still to go, as a range; None while it is too early to say."""
    costs = cost.cost(shape(alignment, recipe), recipe, machine())
    if job.stage in ("evaluate", "bundle"):
        return 1.0, max(2.0, 1.5 * costs.rest)
    to_come = {
        "read": costs.probe + costs.tune + costs.train,
        "embed": costs.probe + costs.tune + costs.train,
        "probe": costs.tune + costs.train,
        "tune": costs.train,
        "train": 0.0,
    }
    if job.stage not in to_come or job.done < ENOUGH or not job.total:
        return None
    if job.stage == "probe":
        # It counts one candidate after another, then training sets: no share of the whole.
        of_stage = max(0.0, costs.probe - now_in_stage)
    else:
        of_stage = now_in_stage * (job.total - job.done) / job.done
    seconds = of_stage + costs.rest + to_come[job.stage]
    return 0.8 * seconds, 1.3 * seconds
