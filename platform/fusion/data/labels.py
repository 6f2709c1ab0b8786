"""Labels of a learning task, from the values of a column."""

from collections.abc import Sequence
from typing import Any

from fusion.core.column_values import is_number, to_text
from fusion.data.splits import AlignmentError
from fusion.schema.task_names import ALLOWED, TaskName, usual_task


def labels_of(
    values: list[Any], kind: str, task: TaskName | None, order: Sequence[str] = ()
) -> tuple[list[Any], TaskName, list[str]]:
    """Labels as an alignment holds them, the learning task, and all labels in their order. kind: of
    the label's column.

    Raises AlignmentError in words for a task that such a column cannot have.
    """
    allowed = ALLOWED.get(kind, ALLOWED["label"])
    task = task or usual_task(kind, distinct_values(values))
    if task not in allowed:
        raise AlignmentError(
            f"task {task} does not fit a label column of kind {kind}: use {' or '.join(allowed)}, "
            "or another column"
        )
    if task == "regression":
        return [None if v is None else float(v) for v in values], task, []
    if task == "multi-label":
        sets = [None if v is None else sorted({to_text(label) for label in v}) for v in values]
        return sets, task, ordered([label for tags in sets for label in tags or ()])
    labels = [None if v is None else to_text(v) for v in values]
    return labels, task, in_order(ordered(labels), task, order)


def distinct_values(values: list[Any]) -> int:
    return len({tuple(v) if isinstance(v, list) else v for v in values if v is not None})


def in_order(labels: list[str], task: TaskName, order: Sequence[str]) -> list[str]:
    """The labels of an ordinal task as `order` names them, those of other tasks as they are;
    numbers need no order.
    """
    if task != "ordinal":
        return labels
    if not order and all(is_number(label) for label in labels):
        return labels
    if lacking := [label for label in labels if label not in order]:
        raise AlignmentError(
            f"an ordinal task needs the order of its labels, lowest first; {lacking[0]} is not in "
            "it"
        )
    if len(set(order)) < len(order):
        raise AlignmentError("the order of the labels names one twice")
    return list(order)


def ordered(labels: Sequence[str | None]) -> list[str]:
    """Numbers by size, words by the alphabet."""
    distinct = {y for y in labels if y is not None}
    return sorted(distinct, key=lambda y: (0, float(y), y) if is_number(y) else (1, 0.0, y))
