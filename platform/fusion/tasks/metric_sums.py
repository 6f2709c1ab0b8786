"""Metrics as functions of sums, so that a bootstrap draw is one weighted sum and not one more pass
over the samples.

macro-F1 is the mean over the classes that occur in truth or answers, as scikit-learn's
f1_score(average="macro"). Every function takes (..., F) sums, one row a draw, and gives (...,).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusion.core.arrays import Floats, Ints


def counts(y: Ints, answer: Ints, k: int) -> Floats:
    """Per sample, (n, 3K): right answers, answers, truths of each class; their sums hold all that
    F1 needs.
    """
    eye = np.eye(k)
    return np.concatenate([eye[y] * (y == answer)[:, None], eye[answer], eye[y]], axis=1)


def f1_of(sums: Floats) -> Floats:
    """(..., 3K) -> (..., K); NaN for a class that is neither truth nor answer."""
    right, answered, true = np.split(sums, 3, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return 2 * right / (answered + true)


def mean_of_defined(values: Floats) -> Floats:
    """Mean over the last axis without the NaN; 0 where nothing is defined."""
    defined = ~np.isnan(values)
    return np.where(defined, values, 0).sum(-1) / np.maximum(defined.sum(-1), 1)


def macro_f1_of(sums: Floats) -> Floats:
    return mean_of_defined(f1_of(sums))


def accuracy_of(sums: Floats) -> Floats:
    right, _, true = np.split(sums, 3, axis=-1)
    return right.sum(-1) / np.maximum(true.sum(-1), 1e-12)


def balanced_accuracy_of(sums: Floats) -> Floats:
    right, _, true = np.split(sums, 3, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return mean_of_defined(right / true)


def precision_recall(sums: Floats) -> tuple[Floats, Floats]:
    """(3K,) -> (K,), (K,); 0 where nothing was answered, or nothing is true."""
    right, answered, true = np.split(sums, 3, axis=-1)
    return right / np.maximum(answered, 1), right / np.maximum(true, 1)


def macro_f1(y: NDArray[Any], answer: NDArray[Any], k: int) -> float:
    return float(macro_f1_of(counts(y, answer, k).sum(0)))


def losses(y: Ints, probabilities: Floats) -> Floats:
    """Per sample, (n, 3): log loss, Brier score (sum over classes of the squared error), 1."""
    p = np.clip(probabilities[np.arange(len(y)), y], 1e-15, 1)
    brier = ((probabilities - np.eye(probabilities.shape[1])[y]) ** 2).sum(1)
    return np.stack([-np.log(p), brier, np.ones(len(y))], axis=1)


def mean_loss(sums: Floats, which: int) -> Floats:
    return sums[..., which] / np.maximum(sums[..., 2], 1e-12)


def auroc_bins(score: Floats, most: int = 1024) -> tuple[Ints, int]:
    """(n,) -> the bin of each score, and how many bins there are: equal numbers of distinct scores
    in each, so that no resolution is lost where scores crowd; one a distinct score where they are
    few.
    """
    distinct, rank = np.unique(score, return_inverse=True)
    width = min(most, max(len(distinct), 1))
    return (rank * width // max(len(distinct), 1)).astype(np.int64), width


def auroc_of(positive: NDArray[Any], negative: NDArray[Any]) -> Floats:
    """Area under the ROC curve from histograms (..., bins); scores in one bin count as ties. NaN
    without both classes.
    """
    below = np.cumsum(negative, axis=-1, dtype=np.float64)
    below -= negative / 2
    pairs = positive.sum(-1, dtype=np.float64) * negative.sum(-1, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.einsum("...i,...i->...", positive, below) / pairs


def steps(y: Ints, answer: Ints) -> Floats:
    """Per sample, (n, 7): 1, |y - answer|, its square, y, y squared, answer, answer squared."""
    off, ones = np.abs(y - answer), np.ones(len(y))
    return np.stack([ones, off, off**2, y, y**2, answer, answer**2], axis=1).astype(np.float64)


def weighted_kappa_of(sums: Floats) -> Floats:
    """Return the weighted kappa from sums of `steps`: 1 - squared steps off / those expected of
    answers that know nothing of the truth. 0 where both are constant.
    """
    n, _, squares, y, yy, a, aa = np.moveaxis(sums, -1, 0)
    expected = yy + aa - 2 * y * a / np.maximum(n, 1e-12)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(expected > 1e-9, 1 - squares / expected, 0.0)


def errors(y: Floats, answers: Floats, origin: float) -> Floats:
    """Return the errors of numbers per sample, (n, 6): 1, y and its square about `origin`, squared
    error, absolute error, -log density.

    answers: (n, 2), mean and spread.
    """
    mean, spread = answers.T
    error, about = y - mean, y - origin
    density = 0.5 * (np.log(2 * np.pi) + (error / spread) ** 2) + np.log(spread)
    return np.stack([np.ones(len(y)), about, about**2, error**2, np.abs(error), density], axis=1)


def r2_of(sums: Floats, whole: Floats) -> Floats:
    """Share of the variance of `whole` that is explained on the samples of `sums`; NaN where there
    is none. Both are sums of errors.
    """
    n, y, yy = (whole[..., k] for k in range(3))
    around = yy - y**2 / np.maximum(n, 1e-12)
    unexplained = sums[..., 3] * n / np.maximum(sums[..., 0], 1e-12)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(around > 1e-12 * np.maximum(yy, 1e-300), 1 - unexplained / around, np.nan)


def rank_bins(values: Floats, most: int) -> Ints:
    """(n,) -> bins of equal numbers of distinct values, in their order."""
    return auroc_bins(values, most)[0]


def rank_correlation_of(joint: Floats) -> Floats:
    """Spearman's rho of tables (..., B, B) of bins of one by bins of the other; what is in one bin
    is tied. NaN where one is constant.
    """
    joint = np.asarray(joint, dtype=np.float64)
    rows, columns = joint.sum(-1), joint.sum(-2)
    n = rows.sum(-1)
    a, b = (
        np.cumsum(counts, axis=-1) - counts / 2 - n[..., None] / 2 for counts in (rows, columns)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        shared = np.einsum("...ij,...i,...j->...", joint, a, b, optimize=True)
        return shared / np.sqrt((rows * a**2).sum(-1) * (columns * b**2).sum(-1))


def label_counts(y: NDArray[np.bool_], answer: NDArray[np.bool_]) -> Floats:
    """Return the `counts` of sets of labels, (n, 3L). y, answer: (n, L)."""
    return np.concatenate([y & answer, answer, y], axis=1).astype(np.float64)


def micro_f1_of(sums: Floats) -> Floats:
    """(..., 3L) -> (...,): over all labels of all samples together; 0 where nothing is true or
    answered.
    """
    right, answered, true = (part.sum(-1) for part in np.split(sums, 3, axis=-1))
    return 2 * right / np.maximum(answered + true, 1e-12)
