"""Cross-attention: the tokens of each modality ask those of every other one.

Tsai et al. 2019, Multimodal Transformer for Unaligned Multimodal Language Sequences (ACL): one
cross-modal layer an ordered pair of modalities, then a layer of self-attention a modality, then all
side by side. A modality that is missing answers nobody.
"""

from typing import cast

import torch
from torch import Tensor, nn

from fusion.methods.attention import Layer, Sequences, mean_of_present, means
from fusion.methods.layers import Affine, Drop


class CrossAttention(Sequences):
    def make(self, number: int, hidden: int, dropout: float) -> None:
        self.ask = nn.ModuleList(
            nn.ModuleList(Layer(hidden, dropout) for _ in range(number - 1)) for _ in range(number)
        )
        self.own = nn.ModuleList(Layer(hidden, dropout) for _ in range(number))
        self.missing = nn.Parameter(torch.zeros(number, hidden))
        self.mix = nn.Sequential(Affine(number * hidden, hidden), nn.GELU(), Drop(dropout))

    def told(self, parts: list[Tensor], mask: Tensor, target: int) -> Tensor:
        """The tokens of `target` after they asked the others: (batch, T, hidden)."""
        others = [i for i in range(len(parts)) if i != target]
        if not others:
            return parts[target]
        answers = torch.stack(
            [
                ask(parts[target], parts[i]) - parts[target]
                for ask, i in zip(cast(nn.ModuleList, self.ask[target]), others)
            ],
            -3,
        )
        return parts[target] + mean_of_present(answers, mask[..., others])

    def join(self, tokens: Tensor, mask: Tensor) -> Tensor:
        parts = self.parts(tokens)
        crossed = [self.told(parts, mask, target) for target in range(len(parts))]
        own = means([layer(own_tokens, own_tokens) for layer, own_tokens in zip(self.own, crossed)])
        return self.mix(torch.where(mask[..., None], own, self.missing.unsqueeze(-3)).flatten(-2))
