"""One label of several in an order, lowest first. Training counts a mistake the more the further
away it is (fusion.pipeline.knowledge_use.taught).
"""

from typing import ClassVar

from fusion.schema.task_names import TaskName
from fusion.tasks.classification import Classification
from fusion.tasks.label_scores import OrdinalScores, TaskScores


class Ordinal(Classification):
    name: ClassVar[TaskName] = "ordinal"
    scores_class: ClassVar[type[TaskScores]] = OrdinalScores
