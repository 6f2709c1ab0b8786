"""What a run will take, before it starts and while it goes on: always a range, from what this
installation's machine has shown.
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
            one.name,
            one.present,
            tuple(encoders_of(recipe, one.name, one.kind)),
            len(one.columns),
            one.kind,
        )
        for one in alignment_facts.inputs(alignment)
        if recipe.modalities is None or one.name in recipe.modalities
    )
    known = alignment.spec.get("knowledge", {})
    rules = len(known.get("rules", [])) + bool(known.get("concepts"))
    return cost.Shape(
        alignment_facts.usable(alignment),
        len(alignment_facts.rounds(alignment)),
        inputs,
        cached,
        rules,
    )


def encoders_of(recipe: Recipe, name: str, kind: str) -> list[str]:
    given = recipe.encoders.get(name)
    return [choice.name for choice in given] if given else list(catalogue.default(kind))


def fits_of_round(alignment: Alignment, recipe: Recipe) -> int:
    return cost.fits_of_round(shape(alignment, recipe), recipe)


def fits(alignment: Alignment, recipe: Recipe) -> int:
    return cost.fits(shape(alignment, recipe), recipe)


def estimate(alignment: Alignment, recipe: Recipe, past: Sequence[Run] = ()) -> Estimate:
    """`past`: finished runs of the project, which may have left the vectors in the cache."""
    known, cached = machine(), is_cached(alignment, recipe, past)
    found, spread = cost.cost(shape(alignment, recipe, cached), recipe, known), cost.spread(known)
    memory = found.memory_mb / MEMORY_SPREAD, found.memory_mb * MEMORY_SPREAD
    return Estimate(
        found.seconds / spread, found.seconds * spread, *memory, known.memory_mb, known.runs, cached
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
    names = [one["name"] for one in alignment_facts.chosen(alignment, recipe)]
    return all(read(before.get(name, [])) == read(now.get(name, [])) for name in names) and set(
        names
    ) <= {one["name"] for one in run.modalities}


def read(choices: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What decides the vectors of frozen encoders, however they are used afterwards."""
    return [
        tuple(one.get(option) for option in ("name", "layers", "pooling", "grid", "resolution"))
        for one in choices
    ]


def left(
    job: Job, now_in_stage: float, alignment: Alignment, recipe: Recipe
) -> tuple[float, float] | None:
    """Seconds still to go as a range, or None while it is too early to say."""
    known, of_run = machine(), shape(alignment, recipe)
    found = cost.cost(of_run, recipe, known)
    if job.stage in ("evaluate", "bundle"):
        return 1.0, max(2.0, 1.5 * found.rest)
    to_come = {
        "read": found.probe + found.tune + found.train,
        "embed": found.probe + found.tune + found.train,
        "probe": found.tune + found.train,
        "tune": found.train,
        "train": 0.0,
    }
    if job.stage not in to_come or job.done < ENOUGH or not job.total:
        return None
    if (
        job.stage == "probe"
    ):  # counts one candidate after another, then training sets: no share of the whole
        here = max(0.0, found.probe - now_in_stage)
    else:
        here = now_in_stage * (job.total - job.done) / job.done
    seconds = here + found.rest + to_come[job.stage]
    return 0.8 * seconds, 1.3 * seconds
