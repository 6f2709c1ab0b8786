"""Logistic regression on the same features and folds: what a much simpler model reaches."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from fusion.evaluate.calibration import temperature_of
from fusion.evaluate.metrics import Floats, Ints

Fitted = Callable[[float], LogisticRegression | None]

STRENGTHS = (0.003, 0.01, 0.03)
"""Inverse penalties that the inner rounds choose from, for features of about unit variance."""


def regression(x: NDArray[np.float32], y: Ints, strength: float) -> LogisticRegression | None:
    """None where there are no two classes to tell apart."""
    if len(np.unique(y)) < 2:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(C=strength, max_iter=200).fit(x, y)


def logits_of(model: LogisticRegression, x: NDArray[np.float32], log_prior: NDArray[Any]) -> Floats:
    """(n, K) over all classes; a class that training lacked keeps its prior."""
    found = np.tile(log_prior.astype(np.float64), (len(x), 1))
    if len(x):
        found[:, model.classes_] = model.predict_log_proba(x)
    return found


def tuned(inner: Sequence[tuple[Fitted, NDArray[np.float32], Ints]], outer: Fitted, log_prior: NDArray[Any]) -> tuple[Any, float]:
    """A regression whose strength the inner rounds chose, and its temperature; None where training has but one class.

    inner: [(fit by strength, x validation, y validation)]; outer: the fit on all training rows, by strength.
    """
    best: tuple[float, float, float] | None = None
    for strength in STRENGTHS:
        judged = [(model, x, y) for fit, x, y in inner if len(y) and (model := fit(strength)) is not None]
        if judged:
            logits = np.concatenate([logits_of(model, x, log_prior) for model, x, _ in judged])
            truth = np.concatenate([y for _, _, y in judged])
            score = float((logits.argmax(1) == truth).mean())
            if best is None or score > best[0]:
                best = (score, strength, temperature_of(logits, truth))
    _, strength, temperature = best or (0.0, STRENGTHS[1], 1.0)
    return outer(strength), temperature


def linear_part(model: LogisticRegression, log_prior: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weight (dim, K) and bias (K,); a class that training lacked keeps its prior."""
    weight, bias = np.zeros((model.coef_.shape[1], len(log_prior)), np.float32), log_prior.astype(np.float32).copy()
    if len(model.classes_) == 2:
        weight[:, model.classes_[1]], bias[model.classes_] = model.coef_[0], [0, model.intercept_[0]]
    else:
        weight[:, model.classes_], bias[model.classes_] = model.coef_.T, model.intercept_
    return weight, bias
