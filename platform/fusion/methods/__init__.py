"""Fusion methods: any subset of modalities goes in, logits of the classes come out.

Every method is an nn.Module with `forward(x, mask) -> (logits, aux)` and `represent(x, mask) -> (batch, dim)`:
x is {modality: (batch, dim)}, mask (batch, M) bool with columns in the order of the method's `modalities`,
logits (batch, K), aux {modality: logits (batch, K)} of heads trained beside the main one.
"""

from collections.abc import Mapping

from torch import Tensor, nn

from fusion.methods.concat import Concat
from fusion.methods.gated import Gated
from fusion.methods.unimodal import Unimodal

JOINT: dict[str, type[nn.Module]] = {"concat": Concat, "gated": Gated}


def build(name: str, dims: Mapping[str, int], log_prior: Tensor, hidden: int, dropout: float, input_dropout: float) -> nn.Module:
    """A method by name for inputs of `dims`; every other name is that of a single modality. log_prior: (K,)."""
    kind = JOINT.get(name)
    if kind:
        return kind(dims, log_prior, hidden, dropout, input_dropout)
    return Unimodal(name, list(dims), dims[name], log_prior, hidden, dropout, input_dropout)
