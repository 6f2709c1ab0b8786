"""One modality alone: the baseline that every report shows, and the factor of late fusion.

A few small networks side by side, whose logits are averaged and which are trained as one: a single
fit is then worth an ensemble (Gorishniy et al. 2025, TabM, ICLR; here without shared weights, since
the networks are small). At prediction a logistic regression joins them: on a few hundred samples it
errs less than a network on some inputs, and elsewhere than a network on the others.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fusion.methods.layers import Drop, Network, uniform, visible

MEMBERS = 8


class Unimodal(Network):
    """Members of one hidden layer on one modality; a sample without it gets the training prior."""

    linear: Tensor
    linear_bias: Tensor

    def __init__(
        self,
        modality: str,
        modalities: Sequence[str],
        dim: int,
        log_prior: Tensor,
        hidden: int,
        dropout: float,
        input_dropout: float,
    ) -> None:
        super().__init__()
        self.modality = modality
        self.modalities = list(modalities)
        self.column = self.modalities.index(modality)
        self.drop, self.drop_input = Drop(dropout), Drop(input_dropout)
        self.inward = uniform(MEMBERS, dim, hidden, spread=dim)
        self.inward_bias = uniform(MEMBERS, 1, hidden, spread=dim)
        self.outward = uniform(MEMBERS, hidden, len(log_prior), spread=hidden)
        self.bias = uniform(len(log_prior), spread=hidden)
        self.register_buffer("log_prior", log_prior)
        self.register_buffer("linear", torch.zeros(dim, len(log_prior)))
        self.register_buffer("linear_bias", torch.zeros(len(log_prior)))

    @property
    def last(self) -> nn.Parameter:
        return self.outward

    def set_linear(self, weight: Tensor, bias: Tensor) -> None:
        """The linear model, fitted elsewhere since it is a convex problem: weight (dim, D), bias
        (D,).
        """
        self.linear, self.linear_bias = weight, bias

    def members(self, x: Mapping[str, Tensor], mask: Tensor) -> Tensor:
        """(members, batch, hidden); each member has its own dropout."""
        seen = visible(x[self.modality], mask[..., self.column]).unsqueeze(-3)
        dropped = self.drop_input(seen.expand(*seen.shape[:-3], MEMBERS, -1, -1))
        hidden = dropped @ self.inward + self.inward_bias
        return self.drop(F.gelu(F.layer_norm(hidden, hidden.shape[-1:])))

    def represent(self, x: Mapping[str, Tensor], mask: Tensor) -> Tensor:
        """(batch, members * hidden)"""
        return self.members(x, mask).transpose(-3, -2).flatten(-2)

    def forward(self, x: Mapping[str, Tensor], mask: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        logits = (self.members(x, mask) @ self.last_weight()).mean(-3) + self.bias.unsqueeze(-2)
        if not self.training:
            seen = visible(x[self.modality], mask[..., self.column])
            logits = (logits + seen @ self.linear + self.linear_bias.unsqueeze(-2)) / 2
        outputs = self.speak(logits, self.log_prior)
        return torch.where(mask[..., self.column, None], outputs, self.log_prior.unsqueeze(-2)), {}
