"""A learned mix of an encoder's layers: their weighted sum in place of them side by side.

    x = sum_l  s_l h_l / r_l,     s = softmax(a),     r_l = the root mean square of layer l on the training rows

Peters et al. 2018 (ELMo, NAACL, eq. 1), Tenney et al. 2019 (BERT rediscovers the classical NLP
pipeline, ACL). a is learned with a linear model of the label on x (fusion.features.supervised). Divided by
r, the weights say how much of each layer is read, whatever its units. ELMo's factor before the sum
is the one that gives x one unit, there as in the whitening that follows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array

from fusion.core.arrays import Array
from fusion.core.files import BrokenFile
from fusion.features.supervised import learn, some_of
from fusion.tasks.base import LearningTask


@dataclass(frozen=True)
class Layers:
    """One encoder's share of a modality's numbers, start to stop: `number` layers of equal length
    side by side, 1 where none are mixed.
    """

    start: int
    stop: int
    number: int


@dataclass(frozen=True)
class Mixing:
    """source: (D,) the number of the mixed vector that each number goes into, times weight: (D,).
    shares: of all mixed layers, in order.
    """

    source: NDArray[np.int64]
    weight: NDArray[np.float32]
    shares: NDArray[np.float32]

    @classmethod
    def fit(
        cls, x: NDArray[Any], y: Array, parts: Sequence[Layers], task: LearningTask
    ) -> "Mixing":
        """x: (n, D), y: (n, ...), rows that are present."""
        source, weight, shares, begin = [], [], [np.zeros(0, np.float32)], 0
        for part in parts:
            width = (part.stop - part.start) // part.number
            source.append(begin + np.tile(np.arange(width), part.number))
            begin += width
            if part.number == 1:
                weight.append(np.ones(width, np.float32))
                continue
            share, scale = shares_of(
                x[:, part.start : part.stop].reshape(len(x), part.number, width), y, task
            )
            shares.append(share)
            weight.append(np.repeat(share / scale, width))
        return cls(
            np.concatenate(source),
            np.concatenate(weight).astype(np.float32),
            np.concatenate(shares),
        )

    @property
    def reads(self) -> int:
        return len(self.source)

    @property
    def gives(self) -> int:
        return int(self.source.max()) + 1

    def __call__(self, x: NDArray[Any]) -> NDArray[np.float32]:
        """(n, D) -> (n, dim)"""
        places = csr_array(
            (self.weight, (np.arange(self.reads), self.source)), shape=(self.reads, self.gives)
        )
        return np.asarray(x.astype(np.float32) @ places, np.float32)

    def tensors(self, prefix: str) -> dict[str, NDArray[Any]]:
        return {
            f"{prefix}.mix.{name}": getattr(self, name) for name in ("source", "weight", "shares")
        }

    @classmethod
    def of(cls, tensors: dict[str, NDArray[Any]], prefix: str) -> "Mixing | None":
        """As `tensors` wrote it; None where nothing is mixed."""
        if f"{prefix}.mix.source" not in tensors:
            return None
        found = cls(*(tensors[f"{prefix}.mix.{name}"] for name in ("source", "weight", "shares")))
        if (
            found.source.shape != found.weight.shape
            or found.source.min() < 0
            or found.source.max() >= len(found.source)
        ):
            raise BrokenFile(f"the mix of {prefix} does not fit together.")
        return found


def shares_of(
    layers: NDArray[Any], y: Array, task: LearningTask
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """layers: (n, L, d) -> how much of each layer is read, (L,) of sum 1, and the unit of each,
    (L,).
    """
    n, number, _ = layers.shape
    if n < 2:
        return np.full(number, 1 / number, np.float32), np.ones(number, np.float32)
    some = some_of(n)
    h = torch.from_numpy(np.asarray(layers[some], np.float32))
    h = h - h.mean(0)
    scale = h.square().mean((0, 2)).sqrt().clamp(min=1e-12)
    h, a = h / scale[:, None], torch.zeros(number)
    learn([a], lambda: torch.einsum("nld,l->nd", h, a.softmax(0)), torch.from_numpy(y[some]), task)
    return a.softmax(0).numpy(), scale.numpy()
