"""A few numbers learned with a linear model of the label on what they make of the features, by
L-BFGS on training rows alone.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from fusion.core.arrays import Ints
from fusion.tasks.base import LearningTask
from fusion.tasks.linear_strength import STRENGTHS
from fusion.tasks.losses import TEACHING

MOST_ROWS = 4000
"""Enough to tell a few numbers."""
STEPS = 25


def some_of(n: int) -> Ints:
    """Rows spread evenly over n of them, MOST_ROWS at most."""
    return np.unique(np.linspace(0, n - 1, min(n, MOST_ROWS)).round().astype(int))


def learn(
    values: Sequence[Tensor],
    made: Callable[[], Tensor],
    y: Tensor,
    task: LearningTask,
    penalised: Sequence[Tensor] = (),
) -> None:
    """Changes `values` in place. made: gives (n, d) by them; y: (n, ...); penalised: those of them
    that are pulled to 0.
    """
    x = made()
    prior = torch.as_tensor(task.prior(y.numpy()), dtype=x.dtype)
    weight, bias = torch.zeros(x.shape[1], task.width, dtype=x.dtype), prior.clone()
    everything = [each.requires_grad_() for each in (*values, weight, bias)]
    speak, losses = TEACHING[task.name]
    optimizer = torch.optim.LBFGS(
        everything, max_iter=STEPS, line_search_fn="strong_wolfe", tolerance_grad=1e-6
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        x = made()
        x = x / x.square().mean().sqrt().clamp(
            min=1e-6
        )  # as the whitening will; else the penalty on `weight` would speak for one layer
        pull = sum((each.square().sum() for each in (weight, *penalised)), torch.zeros(()))
        loss = losses(y, 0.0, speak(x @ weight + bias, prior)).mean() + pull / (
            2 * STRENGTHS[1] * len(x)
        )
        loss.backward()
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call, arg-type]
    for each in values:
        each.requires_grad_(False)
