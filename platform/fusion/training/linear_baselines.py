"""The linear baselines of one fold: on all features joined, and as a product of calibrated single
ones.
"""

from functools import partial

import numpy as np

from fusion.core.arrays import Array, Floats, Floats32, Ints
from fusion.tasks.linear import NAMES, linear
from fusion.tasks.linear_strength import Fitted, tuned
from fusion.training.crossfit import CrossFit
from fusion.training.fold_data import FoldData
from fusion.training.folds import NestedFold

Part = tuple[Floats32, Array]
"""Inputs (n, d) and labels (n, ...) of some rows."""


def baselines(crossfit: CrossFit, fold: NestedFold) -> dict[str, Floats]:
    """Return {name: beliefs (n_test, D)}, from the store where they are there already."""
    unit, name = f"{fold.name}/regression", NAMES[crossfit.data.learning_task.name]
    ways = {f"{name}, features joined": joined, f"{name}, calibrated product": product}
    stored = crossfit.store.get(unit)
    if stored is None:
        beliefs = {title: way(crossfit, fold) for title, way in ways.items()}
        crossfit.store.put(unit, beliefs, {})
        return beliefs
    return {title: stored[0][title] for title in ways}


def joined(crossfit: CrossFit, fold: NestedFold) -> Floats:
    """Return beliefs from whitened features side by side, zeros where a modality is missing, and an
    indicator of that.
    """
    data, task, of = crossfit.data, crossfit.data.learning_task, crossfit.fold_data.of

    def part(fold_data: FoldData, rows: Ints) -> Part:
        present = data.mask[rows]
        features = [
            np.where(present[:, column, None], fold_data.x(name)[rows].numpy(), 0)
            for column, name in enumerate(data.modalities)
        ]
        return np.concatenate([*features, ~present], axis=1).astype(np.float32), data.y[rows]

    def fit_on(rows: Ints) -> Fitted:
        samples = part(of(rows), rows)
        return lambda strength: linear(task.name, *samples, strength)

    outer = of(fold.train)
    inner = [(fit_on(rows), *part(of(rows), validation)) for rows, validation in fold.inner]
    model, temperature = tuned(task, inner, fit_on(fold.train), outer.log_prior)
    assert model is not None
    outputs = model.outputs(part(outer, fold.test)[0], outer.log_prior)
    return task.beliefs(outputs, temperature)


def product(crossfit: CrossFit, fold: NestedFold) -> Floats:
    """Return the product of the beliefs of each modality's own linear model."""
    data, task, of = crossfit.data, crossfit.data.learning_task, crossfit.fold_data.of
    outer, mask = of(fold.train), data.mask[fold.test].copy()
    prior = task.beliefs(outer.log_prior)
    beliefs = np.tile(prior, (len(fold.test), len(data.modalities), 1))
    for column, name in enumerate(data.modalities):

        def part(fold_data: FoldData, rows: Ints, name: str = name) -> Part:
            samples = fold_data.samples(name, rows)
            return samples.x[name].numpy(), samples.y.numpy()

        inner = [
            (partial(of(rows).linear, name), *part(of(rows), validation))
            for rows, validation in fold.inner
        ]
        model, temperature = tuned(task, inner, partial(outer.linear, name), outer.log_prior)
        if model is not None:
            outputs = model.outputs(part(outer, fold.test)[0], outer.log_prior)
            beliefs[mask[:, column], column] = task.beliefs(outputs, temperature)
    return task.product(beliefs, mask, prior)
