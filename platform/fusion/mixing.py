"""A learned mix of an encoder's layers: their weighted sum in place of them side by side.

    x = sum_l  s_l h_l / r_l,     s = softmax(a),     r_l = the root mean square of layer l on the training rows

Peters et al. 2018 (ELMo, NAACL, eq. 1), Tenney et al. 2019 (BERT rediscovers the classical NLP pipeline, ACL). a is learned with a linear
model of the label on x, on training rows alone, by L-BFGS. Divided by r, the weights say how much of each layer is read, whatever its
units. ELMo's factor before the sum is the one that gives x one unit, here as in the whitening that follows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from fusion.evaluate.baselines import STRENGTHS
from fusion.files import BrokenFile
from fusion.recipe import EncoderChoice, Recipe
from fusion.tasks.base import Array, LearningTask
from fusion.tasks.losses import TEACHING
from fusion.tokens import Block, TokenWhitening
from fusion.whitening import Whitening

if TYPE_CHECKING:
    from fusion.embed import Features, Part

MOST_ROWS = 4000
"""Enough to tell a few numbers."""
STEPS = 25


class UnequalLayers(ValueError):
    """Layers that cannot be added up; the message says of which encoder and what to do."""


@dataclass(frozen=True)
class Layers:
    """One encoder's share of a modality's numbers, start to stop: `number` layers of equal length side by side, 1 where none are mixed."""

    start: int
    stop: int
    number: int


@dataclass(frozen=True)
class Mixing:
    """source: (D,) the number of the mixed vector that each number goes into, times weight: (D,). shares: of all mixed layers, in order."""

    source: NDArray[np.int64]
    weight: NDArray[np.float32]
    shares: NDArray[np.float32]

    @classmethod
    def fit(cls, x: NDArray[Any], y: Array, parts: Sequence[Layers], task: LearningTask) -> "Mixing":
        """x: (n, D), y: (n, ...), rows that are present."""
        source, weight, shares, begin = [], [], [np.zeros(0, np.float32)], 0
        for part in parts:
            width = (part.stop - part.start) // part.number
            source.append(begin + np.tile(np.arange(width), part.number))
            begin += width
            if part.number == 1:
                weight.append(np.ones(width, np.float32))
                continue
            share, scale = shares_of(x[:, part.start : part.stop].reshape(len(x), part.number, width), y, task)
            shares.append(share)
            weight.append(np.repeat(share / scale, width))
        return cls(np.concatenate(source), np.concatenate(weight).astype(np.float32), np.concatenate(shares))

    def __call__(self, x: NDArray[Any]) -> NDArray[np.float32]:
        """(n, D) -> (n, dim)"""
        n = len(self.source)
        places = csr_array((self.weight, (np.arange(n), self.source)), shape=(n, int(self.source.max()) + 1))
        return np.asarray(x.astype(np.float32) @ places, np.float32)

    def tensors(self, prefix: str) -> dict[str, NDArray[Any]]:
        return {f"{prefix}.mix.{name}": getattr(self, name) for name in ("source", "weight", "shares")}

    @classmethod
    def of(cls, tensors: dict[str, NDArray[Any]], prefix: str) -> "Mixing":
        found = cls(*(tensors[f"{prefix}.mix.{name}"] for name in ("source", "weight", "shares")))
        if found.source.shape != found.weight.shape or found.source.min() < 0 or found.source.max() >= len(found.source):
            raise BrokenFile(f"the mix of {prefix} does not fit together.")
        return found


def shares_of(layers: NDArray[Any], y: Array, task: LearningTask) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """layers: (n, L, d) -> how much of each layer is read, (L,) of sum 1, and the unit of each, (L,)."""
    n, number, _ = layers.shape
    if n < 2:
        return np.full(number, 1 / number, np.float32), np.ones(number, np.float32)
    some = np.unique(np.linspace(0, n - 1, min(n, MOST_ROWS)).round().astype(int))
    h = torch.from_numpy(np.asarray(layers[some], np.float32))
    h = h - h.mean(0)
    scale = h.square().mean((0, 2)).sqrt().clamp(min=1e-12)
    share = learned(h / scale[:, None], torch.from_numpy(y[some]), task)
    return share.numpy().astype(np.float32), scale.numpy().astype(np.float32)


def learned(h: Tensor, y: Tensor, task: LearningTask) -> Tensor:
    """h: (n, L, d) of mean 0 and one unit, y: (n, ...) -> (L,), the softmax of a."""
    n, number, width = h.shape
    a, weight = torch.zeros(number, dtype=h.dtype), torch.zeros(width, task.width, dtype=h.dtype)
    prior = torch.as_tensor(task.prior(y.numpy()), dtype=h.dtype)
    bias = prior.clone()
    values = [each.requires_grad_() for each in (a, weight, bias)]
    speak, losses = TEACHING[task.name]
    optimizer = torch.optim.LBFGS(values, max_iter=STEPS, line_search_fn="strong_wolfe", tolerance_grad=1e-6)

    def closure() -> Tensor:
        optimizer.zero_grad()
        x = torch.einsum("nld,l->nd", h, a.softmax(0))
        x = x / x.square().mean().sqrt().clamp(min=1e-6)  # as the whitening will; else the penalty on `weight` would speak for one layer
        loss = losses(y, 0.0, speak(x @ weight + bias, prior)).mean() + weight.square().sum() / (2 * STRENGTHS[1] * n)
        loss.backward()
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call, arg-type]
    return a.detach().softmax(0)


@dataclass(frozen=True)
class Mixed:
    """A whitening of mixed layers, read from the layers side by side."""

    mixing: Mixing
    whitening: Whitening | TokenWhitening

    @property
    def reads(self) -> int:
        return len(self.mixing.source)

    @property
    def dim(self) -> int:
        return self.whitening.dim

    @property
    def number(self) -> int:
        return self.whitening.number

    def __call__(self, x: NDArray[Any]) -> NDArray[np.float32]:
        return self.whitening(self.mixing(x))

    def tensors(self, prefix: str) -> dict[str, NDArray[Any]]:
        return self.whitening.tensors(prefix) | self.mixing.tensors(prefix)


Reader = Whitening | TokenWhitening | Mixed
"""What makes a modality's features ready for a network."""


def reader_of(tensors: dict[str, NDArray[Any]], prefix: str, tokens: bool) -> Reader:
    """As `tensors` wrote it."""
    whitening = (TokenWhitening if tokens else Whitening).of(tensors, prefix)
    if f"{prefix}.mix.source" not in tensors:
        return whitening
    mixing = Mixing.of(tensors, prefix)
    if whitening.reads != int(mixing.source.max()) + 1:
        raise BrokenFile(f"the mix of {prefix} does not fit its whitening.")
    return Mixed(mixing, whitening)


def layers_of(recipe: Recipe, features: "Features") -> dict[str, list[Layers]]:
    """By modality, of those where the recipe asks for a mix. Raises UnequalLayers."""
    found: dict[str, list[Layers]] = {}
    for name, parts in features.parts.items():
        choices = recipe.encoders.get(name, [])
        if any(choice.mix for choice in choices):
            numbers = [number_of(name, part, choice) for part, choice in zip(parts, choices, strict=True)]
            found[name] = [Layers(part.start, part.start + part.dim, number) for part, number in zip(parts, numbers)]
    return found


def number_of(name: str, part: "Part", choice: EncoderChoice) -> int:
    if not choice.mix or choice.layers is None:
        return 1
    if len(part.blocks) != len(choice.layers) or len(set(part.blocks)) > 1:
        raise UnequalLayers(
            f"encoders.{name}: the layers {', '.join(map(str, choice.layers))} of {part.name} give vectors of different lengths, so they "
            f"cannot be mixed; choose layers of one width and one grid for all, or leave mix out."
        )
    return len(choice.layers)


def blocks_of(parts: "Sequence[Part]", layers: Sequence[Layers]) -> list[Block]:
    """What the mixed numbers of a modality are (fusion.tokens)."""
    return [block for part, one in zip(parts, layers, strict=True) for block in part.blocks[: len(part.blocks) // one.number]]
