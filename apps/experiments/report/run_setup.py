"""The setup of a run: a summary of its recipe, the command that repeats it, where it ran."""

from dataclasses import dataclass, field
from itertools import zip_longest

from django.utils.translation import gettext as _

from apps.experiments.models import Run
from apps.experiments.recipe import alignment_facts, encoder_choices, finetune_fields
from apps.experiments.recipe.estimates import encoders_of
from apps.experiments.words import duration, method_name, reason_in_words
from apps.ui import figures
from fusion.schema.recipe import Recipe
from fusion.schema.result import EvaluationResult


@dataclass(frozen=True)
class Setup:
    rows: list[tuple[str, str]]
    command: str
    seeds: list[tuple[str, str]] = field(default_factory=list)


def setup(run: Run) -> Setup:
    recipe, result = Recipe.stored(run.recipe), run.evaluation
    training = recipe.training
    rows = [
        (_("Alignment"), run.alignment.name),
        (_("Split"), alignment_facts.split_words(run.alignment)),
        (_("Fusion method"), method_name(run.method)),
        *((name, encoders_in_words(recipe, name, kind)) for name, kind in run.kinds.items()),
        (_("Modality dropout"), f"{training.modality_dropout:g}"),
        (_("Epochs, batch"), f"{training.epochs}, {training.batch_size}"),
        (_("Learning rate"), f"{training.learning_rate:g}"),
        (_("Seeds"), ", ".join(str(seed) for seed in training.seeds)),
    ]
    seeds = []
    if result:
        rows += [(_("Left out"), left_out(result)), (_("Took"), took(run))]
        words = _("Seed %(n)s")
        seeds = [(words % {"n": seed.seed}, figures.score(seed.score)) for seed in result.seeds]
    return Setup(rows, f"python -m fusion train \\\n  FOLDER --recipe run-{run.number}.yaml", seeds)


def left_out(result: EvaluationResult) -> str:
    reasons = [reason_in_words(reason, n) for reason, n in result.left_out.items() if n]
    return _(", ").join(reasons) or _("none")


def took(run: Run) -> str:
    begun, ended = run.job.started_at, run.job.finished_at
    return duration((ended - begun).total_seconds()) if begun and ended else ""


def encoders_in_words(recipe: Recipe, name: str, kind: str) -> str:
    """`MiniLM L6 v2 (LoRA, 3 epochs)`: each encoder of a modality, and how it is trained."""
    trained = [finetune_fields.in_words(choice) for choice in recipe.encoders.get(name, [])]
    titles = [encoder_choices.called(code) for code in encoders_of(recipe, name, kind)]
    return ", ".join(
        f"{title} ({words})" if words else title
        for title, words in zip_longest(titles, trained, fillvalue="")
    )


def environment(run: Run) -> list[tuple[str, str]]:
    """Versions and machine of a finished run, by name."""
    facts = run.evaluation.environment if run.evaluation else {}
    return [
        (name, str(value))
        for name, value in [*facts.get("versions", {}).items(), *facts.items()]
        if not isinstance(value, dict | list)
    ]
