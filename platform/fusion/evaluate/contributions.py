"""Exact Shapley values of the modalities (Shapley 1953): the mean, over all orders, of what each adds when it joins."""

from collections.abc import Sequence

import numpy as np

from fusion.evaluate.answers import Answers, Coalition, Scored, orders
from fusion.evaluate.bootstrap import Resampler, interval
from fusion.evaluate.metrics import Floats
from fusion.evaluate.scores import Scores
from fusion.result import ClassShares, Contributions, Share


def shapley(values: Floats, coalitions: Sequence[Coalition], m: int) -> Floats:
    """values: (coalitions, ...) -> shares (M, ...), which add up to the value of all less that of none."""
    place = {coalition: i for i, coalition in enumerate(coalitions)}
    weights = np.zeros((m, len(coalitions)))
    counted = orders(m)
    for order in counted:
        for size, player in enumerate(order):
            weights[player, place[tuple(sorted(order[: size + 1]))]] += 1 / len(counted)
            weights[player, place[tuple(sorted(order[:size]))]] -= 1 / len(counted)
    return np.tensordot(weights, values, axes=1)


def contributions(answers: Answers, scored: Scored, resampler: Resampler) -> Contributions:
    """Of macro-F1 above the prior model, and per class of the mean probability of the true class."""
    asked = list(answers.by_coalition)
    draws = np.stack([Scores(resampler, scored.y, answers.by_coalition[each]).macro_f1 for each in asked])
    shares = shapley(draws, asked, len(scored.modalities))
    named = [Share(modality=name, **interval(values).model_dump()) for name, values in zip(scored.modalities, shares)]
    return Contributions(prior=draws[0, 0], total=draws[-1, 0], shares=named, per_class=class_shares(answers, scored))


def class_shares(answers: Answers, scored: Scored) -> list[ClassShares]:
    asked = list(answers.by_coalition)
    rows = np.arange(len(scored))
    true = np.stack([answers.by_coalition[each][:, rows, scored.y].mean(0) for each in asked])
    found = []
    for k, label in enumerate(scored.labels):
        chosen = scored.y == k
        shares = shapley(true[:, chosen].mean(1), asked, len(scored.modalities)) if chosen.any() else np.zeros(len(scored.modalities))
        found.append(ClassShares(label=label, n=int(chosen.sum()), shares=shares.tolist()))
    return found
