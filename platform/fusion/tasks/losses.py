"""The losses of the learning tasks, in torch."""

from collections.abc import Callable
from math import log, tau
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from fusion.schema.task_names import TaskName

Speak = Callable[[Tensor, Tensor], Tensor]
LOG_TAU = log(tau)
SPREADS = (-8.0, 4.0)
"""Log variances, against that of the labels, that a network can speak of."""


class Teaching(NamedTuple):
    """speak: what the last layer writes (..., batch, D), and the prior (..., D) -> outputs (...,
    batch, D).

    losses: y (...), label smoothing, outputs (..., D) -> (...); y may lack leading axes.
    """

    speak: Speak
    losses: Callable[[Tensor, float, Tensor], Tensor]


def as_it_is(raw: Tensor, prior: Tensor) -> Tensor:
    return raw


def cross_entropy(y: Tensor, smoothing: float, outputs: Tensor) -> Tensor:
    expected = y.expand(outputs.shape[:-1])
    losses = F.cross_entropy(
        outputs.flatten(0, -2), expected.flatten(), reduction="none", label_smoothing=smoothing
    )
    return losses.view(expected.shape)


def located(raw: Tensor, prior: Tensor) -> Tensor:
    """Mean and log variance in the label's units, from what is about those of the prior: so a
    network learns numbers of about 1.
    """
    mean, log_variance = prior.unsqueeze(-2).unbind(-1)
    return torch.stack(
        [mean + (log_variance / 2).exp() * raw[..., 0], log_variance + raw[..., 1].clamp(*SPREADS)],
        -1,
    )


def gaussian(y: Tensor, smoothing: float, outputs: Tensor) -> Tensor:
    """-log density, with a variance that is learnt (Nix and Weigend 1994); there are no labels to
    smooth.
    """
    mean, log_variance = outputs.unbind(-1)
    return (LOG_TAU + log_variance + (y - mean).square() * (-log_variance).exp()) / 2


def bernoulli(y: Tensor, smoothing: float, outputs: Tensor) -> Tensor:
    """Binary cross-entropy, mean over the labels."""
    wanted = (y.to(outputs.dtype) * (1 - smoothing) + smoothing / 2).expand(outputs.shape)
    return F.binary_cross_entropy_with_logits(outputs, wanted, reduction="none").mean(-1)


TEACHING: dict[TaskName, Teaching] = {
    "classification": Teaching(as_it_is, cross_entropy),
    "ordinal": Teaching(as_it_is, cross_entropy),
    "regression": Teaching(located, gaussian),
    "multi-label": Teaching(as_it_is, bernoulli),
}
