"""Learning tasks: what is asked about a sample, and all that differs by it
(docs/decisions/one-seam-for-every-task.md).

    task_of("classification", labels)       one of several labels
    task_of("ordinal", labels)              one of several labels in an order
    task_of("regression")                   a number
    task_of("multi-label", labels)          any number of labels

Everything else of the engine asks the task (fusion.tasks.base.LearningTask) and knows none of them
by name. Light: the modules with numpy are imported when a task is made, and scipy when it answers
(the web process only scores); `losses` alone needs torch, `linear` scikit-learn.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .base import LearningTask

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


def task_of(name: TaskName, labels: Sequence[str] = ()) -> "LearningTask":
    from .classification import Classification
    from .multilabel import MultiLabel
    from .ordinal import Ordinal
    from .regression import Regression

    return {one.name: one for one in (Classification, Ordinal, Regression, MultiLabel)}[name](
        labels
    )
