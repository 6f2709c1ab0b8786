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
from typing import TYPE_CHECKING

from fusion.schema.task_names import TaskName

if TYPE_CHECKING:
    from fusion.tasks.base import LearningTask


def task_of(name: TaskName, labels: Sequence[str] = ()) -> "LearningTask":
    from fusion.tasks.classification import Classification
    from fusion.tasks.multilabel import MultiLabel
    from fusion.tasks.ordinal import Ordinal
    from fusion.tasks.regression import Regression

    return {task.name: task for task in (Classification, Ordinal, Regression, MultiLabel)}[name](
        labels
    )
