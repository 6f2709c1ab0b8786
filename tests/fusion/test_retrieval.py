"""Finding one input of a sample by another: planted cases, ties, rounds, order, and the file that
holds the vectors.
"""

import dataclasses

import numpy as np
import pyarrow.parquet as pq
import pytest

from fusion.core.progress import Progress
from fusion.evaluation.retrieval import FIRST, alike, hit, retrieval
from fusion.features.representation import Space, drawn, evidence, unit, views
from fusion.pipeline.run import train
from fusion.pipeline.run_plan import nested_folds
from fusion.tasks.bootstrap import Resampler
from fusion.tasks.classification import Classification
from fusion.tasks.predictions import Scored

N, D = 240, 6


def planted(noise: float, seed: int = 0, rounds: int = 2) -> tuple[Space, Scored]:
    """Two readings of one hidden point a sample, in `rounds` rounds; every fifth sample lacks the
    second.
    """
    rng = np.random.default_rng(seed)
    point = rng.normal(size=(N, D))
    alone = {name: (point + noise * rng.normal(size=(N, D))).astype(np.float32) for name in "ab"}
    mask = np.stack([np.ones(N, bool), np.arange(N) % 5 > 0], 1)
    fold = np.array([f"r{i * rounds // N}" for i in range(N)])
    keys, cluster = [f"k{i:03}" for i in range(N)], np.array([f"c{i % 60}" for i in range(N)])
    scored = Scored(
        keys, np.arange(N) % 3, mask, np.zeros((N, 3)), cluster, fold, ["x", "y", "z"], ["a", "b"]
    )
    return Space(
        "gated",
        False,
        alone["a"],
        {name: values * mask[:, [i]] for i, (name, values) in enumerate(alone.items())},
    ), scored


def found(space: Space, scored: Scored):
    return retrieval(space, scored, Resampler(scored.cluster, 300))


def test_what_is_the_same_is_always_found_and_noise_only_by_chance():
    assert len(found(*planted(noise=0))) == 2
    for one in found(*planted(noise=0)):
        assert (one.recall.value, one.recall.low, one.n) == (1, 1, 192)
    for one in found(*planted(noise=1e6)):
        assert one.recall.low < one.chance < one.recall.high
    for one in found(*planted(noise=1)):
        assert one.recall.low > one.chance


def test_it_is_looked_for_among_those_of_the_round_that_have_it():
    there, back = found(*planted(noise=0))
    assert (there.query, there.target, there.candidates) == ("a", "b", 96)
    assert (back.query, back.target, back.candidates) == ("b", "a", 120)
    assert there.chance == pytest.approx(FIRST / 96)


def test_turning_the_space_of_one_round_changes_nothing():
    space, scored = planted(noise=1)
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(D, D)))
    first = (scored.fold == "r0")[:, None]
    turned = {
        name: np.where(first, values @ turn, values).astype(np.float32)
        for name, values in space.alone.items()
    }
    assert found(dataclasses.replace(space, alone=turned), scored) == found(space, scored)


def test_cells_that_are_the_same_are_found_as_often_as_chance_has_it():
    rng = np.random.default_rng(0)
    targets = np.repeat(unit(rng.normal(size=(3, D)).astype(np.float32)), 20, axis=0)
    assert hit(targets[[0]] @ targets.T, np.array([0])) == pytest.approx(FIRST / 20)
    assert hit(np.zeros((1, 60), np.float32), np.array([7])) == pytest.approx(FIRST / 60)


def test_the_label_of_the_nearest_others_is_counted_with_ties_as_chance_settles_them():
    near, labels = np.full((2, 40), 0.5, np.float32), np.arange(40) % 4
    near[:, :12] = 0.9
    near[:, 0] = 1
    nearest, others = alike(near.copy(), np.array([0, 39]), labels).T
    assert nearest.tolist() == pytest.approx([2 / 11, (0 + 9 * 3 / 11) / 10]), (
        "eleven are level, and the second asks for another label"
    )
    assert others.tolist() == pytest.approx([9 / 39, 9 / 39])


def test_labels_are_told_only_where_a_sample_bears_one():
    space, scored = planted(noise=1)
    one, _ = found(space, scored)
    assert one.same_label_by_chance == pytest.approx(1 / 3, abs=0.02)
    several = dataclasses.replace(scored, y=np.eye(3)[scored.y])
    assert found(space, several)[0].same_label is None


def test_the_order_of_samples_changes_nothing():
    space, scored = planted(noise=1)
    fold = np.argsort(scored.fold, kind="stable")
    turn = np.concatenate(
        [
            np.random.default_rng(2).permutation(fold[scored.fold[fold] == name])
            for name in ("r1", "r0")
        ]
    )
    mixed = Space(
        space.method,
        False,
        space.whole[turn],
        {name: values[turn] for name, values in space.alone.items()},
    )
    keys = [scored.keys[i] for i in turn]
    other = Scored(
        keys,
        scored.y[turn],
        scored.mask[turn],
        scored.log_prior,
        scored.cluster[turn],
        scored.fold[turn],
        *("xyz", ["a", "b"]),
    )
    for one, again in zip(found(space, scored), found(mixed, other), strict=True):
        assert again.recall.value == pytest.approx(one.recall.value)
        assert (again.n, again.chance) == (one.n, pytest.approx(one.chance))


def test_who_is_drawn_depends_on_the_keys_alone():
    keys = [f"S{i}" for i in range(500)]
    some = {keys[row] for row in drawn(keys, 50)}
    assert some == {keys[::-1][row] for row in drawn(keys[::-1], 50)}
    assert len(some) == 50
    assert drawn(keys, 500).tolist() == list(range(500))


def test_what_is_hidden_cannot_reach_the_vector_of_late_fusion():
    rng = np.random.default_rng(3)
    logits, mask = rng.normal(size=(5, 2, 3)), np.array([[True, True]] * 5)
    only = views(mask)[1]
    other = logits.copy()
    other[:, 1] *= 100
    task = Classification(["x", "y", "z"])
    one, again = (evidence(task, task.beliefs(x), only, np.zeros(3)) for x in (logits, other))
    np.testing.assert_array_equal(one, again)


@pytest.mark.parametrize("method", ["late", "gated", "ensemble"])
def test_a_run_keeps_the_vectors_of_its_test_samples_by_the_models_that_had_not_seen_them(
    method, toy, small, tmp_path, monkeypatch
):
    """The file holds what the models of the rounds say, not the final model."""
    told = {}

    def watched(crossfit, predictions, models):
        told[predictions.fold.name] = vectors_of(crossfit, predictions, models)
        return told[predictions.fold.name]

    from fusion.training.oof_predictions import vectors_of

    monkeypatch.setattr("fusion.training.oof_predictions.vectors_of", watched)
    recipe, aligned = small().model_copy(update={"method": method}), toy()
    result = train(aligned, recipe, tmp_path, None, Progress())
    table = pq.read_table(tmp_path / "representation.parquet")
    rows = {row["key"]: row for row in table.to_pylist()}
    for each in nested_folds(aligned, recipe):
        for place, row in enumerate(each.test):
            mine = rows[aligned.keys[row]]
            assert mine["space"] == (each.name if method == "gated" else None)
            assert (mine["fold"], mine["truth"]) == (each.name, aligned.labels[row])
            assert mine["column:s.quality"] == aligned.extras["s.quality"][row]
            for view, name in enumerate(("all", "alone:a", "alone:b")):
                there = name == "all" or aligned.modalities[name[-1]].cells[row] is not None
                assert (mine[name] is not None) == there
                if there:
                    np.testing.assert_allclose(mine[name], told[each.name][view, place], rtol=1e-6)
    assert len(rows) == result.n_samples
    assert [(one.query, one.target) for one in result.retrieval] == [("a", "b"), ("b", "a")]
