"""Linear models of a learning task, by scikit-learn: the plain baselines, and the linear part of a
single-modality model.
"""

import warnings
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

from fusion.core.arrays import Array, Floats
from fusion.schema.task_names import TaskName
from fusion.tasks.losses import SPREADS


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
        outputs = np.tile(prior.astype(np.float64), (len(x), 1))
        if len(x):
            outputs[:, self.model.classes_] = self.model.predict_log_proba(x)
        return outputs

    def part(self, prior: Array) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        model = self.model
        weight, bias = (
            np.zeros((model.coef_.shape[1], len(prior)), np.float32),
            prior.astype(np.float32).copy(),
        )
        if len(model.classes_) == 2:
            weight[:, model.classes_[1]], bias[model.classes_] = (
                model.coef_[0],
                [0, model.intercept_[0]],
            )
        else:
            weight[:, model.classes_], bias[model.classes_] = model.coef_.T, model.intercept_
        return weight, bias


def logistic(x: NDArray[np.float32], y: Array, strength: float) -> Logistic | None:
    if len(np.unique(y)) < 2:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return Logistic(LogisticRegression(C=strength, max_iter=200).fit(x, y))


class RidgeRegression:
    """A ridge regression with one spread for all samples. weight: (dim,)"""

    def __init__(self, weight: Floats, bias: float, log_variance: float) -> None:
        self.weight, self.bias, self.log_variance = weight, bias, log_variance

    def outputs(self, x: NDArray[np.float32], prior: Array) -> Floats:
        mean = x @ self.weight + self.bias
        return np.stack([mean, np.full(len(x), self.log_variance)], 1)

    def part(self, prior: Array) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """About the prior and in its units, see losses.located."""
        spread = np.exp(prior[1] / 2)
        weight = np.stack([self.weight / spread, np.zeros(len(self.weight))], 1)
        bias = np.array(
            [(self.bias - prior[0]) / spread, np.clip(self.log_variance - prior[1], *SPREADS)]
        )
        return weight.astype(np.float32), bias.astype(np.float32)


def ridge(x: NDArray[np.float32], y: Array, strength: float) -> RidgeRegression | None:
    """The spread is that of the residuals over the degrees of freedom that the fit leaves."""
    if len(y) < 2 or np.ptp(y) == 0:
        return None
    model = Ridge(alpha=1 / strength).fit(x.astype(np.float64), y)
    squares = np.linalg.svd(x - x.mean(0), compute_uv=False).astype(np.float64) ** 2
    left = max(len(y) - 1 - float((squares / (squares + 1 / strength)).sum()), 1.0)
    variance = float(((y - model.predict(x)) ** 2).sum()) / left
    return RidgeRegression(
        model.coef_, float(model.intercept_), float(np.log(max(variance, 1e-12 * float(y.var()))))
    )


class LogisticPerLabel:
    """A logistic regression a label; None for a label that all samples bear, or none, which keeps
    its prior.
    """

    def __init__(self, models: list[LogisticRegression | None]) -> None:
        self.models = models

    def part(self, prior: Array) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        dim = next(model.coef_.shape[1] for model in self.models if model is not None)
        weight, bias = np.zeros((dim, len(prior)), np.float32), prior.astype(np.float32).copy()
        for k, model in enumerate(self.models):
            if model is not None:
                weight[:, k], bias[k] = model.coef_[0], model.intercept_[0]
        return weight, bias

    def outputs(self, x: NDArray[np.float32], prior: Array) -> Floats:
        weight, bias = self.part(prior)
        return (x @ weight + bias).astype(np.float64)


def one_a_label(x: NDArray[np.float32], y: Array, strength: float) -> LogisticPerLabel | None:
    fitted = [logistic(x, column, strength) for column in y.T]
    return (
        LogisticPerLabel([column.model if column else None for column in fitted])
        if any(fitted)
        else None
    )


FITS: dict[TaskName, Any] = {
    "classification": logistic,
    "ordinal": logistic,
    "regression": ridge,
    "multi-label": one_a_label,
}
NAMES: dict[TaskName, str] = dict.fromkeys(FITS, "Logistic regression") | {
    "regression": "Ridge regression"
}
"""What a report calls them."""


def constant(
    task: TaskName, dim: int, prior: Array
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weight and bias of a last layer that always speaks the prior."""
    bias = np.zeros(len(prior)) if task == "regression" else prior
    return np.zeros((dim, len(prior)), np.float32), bias.astype(np.float32)


def linear(task: TaskName, x: NDArray[np.float32], y: Array, strength: float) -> Linear | None:
    """x: (n, dim) of about unit variance; strength: inverse penalty. None where y holds nothing
    that could be told apart.
    """
    model: Linear | None = FITS[task](x, y, strength)
    return model
