"""Fusion methods: any subset of modalities goes in, the outputs of the learning task come out, for
instance logits of the classes.

Every method is an nn.Module with `forward(x, mask) -> (logits, aux)` and `represent(x, mask) ->
(batch, dim)`: x is {modality: (batch, dim)}, mask (batch, M) bool with columns in the order of the
method's `modalities`, logits (batch, K), aux {modality: logits (batch, K)} of heads trained beside
the main one.
"""

from collections.abc import Mapping

from torch import Tensor

from fusion.methods.attention import Sequences
from fusion.methods.bottleneck import Bottleneck
from fusion.methods.concat import Concat
from fusion.methods.crossattention import CrossAttention
from fusion.methods.gated import Gated
from fusion.methods.layers import Joint, Network
from fusion.methods.lowrank import Lowrank
from fusion.methods.unimodal import Unimodal
from fusion.schema.task_names import TaskName
from fusion.tasks.losses import TEACHING

JOINT: dict[str, type[Joint]] = {
    "concat": Concat,
    "gated": Gated,
    "lowrank": Lowrank,
    "bottleneck": Bottleneck,
    "crossattention": CrossAttention,
}


def reads_tokens(name: str) -> bool:
    """Return whether the method sees a modality as several tokens (fusion.features.tokens)."""
    return name in JOINT and issubclass(JOINT[name], Sequences)


def build(
    name: str,
    dims: Mapping[str, int],
    log_prior: Tensor,
    hidden: int,
    dropout: float,
    input_dropout: float,
    tokens: Mapping[str, int] | None = None,
    task: TaskName = "classification",
) -> Network:
    """A method by name for inputs of `dims`; every other name is that of a single modality.
    log_prior: (K,).

    tokens: how many tokens each modality's vector holds, for the methods that read tokens.
    """
    net: Network
    if name in JOINT:
        more = (tokens,) if reads_tokens(name) else ()
        net = JOINT[name](dims, log_prior, hidden, dropout, input_dropout, *more)
    else:
        net = Unimodal(name, list(dims), dims[name], log_prior, hidden, dropout, input_dropout)
    net.speak = TEACHING[task].speak
    return net
