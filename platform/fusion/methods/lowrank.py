"""Low-rank fusion: every product of features across modalities, by a tensor of low rank that is
never built.

Liu et al. 2018, Efficient Low-rank Multimodal Fusion with Modality-Specific Factors (ACL): with a 1
appended to each modality's vector, h = sum over r of the elementwise product over m of W_m^r [z_m;
1]. A missing modality keeps only its 1, so that the products of the others stay.
"""

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional as F

from fusion.methods.layers import Affines, Joint

RANK = 4


class Lowrank(Joint):
    def __init__(
        self,
        dims: Mapping[str, int],
        log_prior: Tensor,
        hidden: int,
        dropout: float,
        input_dropout: float,
    ) -> None:
        super().__init__(dims, log_prior, hidden, dropout, input_dropout)
        self.factors = Affines(len(dims), hidden, RANK * hidden)
        # the factor of the appended 1: at first a modality scales the others, and not to nothing
        nn.init.ones_(self.factors.bias)

    def join(self, tokens: Tensor, mask: Tensor) -> Tensor:
        factors = self.factors(tokens * mask[..., None]).unflatten(-1, (RANK, -1))
        joined = factors.prod(-3).sum(-2)
        return F.layer_norm(joined, joined.shape[-1:])
