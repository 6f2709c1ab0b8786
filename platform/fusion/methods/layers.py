"""Parts that the methods share.

Every part may hold the parameters of one network or, stacked along a leading axis, of many
(fusion.training.stacked): what is written for x: (batch, dim) then reads (networks, batch, dim). So
a method uses these parts and counts its axes from the last one.
"""

from collections.abc import Mapping, Sequence
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fusion.tasks.losses import Speak, as_it_is

NOISE = 2**20
"""Numbers in a table of noise; a larger input gets a larger table."""


@cache
def noise(rate: float, size: int) -> Tensor:
    """(size,) of 0 with probability `rate`, else 1 / (1 - rate)."""
    drawn = torch.rand(size, generator=torch.Generator().manual_seed(0))
    return (drawn >= rate) / (1 - rate)


class Drop(nn.Module):
    """Dropout by a random window of one fixed table of noise: fresh random numbers would cost more
    than the rest of a small network.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.rate:
            return x
        table = noise(self.rate, NOISE if 4 * x.numel() <= NOISE else 4 * x.numel())
        begin = int(torch.randint(len(table) - x.numel(), ()))
        return x * table[begin : begin + x.numel()].view(x.shape)


def uniform(*shape: int, spread: int) -> nn.Parameter:
    """Random weights as a linear layer of `spread` inputs begins."""
    return nn.Parameter(torch.empty(shape).uniform_(-(spread**-0.5), spread**-0.5))


class Affine(nn.Module):
    """x: (..., batch, dim) -> (..., batch, out)"""

    def __init__(self, dim: int, out: int) -> None:
        super().__init__()
        self.weight, self.bias = uniform(dim, out, spread=dim), uniform(out, spread=dim)

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight + self.bias.unsqueeze(-2)


class Affines(nn.Module):
    """One for each of `number` tokens. tokens: (..., batch, number, dim) -> (..., batch, number,
    out)
    """

    def __init__(self, number: int, dim: int, out: int) -> None:
        super().__init__()
        self.weight, self.bias = (
            uniform(number, dim, out, spread=dim),
            uniform(number, out, spread=dim),
        )

    def forward(self, tokens: Tensor) -> Tensor:
        return (tokens.transpose(-3, -2) @ self.weight).transpose(-3, -2) + self.bias.unsqueeze(-3)


def visible(x: Tensor, present: Tensor) -> Tensor:
    """x: (batch, dim) with zeros where present: (batch,) is false, so that nothing there, not even
    a NaN, reaches the output.
    """
    return torch.where(present.unsqueeze(-1), x, torch.zeros((), dtype=x.dtype))


class Network(nn.Module):
    """The base of every method: outputs of a learning task for any subset of modalities; where none
    is there, the training prior.
    """

    log_prior: Tensor
    speak: Speak = staticmethod(as_it_is)
    relation: Tensor | None = None
    """(D, D): how definitions relate the labels, while it is trained
    (fusion.features.prototypes.relation).
    """

    @property
    def last(self) -> nn.Parameter:
        """(..., D): weight of the last layer, as it is trained."""
        raise TypeError(f"{type(self).__name__} does not say what its last layer is")

    def last_weight(self) -> Tensor:
        """The same as it is used."""
        return self.last if self.relation is None else self.last @ self.relation

    def settle(self) -> None:
        """Trained: the last layer stands for itself, and no definition is asked again."""
        self.last.data = self.last_weight().detach()
        self.relation = None


class Joint(Network):
    """A method that reads all modalities at once; a sample without any modality gets the training
    prior.

    Each modality keeps an own head on its projection (auxiliary logits), which holds the
    projections useful one by one.
    """

    def __init__(
        self,
        dims: Mapping[str, int],
        log_prior: Tensor,
        hidden: int,
        dropout: float,
        input_dropout: float,
    ) -> None:
        super().__init__()
        self.modalities: Sequence[str] = list(dims)
        self.drop, self.drop_input = Drop(dropout), Drop(input_dropout)
        self.project = nn.ModuleList(Affine(dim, hidden) for dim in dims.values())
        self.heads = Affines(len(dims), hidden, len(log_prior))
        self.out = Affine(hidden, len(log_prior))
        self.register_buffer("log_prior", log_prior)

    @property
    def last(self) -> nn.Parameter:
        return self.out.weight

    def tokens(self, x: Mapping[str, Tensor], mask: Tensor) -> Tensor:
        """(batch, M, hidden): one vector a modality."""
        seen = [
            self.drop_input(visible(x[name], mask[..., i]))
            for i, name in enumerate(self.modalities)
        ]
        projected = torch.stack(
            [project(features) for project, features in zip(self.project, seen)], -2
        )
        return self.drop(F.gelu(F.layer_norm(projected, projected.shape[-1:])))

    def join(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """tokens: (batch, M, hidden) -> (batch, hidden); the one thing in which the
        methods differ.
        """
        raise TypeError(f"{type(self).__name__} does not say how it joins modalities")

    def pooled(self, tokens: Tensor) -> Tensor:
        """(batch, M, hidden): what the heads of the single modalities read."""
        return tokens

    def represent(self, x: Mapping[str, Tensor], mask: Tensor) -> Tensor:
        """The fused representation: (batch, hidden)."""
        return self.join(self.tokens(x, mask), mask)

    def forward(self, x: Mapping[str, Tensor], mask: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        tokens = self.tokens(x, mask)
        outputs = self.speak(
            self.join(tokens, mask) @ self.last_weight() + self.out.bias.unsqueeze(-2),
            self.log_prior,
        )
        heads = self.heads(self.pooled(tokens)).unbind(-2)
        aux = {name: self.speak(head, self.log_prior) for name, head in zip(self.modalities, heads)}
        return torch.where(mask.any(-1, keepdim=True), outputs, self.log_prior.unsqueeze(-2)), aux
