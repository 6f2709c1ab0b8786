"""EfficientNet-Lite0 (Tan and Le 2019; the Lite variant drops squeeze-and-excitation and uses
ReLU6): the network, with the weights' own names, and the encoder that pools its feature maps.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fusion.encoders.adapters.vision import Vision
from fusion.encoders.base import Block, Choice, fingerprint_of
from fusion.encoders.catalogue import Entry
from fusion.encoders.runtime import (
    checked_grid,
    checked_layers,
    checked_pooling,
    frozen,
    pool_map,
    precision,
)

# kernel, stride, expansion, channels in, channels out, repeats
STAGES = (
    (3, 1, 1, 32, 16, 1),
    (3, 2, 6, 16, 24, 2),
    (5, 2, 6, 24, 40, 2),
    (3, 2, 6, 40, 80, 3),
    (5, 1, 6, 80, 112, 3),
    (5, 2, 6, 112, 192, 4),
    (3, 1, 6, 192, 320, 1),
)
BLOCKS = sum(stage[-1] for stage in STAGES)
EPSILON = 1e-3
POOLED_PX = 128


class SameConv(nn.Conv2d):
    """A convolution with TensorFlow's "same" padding: what does not divide goes to the right and
    below.
    """

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        tall, wide = (max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in x.shape[-2:])
        if wide % 2 or tall % 2:
            x = F.pad(x, (wide // 2, wide - wide // 2, tall // 2, tall - tall // 2))
            tall, wide = 0, 0
        return F.conv2d(
            x, self.weight, self.bias, self.stride, (tall // 2, wide // 2), 1, self.groups
        )


def norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=EPSILON)


class InvertedBottleneck(nn.Module):
    """A block that widens, filters each channel and narrows: (b, c_in, h, w) -> (b, c_out,
    h / stride, w / stride).
    """

    def __init__(self, kernel: int, stride: int, expansion: int, c_in: int, c_out: int) -> None:
        super().__init__()
        inner = c_in * expansion
        self.expands = expansion > 1
        self.adds = stride == 1 and c_in == c_out
        if self.expands:
            self._expand_conv = SameConv(c_in, inner, 1, bias=False)
            self._bn0 = norm(inner)
        self._depthwise_conv = SameConv(inner, inner, kernel, stride, groups=inner, bias=False)
        self._bn1 = norm(inner)
        self._project_conv = SameConv(inner, c_out, 1, bias=False)
        self._bn2 = norm(c_out)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu6(self._bn0(self._expand_conv(x)), inplace=True) if self.expands else x
        y = F.relu6(self._bn1(self._depthwise_conv(y)), inplace=True)
        y = self._bn2(self._project_conv(y))
        return x + y if self.adds else y


class EfficientNetLite0(nn.Module):
    """The network gives feature maps of chosen blocks. Blocks are counted 0 to 15; 16 is the head,
    whose mean is the usual pooled feature.
    """

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = SameConv(3, 32, 3, 2, bias=False)
        self._bn0 = norm(32)
        self._blocks = nn.ModuleList(
            InvertedBottleneck(k, 1 if repeat else s, e, c_out if repeat else c_in, c_out)
            for k, s, e, c_in, c_out, repeats in STAGES
            for repeat in range(repeats)
        )
        self._conv_head = SameConv(320, 1280, 1, bias=False)
        self._bn1 = norm(1280)
        self._fc = nn.Linear(1280, 1000)

    def forward(self, x: Tensor, layers: list[int]) -> dict[int, Tensor]:
        """Return the maps, layer -> (b, channels, h', w'), and stop at the last of these layers.

        x: (b, 3, h, w) as (value - 127) / 128.
        """
        maps = {}
        x = F.relu6(self._bn0(self._conv_stem(x)), inplace=True)
        for layer, block in enumerate(self._blocks):
            x = block(x)
            if layer in layers:
                maps[layer] = x
            if layer >= max(layers):
                return maps
        maps[BLOCKS] = F.relu6(self._bn1(self._conv_head(x)), inplace=True)
        return maps


def channels_of(layer: int) -> int:
    """Return the depth of a layer's feature map."""
    depths = [out for *_, out, repeats in STAGES for _ in range(repeats)]
    return 1280 if layer == BLOCKS else depths[layer]


@torch.no_grad()
def fold(model: EfficientNetLite0) -> None:
    """Put every batch normalisation into the convolution before it: the same numbers, a third of
    the time.
    """
    pairs: list[tuple[Any, str, str]] = [
        (model, "_conv_stem", "_bn0"),
        (model, "_conv_head", "_bn1"),
    ]
    for block in model._blocks:
        pairs += [(block, "_depthwise_conv", "_bn1"), (block, "_project_conv", "_bn2")]
        pairs += [(block, "_expand_conv", "_bn0")] if block.expands else []
    for owner, conv_name, norm_name in pairs:
        conv, normal = getattr(owner, conv_name), getattr(owner, norm_name)
        factor = normal.weight / torch.sqrt(normal.running_var + normal.eps)
        conv.weight.mul_(factor[:, None, None, None])
        conv.bias = nn.Parameter(normal.bias - normal.running_mean * factor)
        setattr(owner, norm_name, nn.Identity())


class LiteVision(Vision):
    """EfficientNet-Lite0 as an encoder; the default reads block 7 on a 4x4 grid and block 10 on a
    3x3 grid at 96 px.

    Pooling "mean" without layers is the mean over the head (layer 16), the usual pooled feature of
    1,280 numbers.
    """

    def __init__(self, entry: Entry, choice: Choice, state: dict[str, Tensor]) -> None:
        checked_pooling(entry.title, choice.pooling, entry.poolings)
        pooled = choice.pooling == "mean" and not choice.layers
        super().__init__(
            entry.name,
            choice.resolution or (POOLED_PX if pooled else entry.resolution or 96),
            [127.0] * 3,
            [128.0] * 3,
        )
        self.layers = checked_layers(
            entry.title, choice.layers, [BLOCKS] if pooled else entry.default_layers, BLOCKS
        )
        sides = [1 if choice.pooling == "mean" else default_side(layer) for layer in self.layers]
        self.grid = checked_grid(entry.title, choice.grid, sides, self.layers)
        self.blocks = [
            Block(side**2, channels_of(layer), channels_first=True)
            for layer, side in zip(self.layers, self.grid)
        ]
        self.dim = sum(block.size for block in self.blocks)
        self.fingerprint = fingerprint_of(
            entry.name,
            entry.sha256,
            layers=self.layers,
            grid=self.grid,
            px=self.px,
            precision=precision(),
        )
        model = EfficientNetLite0()
        model.load_state_dict(state)
        fold(model)
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model = frozen(model)

    def vectors(self, inputs: Sequence[np.ndarray]) -> Tensor:
        maps = self.model(self.stack(inputs), self.layers)
        pooled = [pool_map(maps[layer], side) for layer, side in zip(self.layers, self.grid)]
        return torch.cat(pooled, 1)


def default_side(layer: int) -> int:
    """Return the cells a side of a layer's grid. Later maps are coarser: they get no more cells
    than they can fill at 96 px.
    """
    return 4 if layer <= 7 else 3 if layer <= 10 else 2 if layer < BLOCKS else 1
