"""Finding across modalities: given one input of a sample, is its own other input among the nearest (recall@10)?

Asked within a round of the split, since each round's models make a space of their own, of models that saw neither. The nearer of two
cells is the one of larger cosine; cells that are equally near (the same clue twice) come in any order, so what is counted is the
probability that the sample's own is among the first ten.
"""

from itertools import permutations

import numpy as np

from fusion.evaluate.answers import Scored
from fusion.evaluate.bootstrap import Resampler, interval
from fusion.evaluate.metrics import Floats, Ints
from fusion.representation import Space, Vectors, drawn, unit
from fusion.result import Retrieval

FIRST = 10
ASKED = 2_000
"""Samples whose cells are looked for, drawn by key: what bounds the time. They are looked for among all others."""
AT_ONCE = 4_000_000
"""Cosines held at the same time: what bounds the memory."""
TIE = 1e-6
"""Cosines that differ by less are equal: as much as the order of additions changes them."""


def retrieval(space: Space, scored: Scored, resampler: Resampler) -> list[Retrieval]:
    """Of every ordered pair of modalities that some sample has together."""
    alone = [unit(space.alone[name]) for name in scored.modalities]
    found = [pair(query, target, alone, scored, resampler) for query, target in permutations(range(len(alone)), 2)]
    return [one for one in found if one is not None]


def pair(query: int, target: int, alone: list[Vectors], scored: Scored, resampler: Resampler) -> Retrieval | None:
    both = np.flatnonzero(scored.mask[:, query] & scored.mask[:, target])
    asked = both[drawn([scored.keys[row] for row in both], ASKED)]
    if not len(asked):
        return None
    hits, candidates = np.zeros(len(asked)), np.zeros(len(asked))
    for name in np.unique(scored.fold[asked]):
        mine = scored.fold[asked] == name
        among = np.flatnonzero(scored.mask[:, target] & (scored.fold == name))
        own = np.searchsorted(among, asked[mine])
        hits[mine], candidates[mine] = hit(alone[query][asked[mine]], alone[target][among], own), len(among)
    sums = resampler.sums(np.stack([hits, np.ones(len(asked))], 1), asked)
    with np.errstate(invalid="ignore"):
        recall = interval(sums[:, 0] / sums[:, 1])
    return Retrieval(
        query=scored.modalities[query],
        target=scored.modalities[target],
        n=len(asked),
        candidates=float(candidates.mean()),
        recall=recall,
        chance=float(np.minimum(1, FIRST / candidates).mean()),
    )


def hit(queries: Vectors, targets: Vectors, own: Ints) -> Floats:
    """queries: (q, D), targets: (n, D) of length 1, own: (q,) each query's row among the targets -> (q,) probability of the first ten."""
    found = np.zeros(len(queries))
    step = max(1, AT_ONCE // len(targets))
    for start in range(0, len(queries), step):
        part = slice(start, start + step)
        near = queries[part] @ targets.T
        mine = np.take_along_axis(near, own[part, None], 1)
        before, level = (near > mine + TIE).sum(1), (np.abs(near - mine) <= TIE).sum(1)
        found[part] = np.clip((FIRST - before) / level, 0, 1)
    return found
