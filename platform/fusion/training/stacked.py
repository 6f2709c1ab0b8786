"""Networks of one shape as one network whose parameters have one more axis, so that a step of
training is one step for all of them.

On a CPU a small network spends most of its time on the way into each operation; a stack pays for
that once.
"""

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn


def stacked(nets: Sequence[nn.Module]) -> nn.Module:
    """A network with parameters (networks, ...); from now on those of `nets` are views of them, and
    are trained with them.
    """
    stack = deepcopy(nets[0])
    for name, parameter in list(stack.named_parameters()):
        whole = torch.stack([net.get_parameter(name).detach() for net in nets])
        put(stack, name, nn.Parameter(whole))
        for net, view in zip(nets, whole, strict=True):
            put(net, name, nn.Parameter(view, requires_grad=parameter.requires_grad))
    for name, _ in list(stack.named_buffers()):
        put(stack, name, torch.stack([net.get_buffer(name) for net in nets]))
    return stack


def put(net: nn.Module, name: str, value: Tensor) -> None:
    owner, _, leaf = name.rpartition(".")
    setattr(net.get_submodule(owner), leaf, value)
