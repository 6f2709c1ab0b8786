"""The plan of a run, settled before anything is embedded: rows in order, modalities, rules, folds;
and the digests that name it all.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from fusion.core.arrays import Bools, Ints
from fusion.core.environment import environment
from fusion.core.files import digest_of
from fusion.core.progress import Progress
from fusion.data.alignment import Aligned, folds, inner_folds, inner_split
from fusion.encoders.adaptation import Adapted
from fusion.encoders.capability_checks import check_capabilities
from fusion.encoders.embedding import Features
from fusion.evaluation.subgroups import subgroup_columns
from fusion.pipeline.knowledge_use import fires_of, settled, taught, warnings_of
from fusion.pipeline.protocol_checks import with_protocols
from fusion.schema.recipe import Recipe, RecipeError
from fusion.tasks import task_of
from fusion.training.folds import NestedFold, TrainingData


@dataclass(frozen=True)
class Plan:
    """The plan of a run. fires: (n, R), where each rule speaks; folds: of the split, then all
    samples.
    """

    aligned: Aligned
    recipe: Recipe
    modalities: list[str]
    fires: Bools
    folds: list[NestedFold]

    @classmethod
    def of(cls, aligned: Aligned, recipe: Recipe, progress: Progress) -> "Plan":
        aligned = in_order(aligned)
        recipe = with_protocols(settled(recipe, aligned), aligned)
        fires = fires_of(recipe, aligned)
        for words in warnings_of(recipe, aligned, fires):
            progress.log(words)
        nested = [*nested_folds(aligned, recipe), fold_of_all(aligned)]
        return cls(aligned, recipe, chosen_modalities(aligned, recipe), fires, nested)

    @property
    def inputs(self) -> Aligned:
        return replace(
            self.aligned,
            modalities={name: self.aligned.modalities[name] for name in self.modalities},
        )

    def inner(self, rows: Ints) -> list[tuple[Ints, Ints]]:
        return inner_folds_of(self.aligned, rows, self.recipe)

    def training_data(self, features: Features) -> TrainingData:
        teaching = taught(self.recipe, self.aligned.task, self.aligned.label_order, self.fires)
        return replace(training_data(self.aligned, features), taught=teaching)


def in_order(aligned: Aligned) -> Aligned:
    """Rows by key and modalities by name, so that their order in the files changes nothing."""
    order = sorted(range(len(aligned)), key=lambda row: aligned.keys[row])

    def sort(values: Sequence[Any]) -> list[Any]:
        return [values[row] for row in order]

    return replace(
        aligned,
        keys=sort(aligned.keys),
        labels=sort(aligned.labels),
        modalities={
            name: replace(m, cells=sort(m.cells)) for name, m in sorted(aligned.modalities.items())
        },
        groups={name: sort(values) for name, values in sorted(aligned.groups.items())},
        extras={name: sort(values) for name, values in sorted(aligned.extras.items())},
        fixed=None if aligned.fixed is None else sort(aligned.fixed),
    )


def chosen_modalities(aligned: Aligned, recipe: Recipe) -> list[str]:
    wanted = recipe.modalities or list(aligned.modalities)
    for field_name, names in (("modalities", wanted), ("encoders", recipe.encoders)):
        unknown = [name for name in names if name not in aligned.modalities]
        if unknown:
            raise RecipeError(
                [
                    f"{field_name}: the alignment has no modality {unknown[0]}; it has "
                    f"{', '.join(aligned.modalities)}."
                ]
            )
    if problems := check_capabilities(recipe):
        raise RecipeError(problems)
    return sorted(wanted)


def nested_folds(aligned: Aligned, recipe: Recipe) -> list[NestedFold]:
    seeds = len(recipe.training.seeds)
    return [
        NestedFold(
            fold.name, fold.train, fold.test, inner_folds_of(aligned, fold.train, recipe), seeds
        )
        for fold in folds(aligned)
    ]


def fold_of_all(aligned: Aligned) -> NestedFold:
    """Training on every sample that takes part, with nothing held out: the model that is kept, with
    what the other folds chose.
    """
    rows = np.asarray(aligned.kept(), dtype=np.int64)
    return NestedFold("all samples", rows, rows[:0], [], 1)


def inner_folds_of(aligned: Aligned, rows: Ints, recipe: Recipe) -> list[tuple[Ints, Ints]]:
    """Return folds by group inside training rows; the validation rows of a fixed split where it has
    some.
    """
    if aligned.fixed is not None:
        fit, validation = inner_split(aligned, rows)
        if all(
            str(aligned.fixed[row]).strip().lower().startswith(("val", "dev")) for row in validation
        ):
            return [(fit, validation)]
    folds = inner_folds(aligned, rows, max(2, recipe.training.inner_folds))
    return folds[: recipe.training.inner_folds]


def training_data(aligned: Aligned, features: Features) -> TrainingData:
    task = task_of(aligned.task, aligned.label_order)
    tables = frozenset(name for name in features.names if aligned.modalities[name].kind == "table")
    x = {name: features.x[name] for name in features.names}
    blocks = {
        name: [block for part in features.parts[name] for block in part.blocks]
        for name in features.names
    }
    y = task.encode(aligned.labels)
    return TrainingData(y, task, x, features.mask, tables=tables, blocks=blocks)


def sample_digests(aligned: Aligned) -> list[str]:
    """SHA-256 of what each sample holds in every modality, whatever its key."""
    cells = {name: modality.cells for name, modality in sorted(aligned.modalities.items())}
    return [
        content_digest({name: column[row] for name, column in cells.items()})
        for row in range(len(aligned))
    ]


def content_digest(cells: Mapping[str, Any]) -> str:
    return hashlib.sha256(
        json.dumps(
            {name: cell.digest for name, cell in cells.items() if cell is not None}, sort_keys=True
        ).encode()
    ).hexdigest()


def encoders_of(
    features: Features, tuned: Adapted = MappingProxyType({})
) -> dict[str, list[dict[str, Any]]]:
    references = {name: [vars(part) for part in parts] for name, parts in features.parts.items()}
    for name, changes in tuned.items():
        references[name] = [
            changes[place].part(part) if place in changes else part
            for place, part in enumerate(references[name])
        ]
    return references


def run_digest(aligned: Aligned, recipe: Recipe, features: Features) -> str:
    """Whatever could change a fit: data, recipe, encoders, versions."""
    return digest_of(
        [aligned.digest, recipe.digest, encoders_of(features), environment()["versions"]]
    )


def left_out(aligned: Aligned, scored: Ints) -> dict[str, int]:
    counted = {reason: len(rows) for reason, rows in aligned.left_out().items()}
    return counted | {"only in training": len(aligned.kept()) - len(scored)}


def columns_of(aligned: Aligned, rows: Ints) -> dict[str, list[Any]]:
    """Columns that make subgroups: every group, and every other column of words."""
    return subgroup_columns(
        {
            name: [values[row] for row in rows]
            for name, values in (aligned.groups | aligned.extras).items()
            if name != aligned.label
        }
    )
