"""What training needs of a learning task, in torch: how outputs are spoken, and what they cost."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor
from torch.nn import functional as F

from . import TaskName

Speak = Callable[[Tensor, Tensor], Tensor]


class Teaching(NamedTuple):
    """speak: what the last layer writes (..., batch, D), and the prior (..., D) -> outputs (..., batch, D).

    losses: y (...), label smoothing, outputs (..., D) -> (...); y may lack leading axes.
    """

    speak: Speak
    losses: Callable[[Tensor, float, Tensor], Tensor]


def as_it_is(raw: Tensor, prior: Tensor) -> Tensor:
    return raw


def cross_entropy(y: Tensor, smoothing: float, outputs: Tensor) -> Tensor:
    expected = y.expand(outputs.shape[:-1])
    losses = F.cross_entropy(outputs.flatten(0, -2), expected.flatten(), reduction="none", label_smoothing=smoothing)
    return losses.view(expected.shape)


TEACHING: dict[TaskName, Teaching] = {"classification": Teaching(as_it_is, cross_entropy)}
