"""The cost of a run, estimated from its recipe, the shape of its data and a measured machine.
Light, see fusion.estimates.machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fusion.core.stopwatch import CELL, CPU
from fusion.encoders import catalogue
from fusion.encoders.search_space import PROBED, search_space
from fusion.estimates import finetune_cost as tuning
from fusion.estimates.machine import Machine, Spent
from fusion.schema.methods import JOINT, step_of
from fusion.schema.noise_levels import LEVELS
from fusion.schema.recipe import Recipe

MEASURED, TYPICAL = 1.5, 2.5
"""A range reaches from the reckoned figure divided by this to the figure times it."""
BF16 = 0.5
"""Seconds of a frozen encoder in bfloat16 against float32."""
AT_ONCE = 5.0
"""Networks of a model are trained side by side; whatever their number, a step takes what so many
more would.
"""
UNKNOWN_DIM = 768
MB = 2**20


@dataclass(frozen=True)
class Input:
    """A modality: how many of its samples have it, and the names of its encoders. width: numbers in
    a cell of a table.
    """

    name: str
    present: int
    encoders: tuple[str, ...]
    width: int = 0
    kind: str = ""


@dataclass(frozen=True)
class Shape:
    """samples: that take part; rounds: of the split; classes: labels; cached: whether the vectors
    are there already.

    rules: of the study, which come to those of the recipe.
    """

    samples: int
    rounds: int
    inputs: tuple[Input, ...]
    cached: bool = False
    rules: int = 0


@dataclass(frozen=True)
class Cost:
    """Seconds, and MB of memory and disk. largest: what takes most of the memory, an encoder's name
    or "" for the vectors.

    probe: seconds of comparing encoders in a search; tune: of tuning; tuning: whether it is what
    takes most of the memory, and then `largest` is tuned.
    """

    embed: float
    train: float
    rest: float
    memory_mb: float
    disk_mb: float
    largest: str = ""
    tune: float = 0.0
    tuning: bool = False
    probe: float = 0.0

    @property
    def seconds(self) -> float:
        return self.embed + self.probe + self.tune + self.train + self.rest


def models(shape: Shape, recipe: Recipe) -> int:
    """Each modality alone and each joint method; late fusion and an ensemble need no network of
    their own.
    """
    return len(shape.inputs) + len(joint(recipe))


def joint(recipe: Recipe) -> list[str]:
    return [name for name in recipe.methods if name in JOINT]


def kind_of_work(recipe: Recipe) -> str:
    """Joint methods of a run, as the machine remembers their speed."""
    return "+".join(sorted(joint(recipe))) or "late"


def weight(shape: Shape, recipe: Recipe) -> float:
    """Return the weight of all models of a fold, in networks of one modality."""
    return len(shape.inputs) + sum(step_of(name) for name in joint(recipe))


def fits_of_round(shape: Shape, recipe: Recipe) -> int:
    """Networks to train in one round: inside for its settings, and outside once a seed."""
    return models(shape, recipe) * (recipe.training.inner_folds + len(recipe.training.seeds))


def fits(shape: Shape, recipe: Recipe) -> int:
    """All of them; the model that is kept is trained once more, on every sample."""
    return shape.rounds * fits_of_round(shape, recipe) + models(shape, recipe)


def steps(shape: Shape, recipe: Recipe, rules: int | None = None) -> float:
    """Batches through a network of one modality, over all fits; each rule that is compared with and
    without trains everything once more.
    """
    of_fit = max(1.0, shape.samples * (1 - 1 / max(2, shape.rounds)) / recipe.training.batch_size)
    beside = 2 * AT_ONCE * weight(shape, recipe)  # inside, and outside
    own = recipe.knowledge
    again = (
        (len(own.rules) + bool(own.concepts) + shape.rules if rules is None else rules)
        if own.compare and own.in_training
        else 0
    )
    networks = fits(shape, recipe) / models(shape, recipe) * weight(shape, recipe) + beside
    return networks * recipe.training.epochs * of_fit * (1 + again)


def draws(shape: Shape, recipe: Recipe) -> float:
    return float(max(1, shape.samples) * recipe.evaluation.draws)


def dims(modality: Input) -> int:
    sizes = [entry.dim if (entry := catalogue.get(name)) else None for name in modality.encoders]
    return sum(dim or modality.width or UNKNOWN_DIM for dim in sizes)


def width(shape: Shape) -> int:
    return sum(dims(modality) for modality in shape.inputs)


def numbers(shape: Shape, recipe: Recipe) -> float:
    """Those of all samples that are whitened, for every set of training rows."""
    rounds = shape.rounds * (1 + recipe.training.inner_folds) + 1
    return max(1.0, float(shape.samples * width(shape) * rounds))


def passes(modality: Input, recipe: Recipe) -> int:
    """Return the number of passes of noise over the cells of a modality."""
    kind = next((entry.kind for name in modality.encoders if (entry := catalogue.get(name))), "")
    return len(LEVELS.get(kind, ())) if recipe.evaluation.noise else 0


def cell(name: str, recipe: Recipe, machine: Machine) -> float:
    """Seconds that an encoder takes for one."""
    return machine.cell(name) * (BF16 if recipe.precision == "bf16" else 1.0)


def arrays_mb(shape: Shape, recipe: Recipe) -> float:
    """Vectors as they come and under noise, once more while they are whitened, and whitened for
    every set of training rows that is held at a time.
    """
    whitened = sum(
        min(dims(modality), recipe.training.pca_dim or dims(modality)) for modality in shape.inputs
    )
    held = 1 + recipe.training.inner_folds
    noisy = sum(passes(modality, recipe) * dims(modality) for modality in shape.inputs)
    return shape.samples * 4 * (2 * width(shape) + noisy + held * whitened) / MB


def probed(shape: Shape, recipe: Recipe) -> list[tuple[Input, int]]:
    """Return what a search reads beside the recipe's own encoders: an input as a candidate reads
    it, and of how many samples.
    """
    if recipe.search is None or not recipe.search.probe:
        return []
    readings = []
    for modality in shape.inputs:
        others = (
            search_space(
                modality.kind, recipe.encoders.get(modality.name, []), recipe.search.encoders
            )[1:]
            if modality.kind
            else []
        )
        readings += [
            (
                replace(modality, encoders=tuple(choice.name for choice in reading)),
                min(PROBED, modality.present),
            )
            for reading in others
        ]
    return readings


def probe(shape: Shape, recipe: Recipe, machine: Machine) -> float:
    """Seconds to read the samples with every candidate, and to compare them inside every set of
    training rows.
    """
    read = probed(shape, recipe)
    sets = shape.rounds * (1 + recipe.training.inner_folds) + 1
    fits = sets * max(1, recipe.training.inner_folds) / 2  # sets have inner rounds in common
    compare = (
        fits
        * sum(samples * dims(modality) for modality, samples in read)
        * machine.seconds_a_number
    )
    return compare + (
        0.0
        if shape.cached
        else sum(
            samples * cell(name, recipe, machine)
            for modality, samples in read
            for name in modality.encoders
        )
    )


def probe_mb(shape: Shape, recipe: Recipe) -> float:
    return sum(samples * 4 * dims(modality) for modality, samples in probed(shape, recipe)) / MB


def fit_seconds(shape: Shape, recipe: Recipe, machine: Machine) -> float:
    """Return the seconds of all networks; a search ends them with its budget, but trains each
    modality alone in any case.
    """
    whole = steps(shape, recipe) * machine.step(kind_of_work(recipe))
    if recipe.search is None or recipe.search.budget_seconds is None:
        return whole
    alone = recipe.model_copy(update={"method": "late", "compare": []})
    return min(
        whole,
        max(recipe.search.budget_seconds, steps(shape, alone) * machine.step(kind_of_work(alone))),
    )


def weights_mb(encoder: str) -> float:
    """Return the size of an encoder that an administrator added; the packaged ones are small and
    part of what a run takes anyway.
    """
    path = catalogue.home() / encoder / catalogue.WEIGHTS
    return path.stat().st_size / MB if path.is_file() else 0.0


def cost(shape: Shape, recipe: Recipe, machine: Machine) -> Cost:
    names = [name for modality in shape.inputs for name in modality.encoders]
    heavy = max(names, key=weights_mb, default="")
    arrays, weights = arrays_mb(shape, recipe), 2 * weights_mb(heavy) if heavy else 0.0
    tune_mb, tuned = tuning.memory_mb(shape, recipe)
    tunes = tuned is not None and tune_mb > max(arrays, weights)
    return Cost(
        embed=sum(
            modality.present
            * cell(name, recipe, machine)
            * ((not shape.cached) + passes(modality, recipe))
            for modality in shape.inputs
            for name in modality.encoders
        ),
        train=fit_seconds(shape, recipe, machine)
        + numbers(shape, recipe) * machine.seconds_a_number,
        rest=machine.other + draws(shape, recipe) * machine.seconds_a_draw,
        memory_mb=machine.base_mb + arrays + probe_mb(shape, recipe) + max(weights, tune_mb),
        disk_mb=sum(modality.present * 4 * dims(modality) for modality in shape.inputs) / MB
        + probe_mb(shape, recipe),
        largest=tuned.name if tunes and tuned else heavy if weights > arrays else "",
        probe=probe(shape, recipe, machine),
        tune=machine.tune(tuning.cells(shape, recipe), tuning.ways(shape, recipe)),
        tuning=tunes,
    )


def spread(machine: Machine) -> float:
    return MEASURED if machine.runs else TYPICAL


def spent(
    shape: Shape,
    recipe: Recipe,
    seconds: Mapping[str, float],
    whole: float,
    peak_mb: float,
    rules: int = 0,
) -> Spent:
    """Return what the machine learns from. seconds: of an EvaluationResult; whole: of all the run
    with imports; peak_mb: most memory held.
    """
    fit, train, evaluate = (seconds[f"{CPU}{name}"] for name in ("fit", "train", "evaluate"))
    tune = seconds.get(f"{CPU}tune", 0.0)
    share = BF16 if recipe.precision == "bf16" else 1.0
    return Spent(
        cells={
            name.removeprefix(CELL): value / share
            for name, value in seconds.items()
            if name.startswith(CELL)
        },
        methods=kind_of_work(recipe),
        steps=steps(shape, recipe, rules),
        fit=fit,
        numbers=numbers(shape, recipe),
        prepare=max(0.0, train - fit) / (1 + rules),
        draws=draws(shape, recipe),
        evaluate=evaluate,
        other=max(0.0, whole - seconds[f"{CPU}embed"] - tune - train - evaluate),
        base_mb=peak_mb - arrays_mb(shape, recipe) - tuning.memory_mb(shape, recipe)[0],
        tunes=tuning.ways(shape, recipe),
        tune=tune,
        tuned=tuning.cells(shape, recipe),
    )
