"""Networks of one shape from several seeds, answering together: the mean of their
log-probabilities, renormalised.

A constant that a network adds to all its logits is lost when probabilities are made of them, so
this is the mean of the logits; one temperature then serves for all (Lakshminarayanan et al. 2017,
Deep Ensembles, NeurIPS, average probabilities instead).
"""

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn


class Together(nn.Module):
    log_prior: Tensor

    def __init__(self, nets: Sequence[nn.Module]) -> None:
        super().__init__()
        self.nets = nn.ModuleList(nets)
        self.register_buffer("log_prior", cast(Tensor, nets[0].log_prior))

    def represent(self, x: Mapping[str, Tensor], mask: Tensor) -> Tensor:
        """(batch, networks * dim): each has a space of its own, so they stand side by side."""
        return torch.cat([net.represent(x, mask) for net in self.nets], -1)  # type: ignore[operator]

    def forward(self, x: Mapping[str, Tensor], mask: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        return torch.stack([net(x, mask)[0] for net in self.nets]).mean(0), {}
