"""The card "Which labels are hard?": precision, recall and F1 of each."""

from django.utils.translation import gettext as _

from apps.experiments.report.interval_scales import scale, span
from apps.ui import figures
from apps.ui.plots import model as ui
from fusion.schema.result import EvaluationResult


def plot(result: EvaluationResult) -> ui.Forest | None:
    """The forest; None for a task without one label a sample."""
    if not result.per_class:
        return None
    low, high = scale([label.f1 for label in result.per_class])
    note = _("precision %(precision)s, recall %(recall)s")
    rows = [
        ui.ForestRow(
            label=label.label,
            n=label.n,
            note=note
            % {"precision": figures.score(label.precision), "recall": figures.score(label.recall)},
            **span(label.f1),
        )
        for label in result.per_class
    ]
    return ui.Forest(
        rows=rows,
        low=low,
        high=high,
        metric=_("F1"),
        show_state=False,
        first_column=_("Label"),
        name="per-label",
    )
