"""What runs answered, handed to the engine's comparison. Imported when a comparison is asked for:
it loads numpy.
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
"""Answers of one run; above, the draws would hold up the page and the command does it."""


def comparison_of(runs: list[Run]) -> Comparison:
    """The first is the reference. Raises Cannot."""
    try:
        return compare([answered(run) for run in runs])
    except CannotCompare as refused:
        raise Cannot(note_in_words(refused.note)) from refused


def answered(run: Run) -> Answered:
    path, result = path_of(run), run.evaluation
    if path is None or result is None:
        raise Cannot(
            _("The answers of run %(n)d are gone, so it cannot be compared.") % {"n": run.number}
        )
    if result.n_samples * max(1, len(result.seeds)) > MOST:
        raise Cannot(
            _(
                "Run %(n)d has too many answers for a page. Compare by command: python -m fusion compare DIR DIR"
            )
            % {"n": run.number}
        )
    try:
        return of_rows(
            str(run.number), ask_one((str(path),), "SELECT * FROM t0 ORDER BY seed, key"), result
        )
    except CannotRead as error:
        raise Cannot(
            _("The answers of run %(n)d cannot be read: %(reason)s")
            % {"n": run.number, "reason": error}
        ) from error


def of_rows(name: str, rows: list[dict[str, Any]], result: EvaluationResult) -> Answered:
    """Rows by seed and key; those of an earlier version name no cluster."""
    first = rows[: len(rows) // max(1, len({row["seed"] for row in rows}))]
    said = [
        (row["answer"], row["spread"]) if result.task == "regression" else row["probabilities"]
        for row in rows
    ]
    p = np.array(said, dtype=np.float64).reshape(len(rows) // max(1, len(first)), len(first), -1)
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
