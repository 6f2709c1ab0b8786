"""A map of the test samples: near each other in the fused representation, near each other on the
page.

t-SNE (van der Maaten and Hinton 2008, JMLR; scikit-learn's) from the first two principal
components, so that nothing is drawn at random. Measured on spoken-digits, late fusion, 1,200
samples: of a sample's ten neighbours 86 in 100 bear its label in the space itself, 84 on this map,
49 on the two principal components alone. Where axes mean the same in every round there is one map,
else one for each round.
"""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from fusion.features.representation import Space, Vectors, drawn, unit
from fusion.tasks.predictions import Scored

MOST = 3_000
"""Samples on a map, drawn by their keys: what bounds the time, and the weight of the page."""
SETTINGS = {"max_iter": 250, "early_exaggeration": 1, "angle": 0.8, "random_state": 0, "n_jobs": 1}
"""The fewest steps that scikit-learn takes, all of them without exaggeration, which a start from
principal components makes needless: 500 with it and finer sums cost 2.4 times as much and keep no
more neighbours.
"""
PERPLEXITY = 30.0
SAME = 1e-6
"""Samples no further apart than this all lie in one place."""
FEW = 8
"""Fewer samples than this lie on their principal components."""


def places(space: Space, scored: Scored) -> Vectors:
    """(n, 2) in -1 to 1, NaN where a sample was not drawn."""
    points = np.full((len(scored), 2), np.nan, np.float32)
    chosen = drawn(scored.keys, MOST)
    rounds = (
        [chosen]
        if space.common
        else [chosen[scored.fold[chosen] == name] for name in np.unique(scored.fold[chosen])]
    )
    for rows in rounds:
        points[rows] = flat(space.whole[rows])
    return points


def flat(vectors: Vectors) -> Vectors:
    """(n, D) -> (n, 2)"""
    points = unit(vectors).astype(np.float64)
    points = np.pad(points - points.mean(0), ((0, 0), (0, max(0, 2 - points.shape[1]))))
    if np.ptp(points, axis=0).max() < SAME:
        return np.zeros((len(points), 2), np.float32)
    plane = PCA(2, svd_solver="full").fit_transform(points)
    if len(plane) >= FEW:
        perplexity = min(PERPLEXITY, (len(plane) - 1) / 3)
        start = 1e-4 * plane / plane[:, 0].std()
        nearness = TSNE(2, perplexity=perplexity, init=start, **SETTINGS)
        with threadpool_limits(
            1
        ):  # sums over several threads come in any order, and the smallest difference grows
            plane = nearness.fit_transform(points)
    plane -= (plane.max(0) + plane.min(0)) / 2
    return (plane / np.abs(plane).max()).astype(np.float32)
