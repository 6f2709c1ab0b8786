"""Gated fusion: a softmax over the modalities that are present weighs them, sample by sample.

Arevalo et al. 2017, Gated Multimodal Units for Information Fusion (arXiv:1702.01992).
"""

from collections.abc import Mapping

from torch import Tensor

from fusion.methods.layers import Affines, Joint


class Gated(Joint):
    def __init__(
        self,
        dims: Mapping[str, int],
        log_prior: Tensor,
        hidden: int,
        dropout: float,
        input_dropout: float,
    ) -> None:
        super().__init__(dims, log_prior, hidden, dropout, input_dropout)
        self.gates = Affines(len(dims), hidden, 1)

    def weights(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """(batch, M), 0 where a modality is missing; the rest sums to 1."""
        return self.gates(tokens).squeeze(-1).masked_fill(~mask, -1e4).softmax(-1) * mask

    def join(self, tokens: Tensor, mask: Tensor) -> Tensor:
        return (tokens * self.weights(tokens, mask)[..., None]).sum(-2)
