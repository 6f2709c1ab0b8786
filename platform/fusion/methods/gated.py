"""Gated fusion: a softmax over the modalities that are present weighs them, sample by sample.

Arevalo et al. 2017, Gated Multimodal Units for Information Fusion (arXiv:1702.01992).
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from fusion.methods.parts import Affine, Joint


class Gated(Joint):
    def __init__(self, dims: Mapping[str, int], log_prior: Tensor, hidden: int, dropout: float, input_dropout: float) -> None:
        super().__init__(dims, log_prior, hidden, dropout, input_dropout)
        self.gates = nn.ModuleList(Affine(hidden, 1) for _ in dims)

    def weights(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """(batch, M), 0 where a modality is missing; the rest sums to 1."""
        scores = torch.cat([gate(tokens[..., i, :]) for i, gate in enumerate(self.gates)], -1)
        return scores.masked_fill(~mask, -1e4).softmax(-1) * mask

    def join(self, tokens: Tensor, mask: Tensor) -> Tensor:
        return (tokens * self.weights(tokens, mask)[..., None]).sum(-2)
