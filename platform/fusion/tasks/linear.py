"""Linear models of a learning task, by scikit-learn: the plain baselines, and the linear part of a single-modality model."""

import warnings
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from . import TaskName
from .base import Array, Floats


class Linear(Protocol):
    """A fitted model. prior: (D,), of the samples it was fitted on."""

    def outputs(self, x: NDArray[np.float32], prior: Array) -> Floats:
        """(n, dim) -> (n, D)"""

    def part(self, prior: Array) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Weight (dim, D) and bias (D,) as the last layer of a network would write them."""


class Logistic:
    """A label that training lacked keeps its prior."""

    def __init__(self, model: LogisticRegression) -> None:
        self.model = model

    def outputs(self, x: NDArray[np.float32], prior: Array) -> Floats:
        found = np.tile(prior.astype(np.float64), (len(x), 1))
        if len(x):
            found[:, self.model.classes_] = self.model.predict_log_proba(x)
        return found

    def part(self, prior: Array) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        model = self.model
        weight, bias = np.zeros((model.coef_.shape[1], len(prior)), np.float32), prior.astype(np.float32).copy()
        if len(model.classes_) == 2:
            weight[:, model.classes_[1]], bias[model.classes_] = model.coef_[0], [0, model.intercept_[0]]
        else:
            weight[:, model.classes_], bias[model.classes_] = model.coef_.T, model.intercept_
        return weight, bias


def logistic(x: NDArray[np.float32], y: Array, strength: float) -> Logistic | None:
    if len(np.unique(y)) < 2:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return Logistic(LogisticRegression(C=strength, max_iter=200).fit(x, y))


FITS: dict[TaskName, Any] = {"classification": logistic}
NAMES: dict[TaskName, str] = {"classification": "Logistic regression"}
"""What a report calls them."""


def linear(task: TaskName, x: NDArray[np.float32], y: Array, strength: float) -> Linear | None:
    """x: (n, dim) of about unit variance; strength: inverse penalty. None where y holds nothing that could be told apart."""
    found: Linear | None = FITS[task](x, y, strength)
    return found
