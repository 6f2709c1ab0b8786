"""A small study in memory: two readings of a hidden class, from three groups, without any encoder's
weights.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fusion.core.progress import Progress
from fusion.data.alignment import Aligned, Cell, Modality
from fusion.pipeline.run import train
from fusion.schema.recipe import Recipe


def toy_alignment(
    n: int = 108,
    seed: int = 0,
    noise: float = 1.2,
    missing: float = 0.15,
    labels: Any = None,
    **changes: Any,
) -> Aligned:
    """`b` is the weaker of two tables; each lacks some samples; the label is one of three, the
    groups are three.
    """
    rng = np.random.default_rng(seed)
    y = rng.integers(3, size=n)
    centres = {"a": rng.normal(size=(3, 5)), "b": rng.normal(size=(3, 4)) * 0.7}
    modalities = {}
    for name, centre in centres.items():
        rows = centre[y] + rng.normal(scale=noise, size=(n, centre.shape[1]))
        gone = rng.random(n) < missing
        cells = [None if lost else Cell.numbers(row.tolist()) for row, lost in zip(rows, gone)]
        modalities[name] = Modality(
            "table", cells, fields=[f"{name}{i}" for i in range(centre.shape[1])]
        )
    given = {
        "keys": [f"T{i:04d}" for i in range(n)],
        "labels": [f"class {k}" for k in y] if labels is None else labels,
        "modalities": modalities,
        "groups": {"s.site": [f"S{i % 3}" for i in range(n)]},
        "extras": {
            "s.writer": [f"W{i % 36}" for i in range(n)],
            "s.quality": ["good" if i % 5 else "poor" for i in range(n)],
        },
        "cluster": "s.writer",
    }
    return Aligned(**(given | changes))


def asked(task: str) -> Aligned:
    """The toy alignment asked for another learning task: a number about 2,000, an order, or a set
    of labels.
    """
    aligned = toy_alignment()
    y, rng = [int(label[-1]) for label in aligned.labels], np.random.default_rng(4)
    sets = [["even"], ["odd"], ["even", "large"]]
    labels: dict[str, Any] = {
        "regression": [2000 + 10 * k + float(rng.normal()) for k in y],
        "ordinal": [["low", "middle", "high"][k] for k in y],
        "multi-label": [sets[k] for k in y],
    }
    order = ["low", "middle", "high"] if task == "ordinal" else []
    return replace(aligned, labels=labels.get(task, aligned.labels), label_order=order, task=task)


def turned(aligned: Aligned) -> Aligned:
    """The same samples in another order, and its modalities too."""
    turn = np.random.default_rng(3).permutation(len(aligned)).tolist()

    def mixed(values: Any) -> list[Any]:
        return [values[i] for i in turn]

    return replace(
        aligned,
        keys=mixed(aligned.keys),
        labels=mixed(aligned.labels),
        modalities={
            name: replace(one, cells=mixed(one.cells))
            for name, one in reversed(aligned.modalities.items())
        },
        groups={name: mixed(values) for name, values in aligned.groups.items()},
        extras={name: mixed(values) for name, values in aligned.extras.items()},
    )


def relabelled(aligned: Aligned, site: str) -> Aligned:
    """With the labels of one group handed round among its samples."""
    held = [i for i, name in enumerate(aligned.groups["s.site"]) if name == site]
    labels = list(aligned.labels)
    for i, j in zip(held, held[1:] + held[:1]):
        labels[i] = aligned.labels[j]
    assert labels != aligned.labels
    return replace(aligned, labels=labels)


def small_recipe(**training: Any) -> Recipe:
    settings = {
        "seeds": [0],
        "epochs": 3,
        "patience": 3,
        "hidden_dim": 8,
        "inner_folds": 2,
        "dropout": 0.1,
        "input_dropout": 0.1,
    }
    return Recipe.parse(
        {"compare": ["gated"], "training": settings | training, "evaluation": {"draws": 100}}
    )


@pytest.fixture(scope="session")
def toy() -> Callable[..., Aligned]:
    return toy_alignment


@pytest.fixture(scope="session")
def of_task() -> Callable[[str], Aligned]:
    return asked


@pytest.fixture(scope="session")
def small() -> Callable[..., Recipe]:
    return small_recipe


@pytest.fixture(scope="module")
def folder(
    toy: Callable[..., Aligned],
    small: Callable[..., Recipe],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The folder of a trained bundle that reads `a` and `b`."""
    out = tmp_path_factory.mktemp("bundle")
    train(toy(), small(), out, None, Progress())
    return out
