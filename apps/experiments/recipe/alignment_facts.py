"""What a run needs to know of a frozen alignment, from its summary alone: inputs, coverage, rounds;
and whether a recipe fits.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.datasets.models import Alignment
from apps.experiments.recipe import finetune_fields
from apps.experiments.recipe.encoder_choices import problem
from apps.experiments.report.protocols import problems as protocol_problems
from apps.experiments.report.rules import problems as rule_problems
from apps.projects.models import Project
from fusion.encoders import catalogue
from fusion.schema.recipe import EncoderChoice, Recipe
from fusion.schema.task_names import ONE_LABEL, TaskName


@dataclass(frozen=True)
class Input:
    """A modality of an alignment; `present` of `total` samples have it."""

    name: str
    kind: str
    present: int
    total: int
    columns: tuple[str, ...] = ()

    @property
    def percent(self) -> float:
        return 100 * self.present / self.total if self.total else 0.0


def frozen(project: Project) -> QuerySet[Alignment]:
    return Alignment.objects.filter(project=project, state=Alignment.State.FROZEN).order_by(
        "-number"
    )


def inputs(alignment: Alignment) -> list[Input]:
    total = alignment.summary.get("n_samples", 0)
    counts = alignment.summary.get("modalities", {})
    return [
        Input(
            name, one["kind"], counts.get(name, {}).get("present", 0), total, tuple(one["columns"])
        )
        for name, one in alignment.spec.get("modalities", {}).items()
    ]


def chosen(alignment: Alignment, recipe: Recipe) -> list[dict[str, str]]:
    """Name and kind of every modality that takes part."""
    return [
        {"name": one.name, "kind": one.kind}
        for one in inputs(alignment)
        if recipe.modalities is None or one.name in recipe.modalities
    ]


def complete(alignment: Alignment, recipe: Recipe) -> Recipe:
    """The recipe with every encoder named, so that a later change of the defaults changes no run."""
    named = dict(recipe.encoders)
    for one in inputs(alignment):
        if not named.get(one.name) and (recipe.modalities is None or one.name in recipe.modalities):
            named[one.name] = [EncoderChoice(name=name) for name in catalogue.default(one.kind)]
    return recipe.model_copy(update={"encoders": named})


def rounds(alignment: Alignment) -> list[dict[str, Any]]:
    """[{name, train, test}]: the rounds of the split."""
    return alignment.summary.get("folds", [])


def usable(alignment: Alignment) -> int:
    return alignment.summary.get("n_usable", 0)


def split_words(alignment: Alignment) -> str:
    split, n = alignment.spec.get("split", {}), len(rounds(alignment))
    columns = ", ".join(ref.split(".", 1)[-1] for ref in alignment.spec.get("groups", []))
    words = {
        "leave-one-group-out": _("Leave one %(group)s out, %(n)d folds"),
        "grouped-k-fold": _("By %(group)s, %(n)d folds"),
        "by-group": _("By %(group)s, one test part"),
        "fixed": _("Fixed in the data"),
    }
    return words.get(split.get("policy", ""), "%(n)d") % {"group": columns or _("sample"), "n": n}


def task(alignment: Alignment) -> TaskName:
    found: TaskName = alignment.spec.get("label", {}).get("task", "classification")
    return found


def problems(alignment: Alignment, recipe: Recipe) -> dict[str, list[str]]:
    """Where a recipe does not fit an alignment, by form field."""
    known = {one.name: one for one in inputs(alignment)}
    found: dict[str, list[str]] = {}
    for name in recipe.modalities or []:
        if name not in known:
            words = {"name": name, "known": ", ".join(known)}
            found.setdefault("modalities", []).append(
                _("The alignment has no modality %(name)s; it has %(known)s.") % words
            )
    for name, choices in recipe.encoders.items():
        kind = known[name].kind if name in known else ""
        found |= _encoder_problems(name, kind, [choice.name for choice in choices])
    found |= finetune_fields.problems(recipe)
    spec, labels = alignment.spec, list(alignment.summary.get("labels", {}))
    named = [
        *spec.get("groups", []),
        *spec.get("extras", []),
        *(column for one in known.values() for column in one.columns),
    ]
    label = spec.get("label", {}).get("source", "")
    if recipe.knowledge.use != "off":
        found |= (
            {"knowledge": told}
            if (told := _knowledge_problems(alignment, recipe, named, labels))
            else {}
        )
    if asked := protocol_problems(
        recipe,
        spec.get("protocols", []),
        [*named, label],
        {name: one.kind for name, one in known.items()},
    ):
        found["protocols"] = asked
    return found


def _knowledge_problems(
    alignment: Alignment, recipe: Recipe, named: list[str], labels: list[str]
) -> list[str]:
    if task(alignment) not in ONE_LABEL:
        words = _(
            "Rules, concepts and order speak of one label of several, which is not what this alignment asks for. Set use to off in the recipe."
        )
        return (
            [words]
            if recipe.knowledge.has_content or alignment.spec.get("knowledge", {}).get("rules")
            else []
        )
    return rule_problems(
        list(dict.fromkeys(named)),
        labels,
        alignment.spec.get("label", {}).get("source", ""),
        recipe,
    )


def _encoder_problems(name: str, kind: str, encoders: list[str]) -> dict[str, list[str]]:
    if not kind:
        return {
            "modalities": [
                _("The recipe names an encoder for %(name)s, which the alignment does not have.")
                % {"name": name}
            ]
        }
    found = [text for encoder in encoders if (text := problem(encoder, kind))]
    return {f"encoder_{name}": found} if found else {}
