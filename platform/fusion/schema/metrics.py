"""The metrics: what each is called, which way is better, its bounds and its learning tasks. Light:
no numpy; they are computed in fusion.tasks.
"""

from typing import NamedTuple, get_args

from fusion.schema.task_names import ONE_LABEL, TaskName

TASKS: tuple[TaskName, ...] = get_args(TaskName)
OF_LABELS: tuple[TaskName, ...] = (*ONE_LABEL, "multi-label")


class Metric(NamedTuple):
    """needs_probabilities: what is answered does not suffice to compute it."""

    title: str
    tasks: tuple[TaskName, ...]
    lower_is_better: bool = False
    least: float | None = 0.0
    most: float | None = 1.0
    needs_probabilities: bool = False

    def out_of_bounds(self, bound: float, difference: bool) -> str:
        """Return why no value can be at this bound; empty where one can. A difference of two lies
        between minus the range and the range.
        """
        low, high = (self.least, self.most) if not difference else (None, None)
        if difference and self.least is not None and self.most is not None:
            low, high = self.least - self.most, self.most - self.least
        if (low is None or bound >= low) and (high is None or bound <= high):
            return ""
        if low is None or high is None:
            return f"{self.title} is {f'at least {low:g}' if high is None else f'at most {high:g}'}"
        return f"{self.title} lies between {low:g} and {high:g}"


METRICS = {
    "macro_f1": Metric("macro-F1", OF_LABELS),
    "accuracy": Metric("accuracy", ONE_LABEL),
    "balanced_accuracy": Metric("balanced accuracy", ONE_LABEL),
    "micro_f1": Metric("micro-F1", ("multi-label",)),
    "exact_match": Metric("exact match", ("multi-label",)),
    "r2": Metric("R²", ("regression",), least=None),
    "rmse": Metric("root mean squared error", ("regression",), lower_is_better=True, most=None),
    "mae": Metric("mean absolute error", ("regression",), lower_is_better=True, most=None),
    "spearman": Metric("Spearman correlation", ("regression",), least=-1.0),
    "mae_steps": Metric("steps off, on average", ("ordinal",), lower_is_better=True, most=None),
    "kappa": Metric("weighted kappa", ("ordinal",), least=-1.0),
    "auroc": Metric("AUROC", OF_LABELS, needs_probabilities=True),
    "log_loss": Metric(
        "log loss", TASKS, lower_is_better=True, most=None, needs_probabilities=True
    ),
    "brier": Metric(
        "Brier score", OF_LABELS, lower_is_better=True, most=2.0, needs_probabilities=True
    ),
    "coverage_90": Metric(
        "coverage of the 90 % interval", ("regression",), needs_probabilities=True
    ),
    "ece": Metric("calibration error (ECE)", TASKS, lower_is_better=True, needs_probabilities=True),
}
"""In the order of reports; a task's first one is its headline, more of which is better."""

COMPARED: dict[TaskName, tuple[str, ...]] = {
    "classification": ("macro_f1", "accuracy", "log_loss", "ece"),
    "ordinal": ("macro_f1", "mae_steps", "log_loss", "ece"),
    "regression": ("r2", "mae", "log_loss", "ece"),
    "multi-label": ("macro_f1", "exact_match", "log_loss", "ece"),
}
"""The metrics in which runs are compared."""


def metrics_of(task: TaskName, probabilities: bool = True) -> tuple[str, ...]:
    """Return the names of a task's metrics; without probabilities, those of answers alone."""
    return tuple(
        name
        for name, metric in METRICS.items()
        if task in metric.tasks and (probabilities or not metric.needs_probabilities)
    )


def headline_of(task: TaskName) -> str:
    return metrics_of(task)[0]
