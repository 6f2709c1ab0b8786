"""Parts that the methods share."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn


class Drop(nn.Module):
    """Dropout as in torch, from uniform numbers: on a CPU several times as fast as torch's, which draws single bits."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.rate:
            return x
        return x * (torch.rand(x.shape) >= self.rate) / (1 - self.rate)


def projection(dim: int, hidden: int, dropout: float, input_dropout: float) -> nn.Sequential:
    """(batch, dim) -> (batch, hidden)"""
    return nn.Sequential(Drop(input_dropout), nn.Linear(dim, hidden), nn.LayerNorm(hidden), nn.GELU(), Drop(dropout))


def visible(x: Tensor, present: Tensor) -> Tensor:
    """x: (batch, dim) with zeros where present: (batch,) is false, so that nothing there, not even a NaN, reaches the output."""
    return torch.where(present[:, None], x, torch.zeros((), dtype=x.dtype))


class Joint(nn.Module):
    """A method that reads all modalities at once; a sample without any modality gets the training prior.

    Each modality keeps an own head on its projection (auxiliary logits), which holds the projections useful one by one.
    """

    log_prior: Tensor

    def __init__(self, dims: Mapping[str, int], log_prior: Tensor, hidden: int, dropout: float, input_dropout: float) -> None:
        super().__init__()
        self.modalities: Sequence[str] = list(dims)
        self.project = nn.ModuleList(projection(dim, hidden, dropout, input_dropout) for dim in dims.values())
        self.heads = nn.ModuleList(nn.Linear(hidden, len(log_prior)) for _ in dims)
        self.out = nn.Linear(hidden, len(log_prior))
        self.register_buffer("log_prior", log_prior)

    def tokens(self, x: Mapping[str, Tensor], mask: Tensor) -> Tensor:
        """(batch, M, hidden): one vector a modality."""
        return torch.stack([self.project[i](visible(x[name], mask[:, i])) for i, name in enumerate(self.modalities)], 1)

    def join(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """tokens: (batch, M, hidden) -> (batch, hidden); the one thing in which the methods differ."""
        raise TypeError(f"{type(self).__name__} does not say how it joins modalities")

    def represent(self, x: Mapping[str, Tensor], mask: Tensor) -> Tensor:
        """The fused representation: (batch, hidden)."""
        return self.join(self.tokens(x, mask), mask)

    def forward(self, x: Mapping[str, Tensor], mask: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        tokens = self.tokens(x, mask)
        logits = self.out(self.join(tokens, mask))
        aux = {name: self.heads[i](tokens[:, i]) for i, name in enumerate(self.modalities)}
        return torch.where(mask.any(1, keepdim=True), logits, self.log_prior), aux
