"""A search: how modalities are read (fusion.training.search.probe) and how they are joined, both
chosen inside training samples.

Each fold of the split predicts by the method of the least log loss on its inner validation
predictions, so the headline is that of the whole procedure, choosing included (nested
cross-validation: Cawley & Talbot 2010, On Over-crossfit in Model Selection, JMLR). For the model of
all samples the mean over the folds decides. What is left is an ordinary recipe.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fusion.core.arrays import Floats
from fusion.schema.intervals import Gain
from fusion.schema.recipe import Recipe
from fusion.schema.result import Search, Tried
from fusion.tasks.bootstrap import Resampler, interval, verdict
from fusion.tasks.predictions import MethodPredictions, Scored
from fusion.training.crossfit import CrossFit
from fusion.training.oof_predictions import FoldPredictions, OutOfFold


def mean_losses(folds: Sequence[FoldPredictions]) -> dict[str, float]:
    return {name: float(np.mean([fold.losses[name] for fold in folds])) for name in folds[0].losses}


def concluded(
    recipe: Recipe, crossfit: CrossFit, folds: Sequence[FoldPredictions]
) -> dict[str, Any]:
    """Return the changes that turn the recipe into the ordinary one that the search ends in: the
    best method, the others that were tried beside it.
    """
    losses = mean_losses(folds)
    best, *others = sorted(losses, key=lambda name: losses[name])
    ensemble = recipe.ensemble.model_copy(update={"of": crossfit.members or None})
    return {"method": best, "compare": others, "ensemble": ensemble, "search": None}


def report(oof: OutOfFold, crossfit: CrossFit, best: str, draws: int) -> Search:
    """found: every method by itself."""
    assert crossfit.budget is not None
    losses, resampler = mean_losses(oof.folds), Resampler(oof.scored.cluster, draws)
    scores = {name: score_of(oof.scored, resampler, oof.methods[name]) for name in losses}
    tried = [
        Tried(
            method=name,
            score=interval(scores[name]),
            loss=losses[name],
            seconds=seconds_of(name, crossfit),
            chosen=sum(fold.winner == name for fold in oof.folds),
            kept=name == best,
            difference=None if name == best else difference(scores[name] - scores[best], best),
        )
        for name in sorted(losses, key=lambda name: losses[name])
    ]
    given_up = [
        *crossfit.budget.given_up,
        *(["ensemble"] if crossfit.budget.given_up and not crossfit.members else []),
    ]
    return Search(
        rounds=len(oof.folds),
        tried=tried,
        not_tried=given_up,
        budget_seconds=crossfit.budget.seconds,
    )


def score_of(scored: Scored, resampler: Resampler, predictions: MethodPredictions) -> Floats:
    """(1 + draws,)"""
    return scored.scores(resampler, predictions.whole).score


def difference(draws: Floats, over: str) -> Gain:
    change = interval(draws)
    return Gain(**change.model_dump(), over=over, verdict=verdict(change))


def seconds_of(name: str, crossfit: CrossFit) -> float | None:
    """Late fusion takes what its single models take; an ensemble nothing of its own."""
    assert crossfit.budget is not None
    names = crossfit.data.modalities if name == "late" else [name]
    return (
        None
        if name == "ensemble"
        else round(sum(crossfit.budget.spent[model] for model in names), 3)
    )
