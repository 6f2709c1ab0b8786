"""Attention and sequences of tokens for the methods that read more than one vector a modality;
stackable like fusion.methods.layers.
"""

from abc import abstractmethod
from collections.abc import Mapping
from math import gcd

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fusion.methods.layers import Affine, Affines, Drop, Joint, visible

HEADS = 4
WIDTH = 32
"""Hidden units of a token at most: there are many of them, and what they are asked for is little.
"""


def each(affine: nn.Module, tokens: Tensor) -> Tensor:
    """The same map for every token. tokens: (..., batch, T, dim) -> (..., batch, T, out)"""
    return affine(tokens.flatten(-3, -2)).unflatten(-2, tokens.shape[-3:-1])


def norm(tokens: Tensor) -> Tensor:
    return F.layer_norm(tokens, tokens.shape[-1:])


class Layer(nn.Module):
    """A transformer layer (Vaswani et al. 2017) that normalises first: tokens attend to `others`,
    then each goes through a small MLP.

    tokens: (..., batch, T, hidden), others: (..., batch, S, hidden) -> (..., batch, T, hidden)
    """

    def __init__(self, hidden: int, dropout: float) -> None:
        super().__init__()
        self.heads = gcd(hidden, HEADS)
        self.query, self.read, self.back = (
            Affine(hidden, hidden),
            Affine(hidden, 2 * hidden),
            Affine(hidden, hidden),
        )
        self.feed = nn.Sequential(Affine(hidden, 2 * hidden), nn.GELU(), Affine(2 * hidden, hidden))
        self.drop = Drop(dropout)

    def attend(self, tokens: Tensor, others: Tensor) -> Tensor:
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(-3, -2)
            for part in (each(self.query, tokens), *each(self.read, others).chunk(2, -1))
        )
        weights = (query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5).softmax(-1)
        return each(self.back, (weights @ value).transpose(-3, -2).flatten(-2))

    def forward(self, tokens: Tensor, others: Tensor) -> Tensor:
        tokens = tokens + self.drop(self.attend(norm(tokens), norm(others)))
        return tokens + self.drop(each(self.feed, norm(tokens)))


class Sequences(Joint):
    """A joint method that sees each modality as tokens: x {modality: (batch, T * width)}, its T
    tokens one after the other.

    tokens: {modality: T}, one each by default. Each place has its own projection, since the parts
    of a picture differ by what stands there, and a modality may join several encoders. All tokens
    of a sample lie in one tensor (batch, sum of T, hidden), which `parts` takes apart.
    """

    def __init__(
        self,
        dims: Mapping[str, int],
        log_prior: Tensor,
        hidden: int,
        dropout: float,
        input_dropout: float,
        tokens: Mapping[str, int] | None = None,
    ) -> None:
        hidden = min(hidden, WIDTH)
        super().__init__(dims, log_prior, hidden, dropout, input_dropout)
        self.lengths = [(tokens or {}).get(name, 1) for name in dims]
        self.project = nn.ModuleList(
            Affines(n, dim // n, hidden) for n, dim in zip(self.lengths, dims.values())
        )
        self.make(len(dims), hidden, dropout)

    @abstractmethod
    def make(self, number: int, hidden: int, dropout: float) -> None:
        """The layers with which a method joins the tokens of `number` modalities."""

    def tokens(self, x: Mapping[str, Tensor], mask: Tensor) -> Tensor:
        """(batch, sum of T, hidden)"""
        seen = [
            self.drop_input(visible(x[name], mask[..., i]))
            for i, name in enumerate(self.modalities)
        ]
        split = [values.unflatten(-1, (length, -1)) for values, length in zip(seen, self.lengths)]
        projected = torch.cat([project(tokens) for project, tokens in zip(self.project, split)], -2)
        return self.drop(F.gelu(norm(projected)))

    def parts(self, tokens: Tensor) -> list[Tensor]:
        """One (batch, T, hidden) a modality."""
        return list(tokens.split(self.lengths, -2))

    def pooled(self, tokens: Tensor) -> Tensor:
        return means(self.parts(tokens))


def means(parts: list[Tensor]) -> Tensor:
    """[(batch, T, hidden)], one a modality -> (batch, M, hidden)"""
    return torch.stack([part.mean(-2) for part in parts], -2)


def mean_of_present(values: Tensor, mask: Tensor) -> Tensor:
    """values: (batch, M, ...), mask: (batch, M) -> (batch, ...); zeros where nothing is present."""
    axis = mask.dim() - 1
    wide = mask.reshape(*mask.shape, *[1] * (values.dim() - mask.dim()))
    return (values * wide).sum(axis) / wide.sum(axis).clamp(min=1)
