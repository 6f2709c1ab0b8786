"""The map of the test samples: near stays near, the same map twice, one for each round where rounds
have spaces of their own.
"""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from fusion.evaluation import embedding_map as module
from fusion.evaluation.embedding_map import flat, places
from fusion.features.representation import Space
from fusion.tasks.predictions import Scored

N = 180


def clouds(common: bool = True) -> tuple[Space, Scored]:
    """Three clouds in nine dimensions, over two rounds."""
    rng = np.random.default_rng(0)
    y = np.arange(N) % 3
    whole = (3 * rng.normal(size=(3, 9))[y] + rng.normal(size=(N, 9))).astype(np.float32)
    fold = np.array(["r0", "r1"])[np.arange(N) * 2 // N]
    nobody = np.array([""] * N)
    scored = Scored(
        [f"k{i:03}" for i in range(N)],
        y,
        np.ones((N, 1), bool),
        np.zeros((N, 3)),
        nobody,
        fold,
        ["x", "y", "z"],
        ["a"],
    )
    return Space("late" if common else "gated", common, whole, {"a": whole}), scored


def same_label(at: np.ndarray, y: np.ndarray) -> float:
    near = NearestNeighbors(n_neighbors=6).fit(at).kneighbors(return_distance=False)
    return float((y[near] == y[:, None]).mean())


def test_what_is_near_in_the_space_is_near_on_the_map():
    space, scored = clouds()
    at = places(space, scored)
    assert same_label(at, scored.y) > same_label(space.whole, scored.y) - 0.05
    assert (np.abs(at).max(), at.shape) == (1, (N, 2))


def test_the_same_map_comes_out_twice():
    np.testing.assert_array_equal(places(*clouds()), places(*clouds()))


def test_each_round_has_a_map_of_its_own_where_its_space_is_its_own():
    space, scored = clouds(common=False)
    at = places(space, scored)
    for name in ("r0", "r1"):
        mine = scored.fold == name
        np.testing.assert_array_equal(at[mine], flat(space.whole[mine]))


def test_of_very_many_samples_some_are_drawn_and_the_others_have_no_place(monkeypatch):
    monkeypatch.setattr(module, "MOST", 50)
    at = places(*clouds())
    assert np.isfinite(at).all(1).sum() == 50


@pytest.mark.parametrize(
    "vectors",
    [np.ones((1, 4)), np.zeros((30, 4)), np.arange(5.0)[:, None] - 2, np.eye(20)[:, :2], np.eye(9)],
)
def test_few_samples_and_samples_that_are_all_the_same_have_a_place(vectors):
    at = flat(vectors.astype(np.float32))
    assert at.shape == (len(vectors), 2)
    assert np.isfinite(at).all()
