"""Bottleneck fusion: modalities tell each other things only through a few shared tokens.

Nagrani et al. 2021, Attention Bottlenecks for Multimodal Fusion (NeurIPS): in a layer each
modality's tokens and the bottleneck tokens attend to each other; the bottleneck tokens that come
out of the modalities are averaged, here over those that are present.
"""

from typing import cast

import torch
from torch import Tensor, nn

from fusion.methods.attention import Layer, Sequences, mean_of_present, means
from fusion.methods.layers import uniform

BOTTLENECKS = 4
LAYERS = 2


class Bottleneck(Sequences):
    def make(self, number: int, hidden: int, dropout: float) -> None:
        self.bottleneck = uniform(BOTTLENECKS, hidden, spread=hidden)
        self.layers = nn.ModuleList(
            nn.ModuleList(Layer(hidden, dropout) for _ in range(number)) for _ in range(LAYERS)
        )

    def join(self, tokens: Tensor, mask: Tensor) -> Tensor:
        own = self.parts(tokens)
        shared = self.bottleneck.unsqueeze(-3).expand(
            *tokens.shape[:-2], BOTTLENECKS, tokens.shape[-1]
        )
        for layers in self.layers:
            read = [torch.cat([part, shared], -2) for part in own]
            read = [
                layer(tokens_read, tokens_read)
                for layer, tokens_read in zip(cast(nn.ModuleList, layers), read)
            ]
            own = [tokens_read[..., :-BOTTLENECKS, :] for tokens_read in read]
            shared = mean_of_present(
                torch.stack([tokens_read[..., -BOTTLENECKS:, :] for tokens_read in read], -3), mask
            )
        return shared.mean(-2) + mean_of_present(means(own), mask)
