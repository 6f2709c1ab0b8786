"""A linear model on the same features and folds: what a much simpler one reaches."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from fusion.core.arrays import Array
from fusion.tasks.base import LearningTask
from fusion.tasks.calibration import temperature_of
from fusion.tasks.linear import Linear

Fitted = Callable[[float], Linear | None]

STRENGTHS = (0.003, 0.01, 0.03)
"""Inverse penalties that the inner rounds choose from, for features of about unit variance."""


def tuned(
    task: LearningTask,
    inner: Sequence[tuple[Fitted, NDArray[np.float32], Array]],
    outer: Fitted,
    prior: Array,
) -> tuple[Linear | None, float]:
    """A linear model whose strength the inner rounds chose, and its temperature; None where
    training has nothing to tell apart.

    inner: [(fit by strength, x validation, y validation)]; outer: the fit on all training rows, by
    strength; prior: (D,).
    """
    best: tuple[float, float, float] | None = None
    for strength in STRENGTHS:
        merits = [
            (model, x, y) for fit, x, y in inner if len(y) and (model := fit(strength)) is not None
        ]
        if merits:
            outputs = np.concatenate([model.outputs(x, prior) for model, x, _ in merits])
            truth = np.concatenate([y for _, _, y in merits])
            merit = task.merit(outputs, truth)
            if best is None or merit > best[0]:
                best = (merit, strength, temperature_of(outputs, truth, task.log_loss))
    _, strength, temperature = best or (0.0, STRENGTHS[1], 1.0)
    return outer(strength), temperature
