"""The rules of a run: how often they are obeyed (`rule_report`), and what each changes in the
model, with and without it on the same samples.
"""

from collections.abc import Sequence

import numpy as np

from fusion.core.arrays import Bools, Floats
from fusion.evaluation.rule_report import report, share
from fusion.knowledge import Rule, allowed_labels
from fusion.schema.discipline_scores import RuleEffect, RuleScore
from fusion.schema.intervals import Interval, Pair, Worth
from fusion.tasks import metric_sums
from fusion.tasks.bootstrap import Resampler, cluster_note, interval
from fusion.tasks.label_scores import LabelScores
from fusion.tasks.predictions import Scored


def rule_scores(
    rules: Sequence[Rule],
    fires: Bools,
    scored: Scored,
    p: Floats,
    without: Sequence[Floats | None],
    resampler: Resampler,
) -> list[RuleScore]:
    """fires: (n, R); p: (S, n, K) with every rule; without: the same without each rule, None where
    nobody compared.

    Who obeys is counted by the first seed, as the confusion is; effects are means over the seeds.
    """
    if not rules:
        return []
    rows = report(rules, fires.T.tolist(), scored.y, scored.labels, scored.keys, p[0], resampler)
    for rule, row, speaks, other in zip(rules, rows, fires.T, without, strict=True):
        if other is None:
            continue
        fits = np.array(allowed_labels(rule, scored.labels))
        row.answers_obey_without = share(fits[other[0].argmax(1)], speaks, resampler)
        row.effect = effect(scored, speaks, p, other, resampler)
    return rows


def effect(
    scored: Scored, speaks: Bools, p: Floats, other: Floats, resampler: Resampler
) -> RuleEffect:
    """speaks: (n,), where the rule fires; p and other: (S, n, K) with and without the rule."""
    whole = pair(*(scored.scores(resampler, predictions).score for predictions in (p, other)))
    clusters = len(np.unique(scored.cluster[speaks]))
    there = None
    if clusters:
        there = pair(
            *(
                accuracy(LabelScores(resampler, scored.y, predictions, speaks))
                for predictions in (p, other)
            )
        )
    if (
        there and clusters == 1
    ):  # a single cluster is drawn whole or not at all: the interval would have no width
        there = Pair(**{name: Interval(value=figure.value) for name, figure in there})
    return RuleEffect(
        score=whole,
        accuracy=there,
        verdict=verdict(whole, there),
        note=cluster_note(clusters) if clusters else None,
    )


def accuracy(scores: LabelScores) -> Floats:
    """(1 + draws,); NaN in a draw without any of the samples."""
    return scores.mean(
        [
            np.where(sums.sum(-1) > 0, metric_sums.accuracy_of(sums), np.nan)
            for sums in scores.counts
        ]
    )


def pair(with_it: Floats, without: Floats) -> Pair:
    return Pair(
        with_it=interval(with_it), without=interval(without), change=interval(with_it - without)
    )


def verdict(whole: Pair, there: Pair | None) -> Worth:
    changes = [whole.change, *([there.change] if there else [])]
    if any(change.high is not None and change.high < 0 for change in changes):
        return "hurts"
    if there and there.change.low is not None and there.change.low > 0:
        return "helps"
    return "no clear difference"
