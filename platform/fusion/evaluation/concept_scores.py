"""The effect of definitions of labels on a model, with them and without, on the same samples; also
on labels with few samples.
"""

import numpy as np

from fusion.core.arrays import Floats, Ints
from fusion.evaluation.rule_scores import pair, verdict
from fusion.features.prototypes import encoder_of
from fusion.schema.discipline_scores import ConceptsScore
from fusion.schema.recipe import Recipe
from fusion.tasks.bootstrap import Resampler, cluster_note
from fusion.tasks.label_scores import LabelScores
from fusion.tasks.metric_sums import mean_of_defined
from fusion.training.oof_predictions import OutOfFold

FEW = 10
"""Samples of a label that has few."""


def concepts_score(recipe: Recipe, oof: OutOfFold, without: Floats | None) -> ConceptsScore | None:
    """found: answers as the run gives them; without: (S, n, K), None where nobody compared."""
    if without is None:
        return None
    scored, p = oof.scored, oof.methods[recipe.method].whole
    resampler = Resampler(scored.cluster, recipe.evaluation.draws)
    scores = [LabelScores(resampler, scored.y, values) for values in (p, without)]
    number = np.bincount(scored.y, minlength=len(scored.labels))
    rare = np.flatnonzero((number > 0) & (number <= FEW))
    score = pair(*(values.score for values in scores))
    of_few = pair(*(ranking(values, rare) for values in scores)) if len(rare) else None
    return ConceptsScore(
        encoder=encoder_of(recipe),
        concepts=recipe.knowledge.concepts,
        score=score,
        few=[scored.labels[k] for k in rare],
        auroc_of_few=of_few,
        verdict=verdict(score, of_few or score),
        note=cluster_note(len(np.unique(scored.cluster))),
    )


def ranking(scores: LabelScores, labels: Ints) -> Floats:
    """(1 + draws,): mean AUROC of each label against the rest, which counts also where a rare label
    is never the likeliest answer.
    """
    return scores.mean([mean_of_defined(scores.areas(p, labels)) for p in scores.seeds])
