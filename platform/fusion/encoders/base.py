"""The interface of every encoder."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

CODE_VERSION = 1  # raised whenever the same weights and options give other vectors

Content = Path | str | tuple[float, ...]


class EncoderError(Exception):
    """An encoder that cannot be used; the message says why and what to do."""


class Choice(Protocol):
    """The options that a recipe gives an encoder; None keeps the encoder's own default."""

    name: str
    layers: list[int] | None
    pooling: Any
    grid: list[int] | None
    resolution: int | None


class Encoder(Protocol):
    """An encoder is frozen: a content's vector does not depend on the batch that it is read in.

    prepare(content) decodes one cell (a path, a text, numbers) and may raise BrokenFile;
    bucket(input) sorts what is cheap to encode together; encode(inputs) takes up to `batch` inputs
    of one bucket and returns float32 (n, dim). `window` inputs are decoded at a time, so that
    memory stays small. An encoder with weights has them in `model` (nn.Module), and vectors(inputs)
    gives the same (n, dim) as a tensor, with gradients where the weights require them. An encoder
    whose vector holds several positions side by side lists them in `blocks`; without it the vector
    is one token.
    """

    name: str
    kind: str
    dim: int
    fingerprint: str
    batch: int
    window: int

    def prepare(self, content: Content) -> Any: ...

    def bucket(self, prepared: Any) -> int: ...

    def encode(self, inputs: Sequence[Any]) -> np.ndarray: ...


def fingerprint_of(name: str, weights: str, **options: Any) -> str:
    """Return the SHA-256 of everything that decides a vector: weights, options, code version."""
    facts = {"name": name, "weights": weights, "code": CODE_VERSION, **options}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def weights_digest(tensors: dict[str, Any]) -> str:
    """Return the SHA-256 over names and values of a state dict."""
    whole = hashlib.sha256()
    for name in sorted(tensors):
        whole.update(name.encode())
        whole.update(tensors[name].detach().cpu().contiguous().numpy().tobytes())
    return whole.hexdigest()


MOST_TOKENS = 4
"""Tokens of a block, at most."""


class Block(NamedTuple):
    """A part of a vector: positions x channels numbers.

    channels_first: the positions of one channel lie together, as in a pooled map.
    """

    positions: int
    channels: int
    channels_first: bool = False

    @property
    def size(self) -> int:
        return self.positions * self.channels

    @property
    def tokens(self) -> int:
        """Return the largest number up to MOST_TOKENS that divides the positions evenly."""
        return max(number for number in range(1, MOST_TOKENS + 1) if self.positions % number == 0)

    def apart(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return x, (n, size), as (n, positions, channels)."""
        if self.channels_first:
            return x.reshape(len(x), self.channels, self.positions).swapaxes(1, 2)
        return x.reshape(len(x), self.positions, self.channels)

    def vectors(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return x, (n, size), as (n * tokens, size / tokens), a sample's tokens in sequence."""
        return self.apart(x).reshape(len(x) * self.tokens, self.size // self.tokens)
