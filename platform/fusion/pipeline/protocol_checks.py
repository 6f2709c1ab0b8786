"""Protocols in a run: those of study and recipe held against the data before anything
is computed.
"""

from collections.abc import Sequence
from typing import Any

from fusion.core.arrays import Ints
from fusion.data.alignment import Aligned
from fusion.data.rule_columns import kind_by_values, rule_column_kinds, rule_columns
from fusion.schema.metrics import metrics_of
from fusion.schema.protocol import Protocol, ProtocolError, check, protocols_of, together
from fusion.schema.recipe import Recipe, RecipeError
from fusion.schema.task_names import TaskName


def with_protocols(recipe: Recipe, aligned: Aligned) -> Recipe:
    """Return the recipe with the protocols of the alignment added to its own. Raises RecipeError
    with everything that does not fit the data.
    """
    try:
        protocols = together(recipe.protocols, protocols_of(aligned.protocols))
    except ProtocolError as error:
        raise RecipeError(error.problems) from error
    kinds = {name: modality.kind for name, modality in aligned.modalities.items()}
    if problems := [
        *check(protocols, kinds_of_slices(aligned), kinds),
        *other_metrics(protocols, aligned.task),
    ]:
        raise RecipeError(problems)
    return recipe.model_copy(update={"protocols": protocols})


def other_metrics(protocols: Sequence[Protocol], task: TaskName) -> list[str]:
    """Criteria in a metric that the learning task does not have."""
    names = metrics_of(task)
    return [
        f"protocol of {protocol.discipline}, criterion {number}, metric: {criterion.metric} is no "
        f"metric of {task}; use {', '.join(names)}"
        for protocol in protocols
        for number, criterion in enumerate(protocol.criteria, 1)
        if criterion.metric not in names
    ]


def facts_of(aligned: Aligned, rows: Ints) -> dict[str, list[Any]]:
    """dataset.column -> a value a row: all that a slice may ask for, which is what a rule may and
    the label.
    """
    return {
        name: [values[row] for row in rows]
        for name, values in (rule_columns(aligned) | {aligned.label: aligned.labels}).items()
    }


def kinds_of_slices(aligned: Aligned) -> dict[str, str]:
    return rule_column_kinds(aligned) | {aligned.label: kind_by_values(aligned.labels)}
