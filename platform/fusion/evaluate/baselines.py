"""Logistic regression on the same features and folds: what a much simpler model reaches."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from fusion.evaluate.calibration import temperature_of
from fusion.evaluate.metrics import Floats, Ints

STRENGTHS = (0.003, 0.01, 0.03)
"""Inverse penalties that the inner rounds choose from, for features of about unit variance."""


def regression(x: NDArray[np.float32], y: Ints, strength: float) -> LogisticRegression:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(C=strength, max_iter=200).fit(x, y)


def logits_of(model: LogisticRegression, x: NDArray[np.float32], log_prior: NDArray[Any]) -> Floats:
    """(n, K) over all classes; a class that training lacked keeps its prior."""
    found = np.tile(log_prior.astype(np.float64), (len(x), 1))
    if len(x):
        found[:, model.classes_] = model.predict_log_proba(x)
    return found


def tuned(
    fits: Sequence[tuple[NDArray[np.float32], Ints, NDArray[np.float32], Ints]],
    train: tuple[NDArray[np.float32], Ints],
    log_prior: NDArray[Any],
) -> tuple[LogisticRegression | None, float]:
    """A regression whose strength the inner rounds chose, and its temperature. fits: [(x, y, x validation, y validation)]."""
    best: tuple[float, float, float] | None = None
    usable = [each for each in fits if len(np.unique(each[1])) > 1 and len(each[3])]
    for strength in STRENGTHS if usable else ():
        logits = np.concatenate([logits_of(regression(x, y, strength), held, log_prior) for x, y, held, _ in usable])
        truth = np.concatenate([each[3] for each in usable])
        score = float((logits.argmax(1) == truth).mean())
        if best is None or score > best[0]:
            best = (score, strength, temperature_of(logits, truth))
    if len(np.unique(train[1])) < 2:
        return None, 1.0
    _, strength, temperature = best or (0.0, STRENGTHS[1], 1.0)
    return regression(*train, strength), temperature


def linear_part(x: NDArray[np.float32], y: Ints, log_prior: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weight (dim, K) and bias (K,) of the middle strength; a class that training lacked keeps its prior."""
    model = regression(x, y, STRENGTHS[1])
    weight, bias = np.zeros((x.shape[1], len(log_prior)), np.float32), log_prior.astype(np.float32).copy()
    if len(model.classes_) == 2:
        weight[:, model.classes_[1]], bias[model.classes_] = model.coef_[0], [0, model.intercept_[0]]
    else:
        weight[:, model.classes_], bias[model.classes_] = model.coef_.T, model.intercept_
    return weight, bias
