"""Names of the learning tasks, and which of them a column's kind allows. Light: no numpy."""

from typing import Literal

TaskName = Literal["classification", "ordinal", "regression", "multi-label"]


ONE_LABEL: tuple[TaskName, ...] = ("classification", "ordinal")
"""Those whose answer is one label: rules, concepts and order can speak about it."""


ALLOWED: dict[str, tuple[TaskName, ...]] = {
    "label": ONE_LABEL,
    "category": ONE_LABEL,
    "group": ONE_LABEL,
    "number": ("regression", "ordinal", "classification"),
    "tags": ("multi-label",),
}
"""Kind of the label's column -> what can be asked of it, the usual one first."""


def usual_task(kind: str, distinct: int) -> TaskName:
    """The task of a label column where none is named: of two different numbers, 0 and 1 for
    instance, classes rather than quantities. distinct: how many values the column has.
    """
    if kind == "number" and distinct == 2:
        return "classification"
    return ALLOWED.get(kind, ALLOWED["label"])[0]
