"""The device and precision of encoders, and the pooling that they share."""

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
"""Precision of a recipe -> precision of encoders."""
BF16_BATCH = 32
chosen_precision: ContextVar[str | None] = ContextVar("chosen_precision", default=None)


def usual_precision() -> str:
    """Return float32 on a processor, mixed float16 on a GPU (cosine to float32 above 0.999)."""
    return "mixed-fp16" if device().type == "cuda" else "fp32"


def precision() -> str:
    """Return the chosen precision, or the usual one of this machine; part of every fingerprint."""
    return chosen_precision.get() or usual_precision()


@contextmanager
def in_precision(name: str | None) -> Iterator[None]:
    """Load and use encoders in this precision; None for the usual one. A processor has no mixed
    float16 and computes in float32, which is nearer to what is meant; bfloat16 it has, by AMX or
    AVX-512, or slowly.
    """
    before = chosen_precision.set(name)
    try:
        yield
    finally:
        chosen_precision.reset(before)


@contextmanager
def inference() -> Iterator[None]:
    kind, mixed = device().type, MIXED.get(precision(), torch.float32)
    enabled = mixed == torch.bfloat16 or (mixed == torch.float16 and kind == "cuda")
    with torch.inference_mode(), torch.autocast(kind, mixed, enabled=enabled):
        yield


def exact() -> torch.autocast:
    """Switch off mixed precision: spectra are computed in float32 for every network."""
    return torch.autocast("cpu", enabled=False)


def quiet() -> None:
    """Keep progress bars of transformers out of a worker's log."""
    from transformers.utils import logging

    logging.disable_progress_bar()


def frozen(model: nn.Module) -> nn.Module:
    """Return the network without gradients. In mixed bfloat16 its large matrices are rounded here,
    once: autocast would round them for every batch.
    """
    if precision() == "mixed-bf16":
        for part in model.modules():
            if isinstance(part, nn.Conv2d) and part.groups > 1:
                part.weight.data = in_bf16(part.weight.data)
            if isinstance(part, nn.Linear | nn.Conv1d | nn.Conv2d):
                part.to(torch.bfloat16)
    return model.eval().requires_grad_(False).to(device())


def in_bf16(filters: Tensor) -> Tensor:
    """Round each weight of the filters, (c, ...) float32, to a bfloat16 and carry its error to the
    next one, so that the sum of a filter stays: a depthwise filter has nine or twenty-five weights
    only. The worst cosine to float32 among 1,000 pictures rises from .990 to .993.
    """
    exact = filters.flatten(1)
    rounded, carried = torch.empty_like(exact), torch.zeros(len(exact))
    for i in range(exact.shape[1]):
        wanted = exact[:, i] + carried
        rounded[:, i] = wanted.bfloat16()
        carried = wanted - rounded[:, i]
    return rounded.view_as(filters)


def read_frozen(read: Callable[[], nn.Module]) -> nn.Module:
    """Return a frozen network that is read with the first batch: its weights are ordinary tensors,
    although inference has begun.
    """
    with torch.inference_mode(False):
        return frozen(read())


def batch_of(small: int, large: int) -> int:
    """Return the samples of a batch. In float32 more than a few fall out of the processor's cache;
    a GPU and bfloat16 like more of them.
    """
    return (
        large if device().type == "cuda" else BF16_BATCH if precision() == "mixed-bf16" else small
    )


def pool_map(x: Tensor, side: int) -> Tensor:
    """Return means of a map, (b, c, h, w), over a grid of cells: (b, c * side * side)."""
    return F.adaptive_avg_pool2d(x, side).flatten(1)


def pool_tokens(x: Tensor, mask: Tensor, pooling: str) -> Tensor:
    """Return the mean over real tokens, the first or the last one, (b, d).

    x: (b, tokens, d); mask: (b, tokens) of 0 and 1, real tokens first.
    """
    if pooling == "first":
        return x[:, 0]
    if pooling == "last":
        return x[torch.arange(len(x), device=x.device), mask.sum(1) - 1]
    weight = mask[..., None].to(x.dtype)
    return (x * weight).sum(1) / weight.sum(1).clamp(min=1)


def pool_frames(x: Tensor, frames: Sequence[int], segments: int, pooling: str) -> Tensor:
    """Return the first or the last of each recording's real frames, (b, d), or the means over equal
    stretches of them, (b, segments * d).

    x: (b, frames, d); frames: number of real frames of each recording.
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


def checked_pooling(title: str, pooling: str | None, known: Sequence[str]) -> str:
    """Return the chosen pooling, or the encoder's first; raises EncoderError for an unknown one."""
    if pooling is not None and pooling not in known:
        raise EncoderError(f"{title} can be pooled by {', '.join(known)}, not by {pooling}")
    return pooling or known[0]


def checked_layers(
    title: str, chosen: list[int] | None, default: Sequence[int], last: int
) -> list[int]:
    """Return layers from 0 to `last`, negative ones counted from the end; raises EncoderError."""
    layers = [last + 1 + layer if layer < 0 else layer for layer in (chosen or default)]
    wrong = [layer for layer in layers if not 0 <= layer <= last]
    if wrong:
        raise EncoderError(f"{title} has layers 0 to {last}; {wrong[0]} is none of them")
    return layers


def checked_segments(title: str, what: str, choice: Choice, default: int) -> int:
    """Return the number of segments, the first number of `grid`; raises EncoderError."""
    segments = (choice.grid or [default])[0]
    if not 1 <= segments <= 64:
        raise EncoderError(f"{title}: a {what} can be pooled in 1 to 64 segments, not {segments}")
    return segments


def checked_grid(
    title: str, chosen: list[int] | None, default: Sequence[int], layers: list[int]
) -> list[int]:
    """Return one grid side a layer; a single one holds for all. Raises EncoderError."""
    grid = list(chosen or default)
    grid = grid * len(layers) if len(grid) == 1 else grid
    if len(grid) != len(layers) or not all(1 <= side <= 16 for side in grid):
        raise EncoderError(
            f"{title}: give one grid side from 1 to 16, "
            f"or one for each of the {len(layers)} layers (given: {grid})"
        )
    return grid
