"""The scores when modalities are missing or noisy: each taken away, only one left, a growing
share removed at random, made worse.
"""

from collections.abc import Mapping

import numpy as np

from fusion.schema.result import Degradation, Level, Missing, Noise, NoisyLevel
from fusion.tasks.bootstrap import Resampler, interval
from fusion.tasks.predictions import Coalition, MethodPredictions, Scored

SHARES = [i / 10 for i in range(11)]


def missing(answers: MethodPredictions, scored: Scored, resampler: Resampler) -> list[Missing]:
    """Each modality taken away from every test sample; with three or more also each one alone."""
    m = len(scored.modalities)
    if m == 1:
        return []
    coalitions = [tuple(j for j in range(m) if j != i) for i in range(m)] + (
        [(i,) for i in range(m)] if m > 2 else []
    )
    whole = scored.scores(resampler, answers.whole).score
    return [without(coalition, answers, scored, resampler, whole) for coalition in coalitions]


def without(
    coalition: Coalition,
    answers: MethodPredictions,
    scored: Scored,
    resampler: Resampler,
    whole: np.ndarray,
) -> Missing:
    draws = scored.scores(resampler, answers.by_coalition[coalition]).score
    gone = [name for i, name in enumerate(scored.modalities) if i not in coalition]
    return Missing(without=gone, score=interval(draws), change=interval(draws - whole))


def degradation(
    answers: MethodPredictions, scored: Scored, resampler: Resampler, seed: int = 0
) -> list[Degradation]:
    """Each modality removed from a share of the samples that have it; a sample once without it
    stays without it at higher shares.

    Who loses it is drawn by the order of the sample keys, so the order of the rows changes nothing.
    """
    curves = []
    by_key = np.argsort(np.argsort(scored.keys))
    for i, name in enumerate(scored.modalities):
        turn = np.random.default_rng([seed, i]).random(len(scored))[by_key]
        rest = tuple(j for j in range(len(scored.modalities)) if j != i)
        levels = []
        for share in SHARES:
            mixed = np.where((turn < share)[:, None], answers.by_coalition[rest], answers.whole)
            levels.append(
                Level(share=share, **interval(scored.scores(resampler, mixed).score).model_dump())
            )
        curves.append(Degradation(modality=name, levels=levels))
    return curves


def noise(
    noisy: Mapping[tuple[str, str], MethodPredictions],
    kinds: Mapping[str, str],
    answers: MethodPredictions,
    scored: Scored,
    resampler: Resampler,
) -> list[Noise]:
    """noisy: by modality and level, in the order in which they are told; kinds: of the
    modalities.
    """
    whole = scored.scores(resampler, answers.whole).score
    by_modality: dict[str, Noise] = {}
    for (name, level), under in noisy.items():
        draws = scored.scores(resampler, under.whole).score
        row = NoisyLevel(
            level=level, change=interval(draws - whole), **interval(draws).model_dump()
        )
        by_modality.setdefault(
            name, Noise(modality=name, kind=kinds[name], levels=[])
        ).levels.append(row)
    return list(by_modality.values())
