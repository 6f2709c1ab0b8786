"""Image encoders: feature maps or tokens of chosen layers, pooled over a grid."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fusion.data.modalities import image
from fusion.encoders.base import Block, Choice, Content, fingerprint_of
from fusion.encoders.families import FAMILIES, POOLINGS
from fusion.encoders.runtime import (
    batch_of,
    checked_grid,
    checked_layers,
    checked_pooling,
    device,
    frozen,
    inference,
    pool_map,
    precision,
)

GRID = 2  # cells a side where a grid is asked for without its size


class Vision(ABC):
    """Decode and stack pictures. mean, std: of each colour channel, on the scale 0 to 255."""

    kind = "image"
    model: nn.Module
    window = 512

    def __init__(self, name: str, px: int, mean: Sequence[float], std: Sequence[float]) -> None:
        self.name, self.px = name, px
        self.mean, self.std = np.asarray(mean, np.float32), np.asarray(std, np.float32)
        self.batch = batch_of(8, 128)

    def prepare(self, content: Content) -> np.ndarray:
        """Return the picture, uint8 (px, px, 3)."""
        return image.decode(Path(str(content)), self.px)

    def bucket(self, prepared: np.ndarray) -> int:
        return 0

    def encode(self, inputs: Sequence[np.ndarray]) -> np.ndarray:
        with inference():
            return self.vectors(inputs).float().cpu().numpy()

    @abstractmethod
    def vectors(self, inputs: Sequence[np.ndarray]) -> Tensor:
        """Return a vector for each picture, float32 (b, dim)."""

    def stack(self, inputs: Sequence[np.ndarray]) -> Tensor:
        """Return standardised pictures, float32 (b, 3, px, px)."""
        values = (np.stack(inputs).astype(np.float32) - self.mean) / self.std
        return (
            torch.from_numpy(values)
            .permute(0, 3, 1, 2)
            .to(device(), memory_format=torch.channels_last)
        )


class HubVision(Vision):
    """Any transformers model that gives hidden states of an image: maps (ResNet, ConvNeXt, Swin) or
    patches (ViT, DeiT, DINOv2, BEiT).

    Mean and grid are over the image, without a class token; pooling "first" is the class token.
    """

    def __init__(
        self,
        name: str,
        title: str,
        choice: Choice,
        model: nn.Module,
        weights: str,
        preparation: dict[str, Any],
    ) -> None:
        config: Any = model.config
        px = (
            choice.resolution or preparation.get("px") or getattr(config, "image_size", None) or 224
        )
        super().__init__(name, int(px), preparation["mean"], preparation["std"])
        self.model = frozen(model)
        known = POOLINGS[FAMILIES[config.model_type].reader]
        self.pooling = checked_pooling(title, choice.pooling, known)
        self.patches = self.px // config.patch_size if "first" in known else 0
        """Patches a side, where the states are class tokens followed by patches; else 0."""
        self.options = interpolation(model, self.px)
        with inference():
            states = self.states([np.zeros((self.px, self.px, 3), np.uint8)])
        self.layers = checked_layers(title, choice.layers, [len(states) - 1], len(states) - 1)
        pooled = {"mean": [1], "first": [1], "grid": [GRID]}
        default = pooled.get(choice.pooling) or preparation.get("grid") or [1]
        self.grid = checked_grid(title, choice.grid, default, self.layers)
        options = {
            "layers": self.layers,
            "grid": self.grid,
            "pooling": self.pooling,
            "px": self.px,
            "precision": precision(),
        }
        self.fingerprint = fingerprint_of(
            name, weights, mean=self.mean.tolist(), std=self.std.tolist(), **options
        )
        self.blocks = [
            self.block_of(states[layer], side) for layer, side in zip(self.layers, self.grid)
        ]
        self.dim = sum(block.size for block in self.blocks)

    def states(self, inputs: Sequence[np.ndarray]) -> tuple[Tensor, ...]:
        output = self.model(
            pixel_values=self.stack(inputs), output_hidden_states=True, **self.options
        )
        return tuple(getattr(output, "reshaped_hidden_states", None) or output.hidden_states)

    def vectors(self, inputs: Sequence[np.ndarray]) -> Tensor:
        states = self.states(inputs)
        return torch.cat(
            [self.pooled(states[layer], side) for layer, side in zip(self.layers, self.grid)], 1
        )

    def pooled(self, state: Tensor, side: int) -> Tensor:
        """Pool a state, (b, c, h, w) or (b, class tokens + patches, c), to (b, c * side * side), or
        (b, c) for the class token.
        """
        if self.pooling == "first":
            return state[:, 0]
        if state.dim() == 3:
            patches = state[:, -(self.patches**2) :]
            state = patches.transpose(1, 2).unflatten(2, (self.patches, self.patches))
        return pool_map(state, side)

    def block_of(self, state: Tensor, side: int) -> Block:
        """Return the block of a pooled state: the cells of a map side by side, or one vector."""
        channels = state.shape[1] if state.dim() == 4 else state.shape[2]
        return (
            Block(1, channels)
            if self.pooling == "first"
            else Block(side**2, channels, channels_first=True)
        )


def interpolation(model: nn.Module, px: int) -> dict[str, bool]:
    """Return the option that fits a model's positions to pictures of another size than its own."""
    resized = px != getattr(model.config, "image_size", px)
    if resized and "interpolate_pos_encoding" in signature(model.forward).parameters:
        return {"interpolate_pos_encoding": True}
    return {}
