"""The card "What does it confuse?": the confusion matrix and its most frequent cells."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from apps.experiments.models import Run
from apps.ui.plots import model as ui
from apps.ui.plots.confusion import frequent_confusions
from fusion.schema.result import EvaluationResult


@dataclass(frozen=True)
class ConfusionSection:
    plot: ui.Confusion
    words: str
    frequent: list[dict[str, Any]]


def section(run: Run, result: EvaluationResult) -> ConfusionSection | None:
    """The card; None for a task without one label a sample."""
    matrix = plot(run, result)
    if matrix is None:
        return None
    return ConfusionSection(matrix, words(result), frequent_confusions(matrix))


def plot(run: Run, result: EvaluationResult) -> ui.Confusion | None:
    """A cell leads to its samples."""
    if result.confusion is None:
        return None
    labels, counts = result.labels, result.confusion.counts
    urls = {
        (row, column): predictions_url(run, truth=labels[row], answer=labels[column])
        for row in range(len(labels))
        for column in range(len(labels))
        if counts[row][column]
    }
    return ui.Confusion(
        labels=labels,
        counts=counts,
        urls=urls,
        marked=frozenset(pair_cells(result)),
        name="confusion",
    )


def predictions_url(run: Run, **query: str) -> str:
    tab = reverse("experiments:tab", args=[run.project.slug, run.number, "predictions"])
    return f"{tab}?{urlencode(query)}"


def pair_cells(result: EvaluationResult) -> list[tuple[int, int]]:
    """The two labels that are taken for each other most often, both ways."""
    counts = result.confusion.counts if result.confusion else []
    pairs = [(counts[i][j] + counts[j][i], i, j) for i in range(len(counts)) for j in range(i)]
    if not pairs or not max(pairs)[0]:
        return []
    _n, i, j = max(pairs)
    return [(i, j), (j, i)]


def words(result: EvaluationResult) -> str:
    cells = pair_cells(result)
    if not cells:
        return _("No label is taken for another.")
    assert result.confusion is not None
    n = sum(result.confusion.counts[row][column] for row, column in cells)
    second, first = cells[0]
    return _("%(one)s and %(other)s are taken for each other %(n)s times.") % {
        "one": result.labels[first],
        "other": result.labels[second],
        "n": n,
    }
