"""One label of several in an order, lowest first. Training counts a mistake the more the further away it is (fusion.knowledge_use.taught)."""

import numpy as np
from numpy.typing import NDArray

from fusion.evaluate.bootstrap import Resampler
from fusion.evaluate.scores import OrdinalScores

from .base import Array, Floats
from .classification import Classification


class Ordinal(Classification):
    name = "ordinal"
    headline = OrdinalScores.headline

    def scores(
        self, resampler: Resampler, y: Array, answers: Floats, chosen: NDArray[np.bool_] | None = None, bins: int = 1024
    ) -> OrdinalScores:
        return OrdinalScores(resampler, y, answers, chosen, bins)
