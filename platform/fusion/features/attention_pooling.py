"""Attention pooling: of the places of a picture, the stretches of a recording or a text one
weighted mean, in place of them side by side.

    x = sum_t a_t h_t,     a = softmax_t(q . h_t / r + b_t),     r = the root mean square of h on the training rows

One query a block (Yang et al. 2016, Hierarchical attention networks, NAACL, eq. 9 and 10; Ilse et
al. 2018, Attention-based deep multiple instance learning, ICML), with a number b for each place. q
and b are learned with a linear model of the label on x (fusion.features.supervised).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fusion.core.arrays import Array, Floats32
from fusion.core.files import BrokenFile
from fusion.encoders.base import Block
from fusion.features.supervised import learn, some_of
from fusion.features.tokens import cut
from fusion.tasks.base import LearningTask


@dataclass(frozen=True)
class Query:
    """direction: (channels,), in the units of what is read; place: (positions,); shares:
    (positions,) mean attention on training rows.
    """

    direction: Floats32
    place: Floats32
    shares: Floats32

    def fits(self, block: Block) -> bool:
        return self.direction.shape == (
            block.channels,
        ) and self.place.shape == self.shares.shape == (block.positions,)

    def weights(self, h: NDArray[Any]) -> Floats32:
        """(n, positions, channels) -> (n, positions) of sum 1"""
        said = np.asarray(h, np.float32) @ self.direction + self.place
        weight = np.exp(said - said.max(1, keepdims=True))
        return np.asarray(weight / weight.sum(1, keepdims=True), np.float32)


@dataclass(frozen=True)
class Attention:
    """What is read, a block after the other, and the query of each; None where its places stay side
    by side.
    """

    blocks: list[Block]
    queries: list[Query | None]

    @classmethod
    def fit(
        cls,
        x: NDArray[Any],
        y: Array,
        blocks: Sequence[Block],
        attended: Sequence[bool],
        task: LearningTask,
    ) -> "Attention":
        """x: (n, D), y: (n, ...), rows that are present. attended: of which blocks a query is
        learned.
        """
        parts = zip(blocks, cut(x, blocks), attended, strict=True)
        return cls(
            list(blocks),
            [
                query_of(block.apart(part), y, task) if wanted else None
                for block, part, wanted in parts
            ],
        )

    @property
    def reads(self) -> int:
        return sum(block.size for block in self.blocks)

    @property
    def gives(self) -> int:
        return sum(
            block.size if query is None else block.channels
            for block, query in zip(self.blocks, self.queries)
        )

    def __call__(self, x: NDArray[Any]) -> Floats32:
        """(n, D) -> (n, dim)"""
        found = []
        for block, query, part in zip(self.blocks, self.queries, cut(x, self.blocks)):
            h = block.apart(part)
            found.append(part if query is None else np.einsum("npc,np->nc", h, query.weights(h)))
        return np.concatenate(found, 1).astype(np.float32)

    def tensors(self, prefix: str) -> dict[str, NDArray[Any]]:
        tensors: dict[str, NDArray[Any]] = {
            f"{prefix}.attention.blocks": np.array(self.blocks, dtype=np.int64)
        }
        for number, query in enumerate(self.queries):
            if query is not None:
                tensors |= {
                    f"{prefix}.attention.{number}.{name}": getattr(query, name)
                    for name in ("direction", "place", "shares")
                }
        return tensors

    @classmethod
    def of(cls, tensors: dict[str, Any], prefix: str) -> "Attention | None":
        """As `tensors` wrote it; None where nothing is attended to."""
        if f"{prefix}.attention.blocks" not in tensors:
            return None
        blocks = [
            Block(int(positions), int(channels), bool(first))
            for positions, channels, first in tensors[f"{prefix}.attention.blocks"]
        ]
        queries = [
            query_from(tensors, f"{prefix}.attention.{number}") for number in range(len(blocks))
        ]
        for block, query in zip(blocks, queries):
            if query and not query.fits(block):
                raise BrokenFile(f"the attention of {prefix} does not fit together.")
        return cls(blocks, queries)


def query_from(tensors: dict[str, Any], prefix: str) -> Query | None:
    names = ("direction", "place", "shares")
    return (
        Query(**{name: tensors[f"{prefix}.{name}"] for name in names})
        if all(f"{prefix}.{name}" in tensors for name in names)
        else None
    )


def query_of(h: NDArray[Any], y: Array, task: LearningTask) -> Query:
    """h: (n, P, C)"""
    n, positions, channels = h.shape
    if n < 2:
        return Query(
            np.zeros(channels, np.float32),
            np.zeros(positions, np.float32),
            np.full(positions, 1 / positions, np.float32),
        )
    some = some_of(n)
    told = torch.from_numpy(np.asarray(h[some], np.float32))
    told = told - told.mean((0, 1))
    scale = told.square().mean().sqrt().clamp(min=1e-12)
    told = told / scale
    direction, place = torch.zeros(channels), torch.zeros(positions)

    def made() -> torch.Tensor:
        return torch.einsum("npc,np->nc", told, (told @ direction + place).softmax(1))

    learn([direction, place], made, torch.from_numpy(y[some]), task, penalised=[direction, place])
    found = Query((direction / scale).numpy(), place.numpy(), np.zeros(positions, np.float32))
    return Query(found.direction, found.place, found.weights(h).mean(0))
