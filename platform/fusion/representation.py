"""The fused representation: the one space into which a method joins all modalities, for any subset of them.

Joint methods: the hidden vector before the answer, (batch, hidden). Late fusion has no hidden space in common; what its single
models share is the space of the labels, so there a sample is the evidence for each label that its modalities add up to,

    e_k = sum over the modalities m that are present of [log p_m(k | x_m) - log p(k)],   centred over k,

(batch, K): what late fusion knows of a sample, and all that it knows. Nearness is the cosine.
"""

import numpy as np
from numpy.typing import NDArray

from fusion.evaluate.metrics import Floats
from fusion.tasks.base import Array, LearningTask


def evidence(task: LearningTask, beliefs: Floats, mask: NDArray[np.bool_], prior: Array) -> Floats:
    """beliefs: (..., n, M, D) of the single models, mask: (n, M), prior: (n, D) or (D,) -> (..., n, D)"""
    joint = task.evidence(beliefs, mask, prior)
    return joint - joint.mean(-1, keepdims=True)
