"""Facts of a frozen alignment that a run needs, from its summary alone: inputs, coverage, folds."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from apps.datasets.models import Alignment
from fusion.encoders import catalogue
from fusion.schema.recipe import EncoderChoice, Recipe
from fusion.schema.task_names import TaskName


@dataclass(frozen=True)
class AlignedInput:
    """A modality of an alignment; `present` of `total` samples have it."""

    name: str
    kind: str
    present: int
    total: int
    columns: tuple[str, ...] = ()

    @property
    def percent(self) -> float:
        return 100 * self.present / self.total if self.total else 0.0


def inputs(alignment: Alignment) -> list[AlignedInput]:
    total = alignment.summary.get("n_samples", 0)
    counts = alignment.summary.get("modalities", {})
    return [
        AlignedInput(
            name,
            modality["kind"],
            counts.get(name, {}).get("present", 0),
            total,
            tuple(modality["columns"]),
        )
        for name, modality in alignment.spec.get("modalities", {}).items()
    ]


def used(alignment: Alignment, recipe: Recipe) -> list[AlignedInput]:
    """The modalities that take part, in the order of the alignment."""
    return [
        modality
        for modality in inputs(alignment)
        if recipe.modalities is None or modality.name in recipe.modalities
    ]


def complete(alignment: Alignment, recipe: Recipe) -> Recipe:
    """Name every encoder, so that a later change of the defaults changes no run."""
    encoders = dict(recipe.encoders)
    for modality in used(alignment, recipe):
        if not encoders.get(modality.name):
            names = catalogue.default(modality.kind)
            encoders[modality.name] = [EncoderChoice(name=name) for name in names]
    return recipe.model_copy(update={"encoders": encoders})


def folds(alignment: Alignment) -> list[dict[str, Any]]:
    """The folds of the split: [{name, train, test}]."""
    return alignment.summary.get("folds", [])


def usable(alignment: Alignment) -> int:
    return alignment.summary.get("n_usable", 0)


def split_words(alignment: Alignment) -> str:
    policy = alignment.spec.get("split", {}).get("policy", "")
    groups = [column.split(".", 1)[-1] for column in alignment.spec.get("groups", [])]
    words = {
        "leave-one-group-out": _("Leave one %(group)s out, %(n)d folds"),
        "grouped-k-fold": _("By %(group)s, %(n)d folds"),
        "by-group": _("By %(group)s, one test part"),
        "fixed": _("Fixed in the data"),
    }
    group = ", ".join(groups) or _("sample")
    return words.get(policy, "%(n)d") % {"group": group, "n": len(folds(alignment))}


def task(alignment: Alignment) -> TaskName:
    name: TaskName = alignment.spec.get("label", {}).get("task", "classification")
    return name
