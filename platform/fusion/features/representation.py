"""The fused representation: the one space into which a method joins all modalities, for any subset
of them.

Joint methods: the hidden vector before the answer, (batch, hidden). Late fusion has no hidden space
in common; what its single models share is the space of the labels, so there a sample is the
evidence for each label that its modalities add up to,

    e_k = sum over the modalities m that are present of [log p_m(k | x_m) - log p(k)],
    centred over k,

(batch, K): what late fusion knows of a sample, and all that it knows. Of a number it is what is
added to the two natural parameters of the Gaussian, of a set of labels to the log-odds of each. An
ensemble, whose members have different spaces, gives the same of its predictions. Nearness is the
cosine.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.core.arrays import Array, Floats, Ints
from fusion.tasks.base import LearningTask
from fusion.tasks.predictions import hide

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Space:
    """The test samples, each in the space of its own round, by the models of the first seed, which
    had not seen it.

    whole: (n, D) of all inputs of a sample; alone: modality -> (n, D) of that input only, zeros
    where it is absent. common: whether the axes mean the same in every round (late fusion and
    ensembles: the labels); if not, vectors of different rounds cannot be compared.
    """

    method: str
    common: bool
    whole: Vectors
    alone: dict[str, Vectors]


def views(mask: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """(n, M) -> what is shown for each part of a Space: everything, then each modality alone."""
    return [mask, *(hide(mask, (column,)) for column in range(mask.shape[1]))]


def evidence(task: LearningTask, beliefs: Floats, mask: NDArray[np.bool_], prior: Array) -> Floats:
    """beliefs: (..., n, M, D) of the single models, mask: (n, M), prior: (n, D) or (D,) -> (..., n,
    D)
    """
    return task.centred(task.evidence(beliefs, mask, prior))


def unit(vectors: Vectors) -> Vectors:
    """(n, D), each of length 1; zeros stay zeros."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-12))


def drawn(keys: Sequence[str], most: int) -> Ints:
    """Rows of at most so many samples, in their order; who is drawn depends on the keys alone."""
    if len(keys) <= most:
        return np.arange(len(keys))
    digests = [hashlib.sha256(key.encode()).digest() for key in keys]
    return np.sort(
        np.array(sorted(range(len(keys)), key=lambda row: digests[row])[:most], dtype=np.int64)
    )
