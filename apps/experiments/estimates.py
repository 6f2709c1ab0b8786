"""How long a run will take, before it starts and while it goes on: always a range."""

from dataclasses import dataclass
from statistics import median

from apps.datasets.models import Alignment
from apps.jobs.models import Job
from fusion.encoders import catalogue
from fusion.recipe import Recipe

from . import alignments
from .models import Run

SECONDS_A_CELL = {"efficientnet-lite0": 0.007, "whisper-tiny-en": 0.035, "minilm-l6-v2": 0.007, "pixels": 0.001, "numbers": 0.0001}
UNKNOWN_ENCODER = 0.05
SECONDS_A_STEP = 0.0022
"""One batch of 64 through one small network, on one core."""
FIXED = 6.0
SPREAD = (0.75, 1.5)
ENOUGH = 3
"""Units of a stage that must be done before its speed says anything."""


@dataclass(frozen=True)
class Estimate:
    low: float
    high: float
    runs: int = 0
    cached: bool = False


def models(alignment: Alignment, recipe: Recipe) -> int:
    """Each modality alone and each joint method; late fusion needs no network of its own."""
    return len(alignments.chosen(alignment, recipe)) + len([name for name in recipe.methods if name != "late"])


def fits_of_round(alignment: Alignment, recipe: Recipe) -> int:
    """Networks to train in one round: inside for its settings, and outside once a seed."""
    return models(alignment, recipe) * (recipe.training.inner_folds + len(recipe.training.seeds))


def fits(alignment: Alignment, recipe: Recipe) -> int:
    """All of them, the last round being the model that is kept, trained on every sample with one seed."""
    last = models(alignment, recipe) * (recipe.training.inner_folds + 1)
    return len(alignments.rounds(alignment)) * fits_of_round(alignment, recipe) + last


def embedding_seconds(alignment: Alignment, recipe: Recipe) -> float:
    total = 0.0
    for one in alignments.inputs(alignment):
        if recipe.modalities is None or one.name in recipe.modalities:
            total += one.present * sum(SECONDS_A_CELL.get(name, UNKNOWN_ENCODER) for name in encoders_of(recipe, one.name, one.kind))
    return total


def encoders_of(recipe: Recipe, name: str, kind: str) -> list[str]:
    given = recipe.encoders.get(name)
    return [choice.name for choice in given] if given else list(catalogue.default(kind))


def training_seconds(alignment: Alignment, recipe: Recipe) -> float:
    steps = max(1, alignments.usable(alignment) / recipe.training.batch_size)
    epochs = min(recipe.training.epochs, 0.8 * recipe.training.epochs + recipe.training.patience)
    return fits(alignment, recipe) * epochs * steps * SECONDS_A_STEP


def estimate(alignment: Alignment, recipe: Recipe, past: list[Run] = ()) -> Estimate:
    """`past`: finished runs of the project; how they kept to their own estimates corrects this one."""
    cached = any(same_vectors(run, alignment, recipe) for run in past)
    factors = [factor for run in past if (factor := how_it_went(run))]
    seconds = (
        (0.0 if cached else embedding_seconds(alignment, recipe))
        + training_seconds(alignment, recipe) * (median(factors) if factors else 1.0)
        + FIXED
    )
    return Estimate(SPREAD[0] * seconds, SPREAD[1] * seconds, len(factors), cached)


def same_vectors(run: Run, alignment: Alignment, recipe: Recipe) -> bool:
    """A finished run on the same alignment with the same encoders has left its vectors in the cache."""
    if run.alignment_id != alignment.pk or run.job.state != Job.State.FINISHED:
        return False
    before = run.recipe.get("encoders", {})
    now = recipe.model_dump(mode="json")["encoders"]
    names = [one["name"] for one in alignments.chosen(alignment, recipe)]
    return all(before.get(name) == now.get(name) for name in names) and set(names) <= {one["name"] for one in run.modalities}


def how_it_went(run: Run) -> float | None:
    spent = run.job.stage_times.get("train")
    if not spent or run.job.state != Job.State.FINISHED:
        return None
    return spent / training_seconds(run.alignment, Recipe.parse(run.recipe))


def left(job: Job, now_in_stage: float, alignment: Alignment, recipe: Recipe) -> tuple[float, float] | None:
    """Seconds still to go as a range, or None while it is too early to say."""
    later = {"read": 2, "embed": 1, "train": 0}.get(job.stage)
    if job.stage in ("evaluate", "bundle"):
        return 1.0, 2 * FIXED
    if later is None or job.done < ENOUGH or not job.total:
        return None
    here = now_in_stage * (job.total - job.done) / job.done
    after = FIXED + (training_seconds(alignment, recipe) if later else 0.0)
    seconds = here + after
    return 0.85 * seconds, 1.3 * seconds
