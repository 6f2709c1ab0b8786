"""Predictions of runs, handed to the engine's comparison. Imported when a comparison is wanted: it
loads numpy.
"""

from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from apps.datasets.browsing.duck import CannotRead, ask_one
from apps.experiments.artifacts.predictions import Cannot, path_of
from apps.experiments.models import Run
from apps.experiments.words import note_in_words
from fusion.evaluation.compare import Answered, CannotCompare, compare
from fusion.schema.comparison import Comparison
from fusion.schema.result import EvaluationResult

MOST = 20_000
"""Predictions of one run; with more the draws would hold up the page, and the command does it."""


def comparison_of(runs: list[Run]) -> Comparison:
    """The first is the reference. Raises Cannot."""
    try:
        return compare([predictions_of(run) for run in runs])
    except CannotCompare as refused:
        raise Cannot(note_in_words(refused.note)) from refused


def predictions_of(run: Run) -> Answered:
    path, result = path_of(run), run.evaluation
    if path is None or result is None:
        words = _("The answers of run %(n)d are gone, so it cannot be compared.")
        raise Cannot(words % {"n": run.number})
    if result.n_samples * max(1, len(result.seeds)) > MOST:
        words = _(
            "Run %(n)d has too many answers for a page. Compare by command: python -m fusion "
            "compare DIR DIR"
        )
        raise Cannot(words % {"n": run.number})
    try:
        rows = ask_one((str(path),), "SELECT * FROM t0 ORDER BY seed, key")
    except CannotRead as error:
        words = _("The answers of run %(n)d cannot be read: %(reason)s")
        raise Cannot(words % {"n": run.number, "reason": error}) from error
    return of_rows(str(run.number), rows, result)


def of_rows(name: str, rows: list[dict[str, Any]], result: EvaluationResult) -> Answered:
    """Predictions from rows by seed and key; rows of an earlier version name no cluster."""
    first = rows[: len(rows) // max(1, len({row["seed"] for row in rows}))]
    if result.task == "regression":
        values = [(row["answer"], row["spread"]) for row in rows]
    else:
        values = [row["probabilities"] for row in rows]
    n_seeds = len(rows) // max(1, len(first))
    p = np.array(values, dtype=np.float64).reshape(n_seeds, len(first), -1)
    cluster = [row["cluster"] for row in first] if first and "cluster" in first[0] else None
    return Answered(
        name,
        [row["key"] for row in first],
        [row["truth"] for row in first],
        result.labels,
        p,
        cluster,
        task=result.task,
    )
