"""Finding across modalities: given one input of a sample, is its own other input among the nearest
(recall@10), and do the nearest others bear its label?

Asked within a round of the split, since each round's models make a space of their own, of models
that saw neither. The nearer of two cells is the one of larger cosine; cells that are equally near
(the same clue twice) come in any order, so what is counted is the probability that the sample's own
is among the first ten.
"""

from itertools import permutations

import numpy as np

from fusion.core.arrays import Floats, Ints
from fusion.features.representation import Space, Vectors, drawn, unit
from fusion.schema.result import Retrieval
from fusion.tasks.bootstrap import Resampler, interval
from fusion.tasks.predictions import Scored

FIRST = 10
ASKED = 2_000
"""Samples whose cells are looked for, drawn by key: what bounds the time. They are looked for among
all others.
"""
AT_ONCE = 4_000_000
"""Cosines held at the same time: what bounds the memory."""
TIE = 1e-6
"""Cosines that differ by less are equal: as much as the order of additions changes them."""


def retrieval(space: Space, scored: Scored, resampler: Resampler) -> list[Retrieval]:
    """Return the retrieval of every ordered pair of modalities that some sample has together."""
    alone = [unit(space.alone[name]) for name in scored.modalities]
    pairs = [
        pair(query, target, alone, scored, resampler)
        for query, target in permutations(range(len(alone)), 2)
    ]
    return [score for score in pairs if score is not None]


def pair(
    query: int, target: int, alone: list[Vectors], scored: Scored, resampler: Resampler
) -> Retrieval | None:
    both = np.flatnonzero(scored.mask[:, query] & scored.mask[:, target])
    queries = both[drawn([scored.keys[row] for row in both], ASKED)]
    if not len(queries):
        return None
    columns = np.ones((len(queries), 6))
    for name in np.unique(scored.fold[queries]):
        mine = scored.fold[queries] == name
        among = np.flatnonzero(scored.mask[:, target] & (scored.fold == name))
        own = np.searchsorted(among, queries[mine])
        columns[mine, :5] = of_round(
            alone[query][queries[mine]], alone[target][among], own, labels_of(scored, among)
        )
    sums = resampler.sums(columns, queries)
    with np.errstate(invalid="ignore"):
        recall, chance, same, by_chance, candidates = (sums[:, :5] / sums[:, 5:]).T
    known = labels_of(scored, queries) is not None
    return Retrieval(
        query=scored.modalities[query],
        target=scored.modalities[target],
        n=len(queries),
        candidates=float(candidates[0]),
        recall=interval(recall),
        chance=float(chance[0]),
        same_label=interval(same) if known else None,
        same_label_by_chance=float(by_chance[0]) if known else None,
    )


def labels_of(scored: Scored, rows: Ints) -> Ints | None:
    """(n,) where each sample bears one label, else None."""
    return scored.y[rows] if scored.y.ndim == 1 and scored.y.dtype.kind == "i" else None


def of_round(queries: Vectors, targets: Vectors, own: Ints, labels: Ints | None) -> Floats:
    """queries: (q, D), targets: (n, D) of length 1, own: (q,) each query's row among the targets,
    labels: (n,) of the targets -> (q, 5): probability that its own is among the first ten, the same
    by chance; share of the first ten others that bear its label, the same by chance; how many there
    are.
    """
    n, columns = len(targets), np.zeros((len(queries), 5))
    columns[:, 1], columns[:, 4] = min(1, FIRST / n), n
    step = max(1, AT_ONCE // n)
    for start in range(0, len(queries), step):
        part = slice(start, start + step)
        near = queries[part] @ targets.T
        columns[part, 0] = hit(near, own[part])
        if labels is not None and n > 1:
            columns[part, 2:4] = alike(near, own[part], labels)
    return columns


def hit(near: Vectors, own: Ints) -> Floats:
    """near: (q, n) cosines, own: (q,) -> (q,)"""
    mine = np.take_along_axis(near, own[:, None], 1)
    before, level = (near > mine + TIE).sum(1), (np.abs(near - mine) <= TIE).sum(1)
    return np.clip((FIRST - before) / level, 0, 1)


def alike(near: Vectors, own: Ints, labels: Ints) -> Floats:
    """near: (q, n) cosines, which are changed, own: (q,), labels: (n,) -> (q, 2): shares of the
    nearest others, and of all others
    """
    same = labels[own, None] == labels
    np.put_along_axis(near, own[:, None], -2, 1)
    first = min(FIRST, near.shape[1] - 1)
    last = np.partition(near, -first, 1)[:, -first, None]
    above, level = near > last + TIE, np.abs(near - last) <= TIE
    left = (first - above.sum(1)) / level.sum(1)
    nearest = ((above & same).sum(1) + left * (level & same).sum(1)) / first
    return np.stack([nearest, (same.sum(1) - 1) / (near.shape[1] - 1)], 1)
