"""The loss of each method against a single-modality model when that modality is all there is."""

from collections.abc import Mapping

import numpy as np

from fusion.core.arrays import Floats
from fusion.schema.intervals import Gain
from fusion.schema.result import Shortfall
from fusion.tasks.bootstrap import Resampler, interval, verdict
from fusion.tasks.predictions import MethodPredictions, Scored


def shortfalls(
    methods: Mapping[str, MethodPredictions],
    singles: Mapping[str, Floats],
    scored: Scored,
    resampler: Resampler,
) -> list[Shortfall]:
    """methods: their answers by coalition; singles: modality -> (S, n, K), calibrated. Paired: both
    in the same draws.
    """
    rows = []
    for column, name in enumerate(scored.modalities):
        own = singles[name]
        alone = scored.scores(resampler, own).score
        for method, answers in methods.items():
            only = answers.by_coalition[(column,)]
            same = np.array_equal(only, own)
            draws = alone if same else scored.scores(resampler, only).score
            difference = interval(draws - alone)
            gain = Gain(**difference.model_dump(), over=name, verdict=verdict(difference))
            rows.append(
                Shortfall(
                    method=method,
                    modality=name,
                    score=interval(draws),
                    alone=interval(alone),
                    difference=gain,
                )
            )
    return rows
