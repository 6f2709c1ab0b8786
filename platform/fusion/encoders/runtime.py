"""Where encoders compute, and the pooling that they share."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fusion.encoders.base import Choice, EncoderError


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


MIXED = {"mixed-fp16": torch.float16, "mixed-bf16": torch.bfloat16}
PRECISIONS = ("fp32", *MIXED)
OF_RECIPES = {"fp32": "fp32", "bf16": "mixed-bf16"}
"""What a recipe calls them."""
BF16_BATCH = 32
asked: ContextVar[str | None] = ContextVar("asked", default=None)


def usual_precision() -> str:
    """Float32 on a processor, mixed float16 on a GPU (cosine to float32 above 0.999)."""
    return "mixed-fp16" if device().type == "cuda" else "fp32"


def precision() -> str:
    """Part of every fingerprint: the usual one of this machine, or the one that was asked for."""
    return asked.get() or usual_precision()


@contextmanager
def in_precision(name: str | None) -> Iterator[None]:
    """Encoders that are loaded and used inside are those of this precision; None for the usual one.
    A processor has no mixed float16 and computes in float32, which is nearer to what is meant;
    bfloat16 it has, by AMX or AVX-512, or slowly.
    """
    before = asked.set(name)
    try:
        yield
    finally:
        asked.reset(before)


@contextmanager
def inference() -> Iterator[None]:
    kind, mixed = device().type, MIXED.get(precision(), torch.float32)
    enabled = mixed == torch.bfloat16 or (mixed == torch.float16 and kind == "cuda")
    with torch.inference_mode(), torch.autocast(kind, mixed, enabled=enabled):
        yield


def exact() -> torch.autocast:
    """For spectra, which are computed in float32 whatever the network is."""
    return torch.autocast("cpu", enabled=False)


def quiet() -> None:
    """No progress bars of transformers in a worker's log."""
    from transformers.utils import logging

    logging.disable_progress_bar()


def frozen(model: nn.Module) -> nn.Module:
    """In mixed bfloat16 its large matrices are rounded here, once: autocast would round them for
    every batch.
    """
    if precision() == "mixed-bf16":
        for part in model.modules():
            if isinstance(part, nn.Conv2d) and part.groups > 1:
                part.weight.data = in_bf16(part.weight.data)
            if isinstance(part, nn.Linear | nn.Conv1d | nn.Conv2d):
                part.to(torch.bfloat16)
    return model.eval().requires_grad_(False).to(device())


def in_bf16(filters: Tensor) -> Tensor:
    """(c, ...) float32 -> the same, each weight a bfloat16, the error of one carried to the next,
    so that the sum of a filter stays: a depthwise filter has nine or twenty-five weights only. Of
    1,000 pictures the worst cosine to float32 rises from .990 to .993.
    """
    exact = filters.flatten(1)
    found, carried = torch.empty_like(exact), torch.zeros(len(exact))
    for place in range(exact.shape[1]):
        wanted = exact[:, place] + carried
        found[:, place] = wanted.bfloat16()
        carried = wanted - found[:, place]
    return found.view_as(filters)


def read_frozen(read: Callable[[], nn.Module]) -> nn.Module:
    """The same of a network that is read with the first batch: its weights are ordinary tensors,
    although inference has begun.
    """
    with torch.inference_mode(False):
        return frozen(read())


def batch_of(small: int, large: int) -> int:
    """Samples at a time. In float32 more than a few fall out of the processor's cache; a GPU and
    bfloat16 like more of them.
    """
    return (
        large if device().type == "cuda" else BF16_BATCH if precision() == "mixed-bf16" else small
    )


def pool_map(x: Tensor, side: int) -> Tensor:
    """x: (b, c, h, w) -> (b, c * side * side): means over a grid of cells."""
    return F.adaptive_avg_pool2d(x, side).flatten(1)


def pool_tokens(x: Tensor, mask: Tensor, pooling: str) -> Tensor:
    """x: (b, tokens, d), mask: (b, tokens) of 0 and 1, real tokens first -> (b, d): the mean over
    real tokens, the first or the last one.
    """
    if pooling == "first":
        return x[:, 0]
    if pooling == "last":
        return x[torch.arange(len(x), device=x.device), mask.sum(1) - 1]
    weight = mask[..., None].to(x.dtype)
    return (x * weight).sum(1) / weight.sum(1).clamp(min=1)


def pool_frames(x: Tensor, frames: Sequence[int], segments: int, pooling: str) -> Tensor:
    """x: (b, frames, d) -> (b, d) for the first or the last of each recording's own real frames,
    else (b, segments * d): means over equal stretches of them.
    """
    rows = []
    for row, count in zip(x, frames):
        if pooling in ("first", "last"):
            rows.append(row[0 if pooling == "first" else min(count, len(row)) - 1])
            continue
        own = row[: max(segments, min(count, len(row)))]
        if len(own) < segments:  # a recording of fewer frames says some of them more than once
            own = own[torch.arange(segments, device=own.device) * len(own) // segments]
        parts = own.tensor_split(segments)
        rows.append(torch.cat([part.mean(0) for part in parts]))
    return torch.stack(rows)


def checked_pooling(title: str, asked: str | None, known: Sequence[str]) -> str:
    """What was asked for, or the first of those that the encoder knows; raises EncoderError."""
    if asked is not None and asked not in known:
        raise EncoderError(f"{title} can be pooled by {', '.join(known)}, not by {asked}")
    return asked or known[0]


def checked_layers(
    title: str, asked: list[int] | None, default: Sequence[int], last: int
) -> list[int]:
    """Layers 0 to `last`, negative ones counted from the end; raises EncoderError."""
    layers = [last + 1 + layer if layer < 0 else layer for layer in (asked or default)]
    wrong = [layer for layer in layers if not 0 <= layer <= last]
    if wrong:
        raise EncoderError(f"{title} has layers 0 to {last}; {wrong[0]} is none of them")
    return layers


def checked_segments(title: str, what: str, choice: Choice, default: int) -> int:
    """How many were asked for by the first number of `grid`. Raises EncoderError."""
    asked = (choice.grid or [default])[0]
    if not 1 <= asked <= 64:
        raise EncoderError(f"{title}: a {what} can be pooled in 1 to 64 segments, not {asked}")
    return asked


def checked_grid(
    title: str, asked: list[int] | None, default: Sequence[int], layers: list[int]
) -> list[int]:
    """One grid side a layer; a single one holds for all. Raises EncoderError."""
    grid = list(asked or default)
    grid = grid * len(layers) if len(grid) == 1 else grid
    if len(grid) != len(layers) or not all(1 <= side <= 16 for side in grid):
        raise EncoderError(
            f"{title}: give one grid side from 1 to 16, or one for each of the {len(layers)} layers (given: {grid})"
        )
    return grid
