"""Late fusion: the product of single-modality models (Kittler et al. 1998, On Combining
Classifiers).

    eta(y | x) = eta(y) + sum over the modalities m that are present of [eta_m(y | x_m) - eta(y)]

eta are the natural parameters of the task's distribution (fusion.tasks.base), so that a modality
that is absent takes no part and a sample without any has the training prior. Nothing is trained
beside the single models and their temperatures.
"""

from collections.abc import Sequence

import numpy as np

from fusion.core.arrays import Bools, Floats
from fusion.tasks.predictions import Coalition, MethodPredictions, Samples, hide


def late_predictions(
    outputs: Floats, temperatures: Floats, samples: Samples, wanted: Sequence[Coalition]
) -> MethodPredictions:
    """Return late fusion's predictions. outputs: (S, n, M, D) of the single models before their
    temperatures; temperatures: (n, M).
    """
    task = samples.task

    def product(beliefs: Floats, mask: Bools) -> Floats:
        return task.predictions(task.product(beliefs, mask, samples.log_prior))

    calibrated, plain = task.beliefs(outputs, temperatures), task.beliefs(outputs)
    return MethodPredictions(
        {coalition: product(calibrated, hide(samples.mask, coalition)) for coalition in wanted},
        product(plain, samples.mask),
    )


def single_predictions(
    outputs: Floats, temperatures: Floats, samples: Samples, column: int
) -> tuple[Floats, Floats]:
    """Return one modality's predictions, calibrated and not, (S, n, D) each; the training prior
    where it is absent. outputs, temperatures: as in `late_predictions`.
    """
    task, present = samples.task, samples.mask[:, column, None]
    own = outputs[:, :, column]
    calibrated = task.beliefs(own, temperatures[:, column])
    return (
        task.predictions(np.where(present, calibrated, samples.log_prior)),
        task.predictions(np.where(present, task.beliefs(own), samples.log_prior)),
    )
