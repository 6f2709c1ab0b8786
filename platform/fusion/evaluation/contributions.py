"""Exact Shapley values of the modalities, and of the rules (Shapley 1953): the mean, over all
orders, of what each adds when it joins.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from fusion.core.arrays import Floats
from fusion.schema.result import RULES, ClassShares, Contributions, Share
from fusion.tasks.bootstrap import Resampler, interval
from fusion.tasks.predictions import Coalition, MethodPredictions, Scored, orders


def shapley(values: Floats, coalitions: Sequence[Coalition], m: int) -> Floats:
    """values: (coalitions, ...) -> shares (M, ...), which add up to the value of all less that of
    none.
    """
    place = {coalition: i for i, coalition in enumerate(coalitions)}
    weights = np.zeros((m, len(coalitions)))
    counted = orders(m)
    for order in counted:
        for size, player in enumerate(order):
            weights[player, place[tuple(sorted(order[: size + 1]))]] += 1 / len(counted)
            weights[player, place[tuple(sorted(order[:size]))]] -= 1 / len(counted)
    return np.tensordot(weights, values, axes=1)


def contributions(
    answers: MethodPredictions, scored: Scored, resampler: Resampler
) -> Contributions:
    """Return the shares of the headline metric above the prior model, and per label of the mean
    probability of the true one.
    """
    predictions, players = asked_of(answers, scored.modalities)
    draws = np.stack([scored.scores(resampler, p).score for p in predictions.values()])
    shares = shapley(draws, list(predictions), len(players))
    named = [
        Share(modality=name, **interval(values).model_dump())
        for name, values in zip(players, shares)
    ]
    return Contributions(
        prior=draws[0, 0],
        total=draws[-1, 0],
        shares=named,
        per_class=class_shares(predictions, len(players), scored),
    )


def asked_of(
    answers: MethodPredictions, modalities: list[str]
) -> tuple[dict[Coalition, Floats], list[str]]:
    """Answers by the players that take part, nobody first and all last; and who the players are:
    rules join as one more.
    """
    if answers.before_rules is None:
        return answers.by_coalition, modalities
    rules = len(modalities)
    return answers.before_rules | {
        (*coalition, rules): p for coalition, p in answers.by_coalition.items()
    }, [
        *modalities,
        RULES,
    ]


def class_shares(
    predictions: Mapping[Coalition, Floats], players: int, scored: Scored
) -> list[ClassShares]:
    shares_of_labels, members = [], scored.task.members(scored.y)
    for k, label in enumerate(scored.labels):
        chosen = members[:, k]
        true = np.stack([p[:, chosen, k].mean(0) for p in predictions.values()])
        shares = (
            shapley(true.mean(1), list(predictions), players) if chosen.any() else np.zeros(players)
        )
        shares_of_labels.append(
            ClassShares(label=label, n=int(chosen.sum()), shares=shares.tolist())
        )
    return shares_of_labels
