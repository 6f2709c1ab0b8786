"""Temperature scaling and expected calibration error.

Guo et al. 2017, On Calibration of Modern Neural Networks (ICML): one temperature divides all
logits, chosen by log loss.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusion.core.arrays import Floats, Ints
from fusion.schema.result import Bin, Reliability
from fusion.tasks.bootstrap import Resampler, interval

Loss = Callable[[NDArray[Any], NDArray[Any], float], float]
"""Outputs (n, D), y (n, ...), temperature -> a mean."""
BINS = 15
ENOUGH = 10
"""Fewer samples than this say nothing about a temperature."""


def temperature_of(outputs: NDArray[Any], y: NDArray[Any], loss: Loss | None = None) -> float:
    """The temperature, between 0.1 and 20, of least loss. outputs: (n, D), by default logits of
    classes.
    """
    if len(y) < ENOUGH:
        return 1.0
    from scipy.optimize import minimize_scalar

    outputs, loss = outputs.astype(np.float64), loss or log_loss
    optimum = minimize_scalar(
        lambda logarithm: loss(outputs, y, float(np.exp(logarithm))),
        bounds=(np.log(0.1), np.log(20)),
        method="bounded",
        options={"xatol": 1e-3},
    )
    return float(np.exp(optimum.x))


def log_loss(logits: NDArray[Any], y: Ints, temperature: float) -> float:
    """Mean of -log p(y) of logits (n, K) at a temperature."""
    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(1, keepdims=True)
    return float((np.log(np.exp(scaled).sum(1)) - scaled[np.arange(len(y)), y]).mean())


def bin_sums(y: Ints, probabilities: Floats) -> Floats:
    """Per sample, (n, 3 * BINS): 1, confidence and right-or-wrong, each in the bin of the
    confidence.
    """
    confidence = probabilities.max(1)
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    members = np.eye(BINS)[bins]
    return np.concatenate(
        [members, members * confidence[:, None], members * (probabilities.argmax(1) == y)[:, None]],
        axis=1,
    )


def ece_of(sums: Floats) -> Floats:
    """(..., 3 * BINS) -> (...,): mean over samples of |confidence - accuracy| of their bin."""
    number, confidence, right = np.split(sums, 3, axis=-1)
    return np.abs(confidence - right).sum(-1) / np.maximum(number.sum(-1), 1e-12)


def reliability(resampler: Resampler, y: Ints, probabilities: Floats) -> Reliability:
    """probabilities: (S, n, K); bins hold the mean over the seeds."""
    return reliability_of(np.stack([resampler.sums(bin_sums(y, p)) for p in probabilities]))


def reliability_of(sums: Floats) -> Reliability:
    """sums: (S, 1 + draws, 3 * BINS)"""
    number, confidence, right = np.split(sums.mean(0), 3, axis=-1)
    bins = []
    for i in range(BINS):
        if number[0, i] == 0:
            continue
        with np.errstate(invalid="ignore", divide="ignore"):
            accuracy = interval(right[:, i] / number[:, i])
        edges = {"lower": i / BINS, "upper": (i + 1) / BINS}
        bins.append(
            Bin(
                **edges,
                n=round(number[0, i]),
                confidence=confidence[0, i] / number[0, i],
                accuracy=accuracy,
            )
        )
    return Reliability(ece=interval(ece_of(sums).mean(0)), bins=bins)
