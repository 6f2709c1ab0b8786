"""AdamW on a one-cycle schedule, without the classes of torch.optim: these import the compiler,
which takes a second or two.
"""

from collections.abc import Iterable
from math import cos, pi

import torch
from torch import Tensor
from torch.optim.adamw import adamw

RISE = 0.3
"""Share of the steps in which the rate rises."""


def one_cycle(step: int, steps: int, peak: float) -> tuple[float, float]:
    """Learning rate and first momentum of a step, counted from 0 (Smith and Topin 2019; the numbers
    are those of torch's OneCycleLR).
    """
    top = max(RISE * steps - 1, 1e-6)
    if step <= top:
        return between(peak / 25, peak, step / top), between(0.95, 0.85, step / top)
    share = (step - top) / max(steps - 1 - top, 1e-6)
    return between(peak, peak / 25e4, share), between(0.85, 0.95, share)


def between(begin: float, end: float, share: float) -> float:
    """Half a cosine from one number to the other."""
    return end + (begin - end) / 2 * (1 + cos(pi * share))


class AdamW:
    """Loshchilov and Hutter 2019, Decoupled Weight Decay Regularization (ICLR). `done`: steps
    taken, of `steps`.
    """

    def __init__(
        self, parameters: Iterable[Tensor], peak: float, weight_decay: float, steps: int
    ) -> None:
        self.parameters = list(parameters)
        self.peak, self.weight_decay, self.steps = peak, weight_decay, steps
        self.means = [torch.zeros_like(parameter) for parameter in self.parameters]
        self.squares = [torch.zeros_like(parameter) for parameter in self.parameters]
        self.counts = [torch.zeros((), device=parameter.device) for parameter in self.parameters]

    @property
    def done(self) -> int:
        return int(self.counts[0])

    def step(self, loss: Tensor) -> None:
        """One step down the gradient of `loss`."""
        self.descend(list(torch.autograd.grad(loss, self.parameters)))

    def descend(self, gradients: list[Tensor]) -> None:
        rate, momentum = one_cycle(self.done, self.steps, self.peak)
        with torch.no_grad():
            adamw(
                self.parameters,
                gradients,
                self.means,
                self.squares,
                [],
                self.counts,
                fused=True,
                amsgrad=False,
                beta1=momentum,
                beta2=0.999,
                lr=rate,
                weight_decay=self.weight_decay,
                eps=1e-8,
                maximize=False,
            )

    def tensors(self) -> dict[str, Tensor]:
        """All that the next step depends on, beside the parameters."""
        parts = {"mean": self.means, "square": self.squares, "count": self.counts}
        return {
            f"{name}.{i}": value for name, values in parts.items() for i, value in enumerate(values)
        }

    def load(self, tensors: dict[str, Tensor]) -> None:
        for name, value in self.tensors().items():
            value.copy_(tensors[name].view_as(value))
