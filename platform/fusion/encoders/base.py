"""What every encoder is."""

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
    """What a recipe says about an encoder; None keeps the encoder's own default."""

    name: str
    layers: list[int] | None
    pooling: Any
    grid: list[int] | None
    resolution: int | None


class Encoder(Protocol):
    """Frozen: the same content gives the same vector, whatever stands beside it in a batch.

    prepare(content) decodes one cell (a path, a text, numbers) and may raise BrokenFile;
    bucket(input) sorts what is cheap to encode together; encode(inputs) takes up to `batch` inputs
    of one bucket and returns float32 (n, dim). `window` inputs are decoded at a time, so that
    memory stays small. One with weights has them in `model` (nn.Module), and vectors(inputs) gives
    the same (n, dim) as a tensor, with gradients where they are asked for. An encoder whose vector
    holds several positions side by side says so in `blocks`, a list of fusion.features.tokens.Block; without
    it the vector is one token.
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
    """SHA-256 of everything that decides a vector: weights, options, version of this code."""
    facts = {"name": name, "weights": weights, "code": CODE_VERSION, **options}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def weights_digest(tensors: dict[str, Any]) -> str:
    """SHA-256 over names and values of a state dict that was made here."""
    whole = hashlib.sha256()
    for name in sorted(tensors):
        whole.update(name.encode())
        whole.update(tensors[name].detach().cpu().contiguous().numpy().tobytes())
    return whole.hexdigest()


MOST_TOKENS = 4
"""Of a block."""


class Block(NamedTuple):
    """positions x channels numbers of a vector; channels_first: the positions of one channel lie
    together, as in a pooled map.
    """

    positions: int
    channels: int
    channels_first: bool = False

    @property
    def size(self) -> int:
        return self.positions * self.channels

    @property
    def tokens(self) -> int:
        """The most that are no more than MOST_TOKENS and hold equally many positions each."""
        return max(number for number in range(1, MOST_TOKENS + 1) if self.positions % number == 0)

    def apart(self, x: NDArray[Any]) -> NDArray[Any]:
        """(n, size) -> (n, positions, channels)"""
        if self.channels_first:
            return x.reshape(len(x), self.channels, self.positions).swapaxes(1, 2)
        return x.reshape(len(x), self.positions, self.channels)

    def vectors(self, x: NDArray[Any]) -> NDArray[Any]:
        """(n, size) -> (n * tokens, size / tokens), the tokens of a sample one after the other"""
        return self.apart(x).reshape(len(x) * self.tokens, self.size // self.tokens)
