"""EfficientNet-Lite0 (Tan and Le 2019; the Lite variant drops squeeze-and-excitation and uses
ReLU6), with the weights' own names.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

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


class SameConv(nn.Conv2d):
    """A convolution with TensorFlow's "same" padding: what does not divide goes to the right and
    below.
    """

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        tall, wide = (max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in x.shape[-2:])
        if wide % 2 or tall % 2:
            x, tall, wide = (
                F.pad(x, (wide // 2, wide - wide // 2, tall // 2, tall - tall // 2)),
                0,
                0,
            )
        return F.conv2d(
            x, self.weight, self.bias, self.stride, (tall // 2, wide // 2), 1, self.groups
        )


def norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=EPSILON)


class Block(nn.Module):
    """Inverted bottleneck: widen, filter each channel, narrow; (b, c_in, h, w) -> (b, c_out,
    h/stride, w/stride).
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
    """Feature maps of chosen blocks. Blocks are counted 0 to 15; 16 is the head, whose mean is the
    usual pooled feature.
    """

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = SameConv(3, 32, 3, 2, bias=False)
        self._bn0 = norm(32)
        self._blocks = nn.ModuleList(
            Block(k, s if place == 0 else 1, e, c_in if place == 0 else c_out, c_out)
            for k, s, e, c_in, c_out, repeats in STAGES
            for place in range(repeats)
        )
        self._conv_head = SameConv(320, 1280, 1, bias=False)
        self._bn1 = norm(1280)
        self._fc = nn.Linear(1280, 1000)

    def forward(self, x: Tensor, layers: list[int]) -> dict[int, Tensor]:
        """x: (b, 3, h, w) as (value - 127) / 128; layer -> (b, channels, h', w'). Stops at the last
        layer that is asked for.
        """
        maps = {}
        x = F.relu6(self._bn0(self._conv_stem(x)), inplace=True)
        for place, block in enumerate(self._blocks):
            x = block(x)
            if place in layers:
                maps[place] = x
            if place >= max(layers):
                return maps
        maps[BLOCKS] = F.relu6(self._bn1(self._conv_head(x)), inplace=True)
        return maps


def channels_of(layer: int) -> int:
    """Depth of a layer's feature map."""
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
