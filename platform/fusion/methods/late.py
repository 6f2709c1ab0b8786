"""Late fusion: the product of calibrated single-modality models, corrected for the prior that each of them holds.

log p(y | x) = log p(y) + sum over the modalities m that are present of [log p_m(y | x_m) - log p(y)] + constant,
which is exact where the modalities are independent given the class (Kittler et al. 1998, On Combining Classifiers).
Each p_m is a single-modality model with its own temperature (Guo et al. 2017); nothing here is trained.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from fusion.methods.unimodal import Unimodal


class Late(nn.Module):
    """singles: in the order of the mask's columns. temperatures: one a modality."""

    log_prior: Tensor

    def __init__(self, singles: Mapping[str, Unimodal], temperatures: Mapping[str, float]) -> None:
        super().__init__()
        self.modalities = list(singles)
        self.singles = nn.ModuleList(singles.values())
        self.temperatures = dict(temperatures)
        self.register_buffer("log_prior", next(iter(singles.values())).log_prior)

    def aux(self, x: Mapping[str, Tensor], mask: Tensor) -> dict[str, Tensor]:
        return {name: single(x, mask)[0] for name, single in zip(self.modalities, self.singles)}

    def represent(self, x: Mapping[str, Tensor], mask: Tensor) -> Tensor:
        """The joint log-probabilities: (batch, K); late fusion has no other common space."""
        return self(x, mask)[0].log_softmax(-1)

    def forward(self, x: Mapping[str, Tensor], mask: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        aux = self.aux(x, mask)
        stacked = torch.stack([aux[name] for name in self.modalities], 1)
        temperatures = torch.tensor([self.temperatures[name] for name in self.modalities], dtype=stacked.dtype)
        return product(stacked, mask, self.log_prior, temperatures), aux


def product(logits: Tensor, mask: Tensor, log_prior: Tensor, temperatures: Tensor) -> Tensor:
    """logits: (batch, M, K) of the single models, mask: (batch, M), log_prior: (K,), temperatures: (M,) -> (batch, K)."""
    evidence = (logits / temperatures[:, None]).log_softmax(-1) - log_prior
    return log_prior + torch.where(mask[..., None], evidence, torch.zeros((), dtype=logits.dtype)).sum(1)
