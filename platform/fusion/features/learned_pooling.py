"""Weighed that is learned on training rows: layers by weights (fusion.features.layer_mix), then places by
attention (fusion.features.attention_pooling), before the whitening. Encoders know nothing of it, so trying it embeds
nothing once more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fusion.core.arrays import Array
from fusion.core.files import BrokenFile
from fusion.encoders.base import Block
from fusion.encoders.capability_checks import SINGLE
from fusion.features.attention_pooling import Attention
from fusion.features.layer_mix import Layers, Mixing
from fusion.features.tokens import TokenWhitening
from fusion.features.whitening import Whitening
from fusion.schema.recipe import EncoderChoice, Recipe
from fusion.tasks.base import LearningTask

if TYPE_CHECKING:
    from fusion.encoders.embedding import Features, Part


class CannotWeigh(ValueError):
    """What has nothing to be weighed; the message says of which encoder and what to do."""


@dataclass(frozen=True)
class Weighing:
    """What a recipe asks of one modality. layers: a share an encoder; blocks: what there is once
    they are mixed, and which are attended.
    """

    layers: list[Layers]
    blocks: list[Block]
    attended: list[bool]

    @property
    def left(self) -> list[Block]:
        """What there is in the end (fusion.features.tokens)."""
        return [
            Block(1, block.channels) if wanted else block
            for block, wanted in zip(self.blocks, self.attended)
        ]

    def fit(self, x: NDArray[Any], y: Array, task: LearningTask) -> "Weighed":
        """x: (n, D), y: (n, ...), rows that are present."""
        mixing = (
            Mixing.fit(x, y, self.layers, task)
            if any(one.number > 1 for one in self.layers)
            else None
        )
        x = mixing(x) if mixing else x
        return Weighed(
            mixing,
            Attention.fit(x, y, self.blocks, self.attended, task) if any(self.attended) else None,
        )


@dataclass(frozen=True)
class Weighed:
    mixing: Mixing | None
    attention: Attention | None

    @property
    def steps(self) -> list[Mixing | Attention]:
        return [step for step in (self.mixing, self.attention) if step]

    def __call__(self, x: NDArray[Any]) -> NDArray[np.float32]:
        """(n, D) -> (n, dim)"""
        for step in self.steps:
            x = step(x)
        return x


@dataclass(frozen=True)
class WeighedReader:
    """A whitening of what was pooled, read from layers and places side by side."""

    weighed: Weighed
    whitening: Whitening | TokenWhitening

    @property
    def reads(self) -> int:
        return self.weighed.steps[0].reads

    @property
    def dim(self) -> int:
        return self.whitening.dim

    @property
    def number(self) -> int:
        return self.whitening.number

    def __call__(self, x: NDArray[Any]) -> NDArray[np.float32]:
        return self.whitening(self.weighed(x))

    def tensors(self, prefix: str) -> dict[str, NDArray[Any]]:
        found = self.whitening.tensors(prefix)
        for step in self.weighed.steps:
            found |= step.tensors(prefix)
        return found


Reader = Whitening | TokenWhitening | WeighedReader
"""What makes a modality's features ready for a network."""


def reader_of(tensors: dict[str, NDArray[Any]], prefix: str, tokens: bool) -> Reader:
    """As `tensors` wrote it."""
    whitening = (TokenWhitening if tokens else Whitening).of(tensors, prefix)
    weighed = Weighed(Mixing.of(tensors, prefix), Attention.of(tensors, prefix))
    if any(
        before.gives != after.reads
        for before, after in zip(weighed.steps, [*weighed.steps[1:], whitening])
    ):
        raise BrokenFile(f"the pooling of {prefix} does not fit its whitening.")
    return WeighedReader(weighed, whitening) if weighed.steps else whitening


def weighings_of(recipe: Recipe, features: "Features") -> dict[str, Weighing]:
    """By modality, of those where the recipe asks for one. Raises CannotWeigh."""
    found: dict[str, Weighing] = {}
    for name, parts in features.parts.items():
        choices = recipe.encoders.get(name, [])
        if any(choice.mix or choice.attend for choice in choices):
            found[name] = weighing_of(name, parts, choices)
    return found


def weighing_of(name: str, parts: "Sequence[Part]", choices: Sequence[EncoderChoice]) -> Weighing:
    found = Weighing([], [], [])
    for part, choice in zip(parts, choices, strict=True):
        number = number_of(name, part, choice)
        blocks = part.blocks[: len(part.blocks) // number]
        if choice.attend and all(block.positions == 1 for block in blocks):
            raise CannotWeigh(f"encoders.{name}: {part.name} {SINGLE}")
        found.layers.append(Layers(part.start, part.start + part.dim, number))
        found.blocks.extend(blocks)
        found.attended.extend(choice.attend and block.positions > 1 for block in blocks)
    return found


def number_of(name: str, part: "Part", choice: EncoderChoice) -> int:
    """Of the layers that are mixed, 1 where none are."""
    if not choice.mix or choice.layers is None:
        return 1
    if len(part.blocks) != len(choice.layers) or len(set(part.blocks)) > 1:
        raise CannotWeigh(
            f"encoders.{name}: the layers {', '.join(map(str, choice.layers))} of {part.name} give vectors of different lengths, so they "
            f"cannot be mixed; choose layers of one width and one grid for all, or leave mix out."
        )
    return len(choice.layers)
