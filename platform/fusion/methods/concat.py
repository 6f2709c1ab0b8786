"""Early fusion: the projected modalities side by side, a learned vector where one is missing, then
an MLP.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from fusion.methods.layers import Affine, Drop, Joint


class Concat(Joint):
    def __init__(
        self,
        dims: Mapping[str, int],
        log_prior: Tensor,
        hidden: int,
        dropout: float,
        input_dropout: float,
    ) -> None:
        super().__init__(dims, log_prior, hidden, dropout, input_dropout)
        self.missing = nn.Parameter(torch.zeros(len(dims), hidden))
        self.mix = nn.Sequential(Affine(len(dims) * hidden, hidden), nn.GELU(), Drop(dropout))

    def join(self, tokens: Tensor, mask: Tensor) -> Tensor:
        return self.mix(
            torch.where(mask[..., None], tokens, self.missing.unsqueeze(-3)).flatten(-2)
        )
