"""A modality's features as tokens: rows of a grid, stretches of a recording.

An encoder that pools over a grid or over segments puts the vectors of several positions side by
side. For the methods that read tokens they are taken apart again: each token is whitened by the
statistics of all tokens of its block, and stays apart from then on. A block without positions,
such as a pooled text, is one token. Attention costs by the token, so of a block with more than four
positions neighbours make one token together: a 4x4 grid is four rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusion.core.arrays import Floats32
from fusion.core.files import BrokenFile
from fusion.encoders.base import Block
from fusion.features.whitening import Whitening

TOKEN_DIM = 64
"""Number of directions of a token where a modality has several; a single token has as many as a
whole modality.
"""


@dataclass(frozen=True)
class TokenWhitening:
    """A whitening for each block, shared by its tokens; every token has the same number of
    directions, those that a block lacks are 0.
    """

    blocks: list[Block]
    whitenings: list[Whitening]

    @classmethod
    def fit(
        cls, x: NDArray[Any], blocks: Sequence[Block], pca_dim: int, table: bool = False
    ) -> "TokenWhitening":
        """Fit on present rows, x (n, d), the numbers of `blocks` in sequence. table: see
        Whitening.fit.
        """
        several = sum(block.tokens for block in blocks) > 1
        wanted = min(TOKEN_DIM, pca_dim or TOKEN_DIM) if several else pca_dim
        parts = zip(blocks, cut(x, blocks))
        return cls(
            list(blocks),
            [Whitening.fit(block.vectors(part), wanted, table) for block, part in parts],
        )

    @property
    def reads(self) -> int:
        return sum(block.size for block in self.blocks)

    @property
    def number(self) -> int:
        return sum(block.tokens for block in self.blocks)

    @property
    def width(self) -> int:
        return max(whitening.dim for whitening in self.whitenings)

    @property
    def dim(self) -> int:
        return self.number * self.width

    def __call__(self, x: NDArray[Any]) -> Floats32:
        """Whiten features, (n, d), to tokens in sequence, (n, number * width)."""
        tokens = np.zeros((len(x), self.number, self.width), np.float32)
        begin = 0
        for block, whitening, part in zip(self.blocks, self.whitenings, cut(x, self.blocks)):
            tokens[:, begin : begin + block.tokens, : whitening.dim] = whitening(
                block.vectors(part)
            ).reshape(len(x), block.tokens, -1)
            begin += block.tokens
        return tokens.reshape(len(x), self.dim)

    def tensors(self, prefix: str) -> dict[str, NDArray[Any]]:
        tensors: dict[str, NDArray[Any]] = {
            f"{prefix}.blocks": np.array(self.blocks, dtype=np.int64)
        }
        for number, whitening in enumerate(self.whitenings):
            tensors |= whitening.tensors(f"{prefix}.{number}")
        return tensors

    @classmethod
    def of(cls, tensors: dict[str, Any], prefix: str) -> "TokenWhitening":
        """Return the whitening that `tensors()` wrote; raises BrokenFile for shapes that differ."""
        blocks = [
            Block(int(positions), int(channels), bool(first))
            for positions, channels, first in tensors[f"{prefix}.blocks"]
        ]
        whitenings = [Whitening.of(tensors, f"{prefix}.{number}") for number in range(len(blocks))]
        if not blocks or any(
            len(whitening.mean) * block.tokens != block.size
            for block, whitening in zip(blocks, whitenings)
        ):
            raise BrokenFile(f"the blocks of {prefix} do not fit its whitenings.")
        return cls(blocks, whitenings)


def cut(x: NDArray[Any], blocks: Sequence[Block]) -> list[NDArray[Any]]:
    """Return the columns of each block of x, (n, d)."""
    return np.split(x, np.cumsum([block.size for block in blocks])[:-1], axis=1)
