"""The single-modality fallback (`floor` in a recipe) of a method: where only one modality is
present, its own calibrated model predicts.

Ma et al. 2022, Are Multimodal Transformers Robust to Missing Modality? (CVPR) show joint models
that fall below a single-modality model when much is missing. Handing over is exact: with one
modality present the predictions are those of its model, so they cannot be worse. A mixture of both
could be, on people whom the inner folds did not hold, and so nothing is chosen here; the
temperature of the single model, as ever, comes from the inner folds. Late fusion needs none of
this: its product then has one factor.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fusion.core.arrays import Floats
from fusion.tasks.predictions import MethodPredictions, Samples, hide


def hand_over(joint: Floats, singles: Sequence[Floats], mask: NDArray[np.bool_]) -> Floats:
    """joint: (..., n, K) probabilities, singles: one such array a modality, mask: (n, M) what is
    present -> (..., n, K).
    """
    predictions = joint.copy()
    for column, single in enumerate(singles):
        only = mask[:, column] & (mask.sum(1) == 1)
        predictions[..., only, :] = single[..., only, :]
    return predictions


def with_fallback(
    predictions: MethodPredictions, singles: Sequence[tuple[Floats, Floats]], samples: Samples
) -> MethodPredictions:
    """A joint method that leaves samples with one modality to that modality's model. singles:
    calibrated and not, (S, n, K) each.
    """
    calibrated, plain = [pair[0] for pair in singles], [pair[1] for pair in singles]
    by_coalition = {
        c: hand_over(p, calibrated, hide(samples.mask, c))
        for c, p in predictions.by_coalition.items()
    }
    return MethodPredictions(by_coalition, hand_over(predictions.uncalibrated, plain, samples.mask))
