"""The linear baselines of one round: on all features joined, and as a product of calibrated single
ones.
"""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from fusion.core.arrays import Array, Floats, Ints
from fusion.tasks.linear import NAMES, linear
from fusion.tasks.linear_strength import Fitted, tuned
from fusion.training.crossfit import CrossFit
from fusion.training.folds import Prepared, Round

Part = tuple[NDArray[np.float32], Array]


def baselines(fitting: CrossFit, each: Round) -> dict[str, Floats]:
    """Name -> beliefs (n_test, D), from the store where they are there already."""
    unit, name = f"{each.name}/regression", NAMES[fitting.task.asked.name]
    ways = {f"{name}, features joined": joined, f"{name}, calibrated product": product}
    found = fitting.store.get(unit)
    if found is None:
        answers = {title: way(fitting, each) for title, way in ways.items()}
        fitting.store.put(unit, answers, {})
        return answers
    return {title: found[0][title] for title in ways}


def joined(fitting: CrossFit, each: Round) -> Floats:
    """Whitened features side by side, zeros where a modality is missing, and an indicator of that."""
    task = fitting.task

    def part(prepared: Prepared, rows: Ints) -> Part:
        seen = task.mask[rows]
        features = [
            np.where(seen[:, i, None], prepared.x(name)[rows].numpy(), 0)
            for i, name in enumerate(task.modalities)
        ]
        return np.concatenate([*features, ~seen], axis=1).astype(np.float32), task.y[rows]

    def fit_on(rows: Ints) -> Fitted:
        known = part(fitting.prepared(rows), rows)
        return lambda strength: linear(task.asked.name, *known, strength)

    outer = fitting.prepared(each.train)
    inner = [(fit_on(rows), *part(fitting.prepared(rows), held)) for rows, held in each.inner]
    model, temperature = tuned(task.asked, inner, fit_on(each.train), outer.log_prior)
    assert model is not None
    return task.asked.beliefs(
        model.outputs(part(outer, each.test)[0], outer.log_prior), temperature
    )


def product(fitting: CrossFit, each: Round) -> Floats:
    task, outer = fitting.task, fitting.prepared(each.train)
    prior, mask = task.asked.beliefs(outer.log_prior), task.mask[each.test].copy()
    beliefs = np.tile(prior, (len(each.test), len(task.modalities), 1))
    for column, name in enumerate(task.modalities):

        def part(prepared: Prepared, rows: Ints, name: str = name) -> Part:
            samples = prepared.samples(name, rows)
            return samples.x[name].numpy(), samples.y.numpy()

        inner = [
            (partial(prepared.linear, name), *part(prepared, held))
            for prepared, held in inner_of(fitting, each)
        ]
        model, temperature = tuned(task.asked, inner, partial(outer.linear, name), outer.log_prior)
        if model is not None:
            outputs = model.outputs(part(outer, each.test)[0], outer.log_prior)
            beliefs[mask[:, column], column] = task.asked.beliefs(outputs, temperature)
    return task.asked.product(beliefs, mask, prior)


def inner_of(fitting: CrossFit, each: Round) -> list[tuple[Prepared, Ints]]:
    return [(fitting.prepared(rows), held) for rows, held in each.inner]
