"""The logistic-regression baselines of one round: on all features joined, and as a product of calibrated single ones."""

from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from fusion.crossfit import CrossFit, Prepared, Round
from fusion.evaluate.baselines import Fitted, logits_of, regression, tuned
from fusion.evaluate.metrics import Floats, Ints

Part = tuple[NDArray[np.float32], Ints]

JOINED = "Logistic regression, features joined"
PRODUCT = "Logistic regression, calibrated product"


def baselines(fitting: CrossFit, each: Round) -> dict[str, Floats]:
    """Name -> log-probabilities (n_test, K), from the store where they are there already."""
    unit = f"{each.name}/regression"
    found = fitting.store.get(unit)
    if found is None:
        answers = {JOINED: joined(fitting, each), PRODUCT: product(fitting, each)}
        fitting.store.put(unit, answers, {})
        return answers
    return {name: found[0][name] for name in (JOINED, PRODUCT)}


def joined(fitting: CrossFit, each: Round) -> Floats:
    """Whitened features side by side, zeros where a modality is missing, and an indicator of that."""
    task = fitting.task

    def part(prepared: Prepared, rows: Ints) -> Part:
        seen = task.mask[rows]
        features = [np.where(seen[:, i, None], prepared.x(name)[rows].numpy(), 0) for i, name in enumerate(task.modalities)]
        return np.concatenate([*features, ~seen], axis=1).astype(np.float32), task.y[rows]

    def fit_on(rows: Ints) -> Fitted:
        known = part(fitting.prepared(rows), rows)
        return lambda strength: regression(*known, strength)

    outer = fitting.prepared(each.train)
    inner = [(fit_on(rows), *part(fitting.prepared(rows), held)) for rows, held in each.inner]
    model, temperature = tuned(inner, fit_on(each.train), outer.log_prior)
    assert model is not None
    return log_softmax(logits_of(model, part(outer, each.test)[0], outer.log_prior) / temperature, axis=1)


def product(fitting: CrossFit, each: Round) -> Floats:
    task, outer = fitting.task, fitting.prepared(each.train)
    total = np.tile(outer.log_prior.astype(np.float64), (len(each.test), 1))
    for column, name in enumerate(task.modalities):

        def part(prepared: Prepared, rows: Ints, name: str = name) -> Part:
            samples = prepared.samples(name, rows)
            return samples.x[name].numpy(), samples.y.numpy()

        inner = [(partial(prepared.regression, name), *part(prepared, held)) for prepared, held in inner_of(fitting, each)]
        model, temperature = tuned(inner, partial(outer.regression, name), outer.log_prior)
        seen = task.mask[each.test, column]
        if model is not None:
            logits = logits_of(model, part(outer, each.test)[0], outer.log_prior)
            total[seen] += log_softmax(logits / temperature, axis=1) - outer.log_prior
    return log_softmax(total, axis=1)


def inner_of(fitting: CrossFit, each: Round) -> list[tuple[Prepared, Ints]]:
    return [(fitting.prepared(rows), held) for rows, held in each.inner]
