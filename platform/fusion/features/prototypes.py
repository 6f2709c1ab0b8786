"""Definitions of labels in the last layer of every network: labels of like meaning are predicted
from like features.

A text encoder reads the definitions; s_k is the mean vector of label k's definitions, centred over
the labels and of length 1. A last layer is

    logits = x W + b,    W = U L',    L L' = (1 - r) I + r S S',    penalty |U|^2

on the hidden units of a network, whatever its method, and on the features themselves in the linear
part of a single-modality model; that is, a projection of x onto the prototypes, learned with the
label (DeViSE, Frome et al. 2013, NeurIPS; ESZSL, Romera-Paredes and Torr 2015, ICML), beside
weights that every label has for itself. A bilinear x V s_k with a penalty |V|^2 needs no more of
the prototypes than their products S S' (representer theorem), so this is that model. A label with
few samples, or none, borrows from its definition (Xian et al. 2018, on zero-shot learning); b is
the training prior, so that a label without a sample is not ruled out.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from fusion.core.arrays import Array, Floats
from fusion.core.progress import Progress, Silent
from fusion.data.alignment import Aligned, Cell, Modality
from fusion.encoders import catalogue
from fusion.encoders.cache import Cache
from fusion.encoders.embedding import embed
from fusion.knowledge.concepts import Concept
from fusion.schema.recipe import Recipe

SHARE = 0.5
"""r: the share of a label's weights that its definition determines."""
STEPS = 100


def encoder_of(recipe: Recipe) -> str:
    return recipe.knowledge.encoder or catalogue.default("text")[0]


def likeness_of(
    recipe: Recipe, labels: Sequence[str], cache: Cache | None, progress: Progress
) -> NDArray[np.float64] | None:
    """Return (1 - r) I + r S S' for a settled recipe, (K, K); None where definitions take no part.
    Raises EncoderError.
    """
    knowledge = recipe.knowledge
    if not knowledge.in_training or not knowledge.concepts:
        return None
    vectors = embedded(
        [concept.definition for concept in knowledge.concepts], encoder_of(recipe), cache, progress
    )
    return likeness(vectors, knowledge.concepts, labels)


def embedded(
    texts: Sequence[str], encoder: str, cache: Cache | None, progress: Progress
) -> NDArray[np.float64]:
    """Return the vectors of the texts, (n, t), each of length 1."""
    cells: list[Cell | None] = [Cell.text(text) for text in texts]
    aligned = Aligned(
        [str(i) for i in range(len(texts))],
        [None] * len(texts),
        {"definition": Modality("text", cells)},
    )
    return unit(
        embed(aligned, {"definition": encoder}, cache, Silent(progress.check))
        .x["definition"]
        .astype(np.float64)
    )


def likeness(
    vectors: Floats, concepts: Sequence[Concept], labels: Sequence[str]
) -> NDArray[np.float64] | None:
    """Return the likeness of labels by their definitions, (K, K); None with fewer than two defined
    labels. The definitions of several disciplines count alike.
    """
    rows_of_label = [
        [i for i, concept in enumerate(concepts) if concept.defined_label == label]
        for label in labels
    ]
    known = np.array([bool(rows) for rows in rows_of_label])
    if known.sum() < 2:
        return None
    prototypes = np.stack(
        [vectors[rows].mean(0) if rows else np.zeros(vectors.shape[1]) for rows in rows_of_label]
    )
    prototypes[known] = unit(prototypes[known] - prototypes[known].mean(0))
    likeness = SHARE * prototypes @ prototypes.T
    np.fill_diagonal(likeness, 1.0)
    return likeness


def relation(likeness: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return L' of L L' = likeness, (K, K), which turns U into W."""
    return np.asarray(np.linalg.cholesky(likeness).T, np.float64)


def unit(x: Floats) -> Floats:
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)


def related(
    x: NDArray[np.float32], y: Array, prior: Array, likeness: NDArray[np.float64], strength: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fit a linear model whose labels share weights by likeness; return weight (d, K), bias (K,).

    x: (n, d) of about unit variance; y: (n,) class numbers; prior: (K,).
    """
    features, truth = torch.from_numpy(x.astype(np.float64)), torch.from_numpy(y)
    outward, bias = (
        torch.from_numpy(relation(likeness)),
        torch.as_tensor(prior, dtype=torch.float64),
    )
    u = torch.zeros(x.shape[1], len(prior), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [u], max_iter=STEPS, line_search_fn="strong_wolfe", tolerance_grad=1e-6
    )

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        error = torch.nn.functional.cross_entropy(features @ (u @ outward) + bias, truth)
        loss = error + u.square().sum() / (2 * strength * max(1, len(truth)))
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    if len(truth):
        optimizer.step(closure)  # type: ignore[no-untyped-call, arg-type]
    return (u.detach() @ outward).numpy().astype(np.float32), np.asarray(prior, np.float32)
