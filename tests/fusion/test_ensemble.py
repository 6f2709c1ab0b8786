"""An ensemble: weights chosen on training samples, any subset of modalities, one bundle that
answers alike in another process.
"""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax

from fusion.core.files import digest_of, write_json
from fusion.core.progress import Progress
from fusion.methods.ensemble import Pool
from fusion.pipeline.bundle import BundleError
from fusion.pipeline.bundle_files import load
from fusion.pipeline.evaluate_bundle import score
from fusion.pipeline.run import train
from fusion.schema.recipe import Recipe
from fusion.tasks import task_of
from fusion.tasks.calibration import log_loss
from tests.fusion.conftest import relabelled

TASK = task_of("classification", ["a", "b", "c", "d"])


def asked(small, **ensemble):
    changes = {"method": "ensemble", "compare": ["late", "gated", "concat"], "ensemble": ensemble}
    return Recipe.parse(small().model_dump() | changes)


@pytest.fixture(scope="module")
def run(toy, small, tmp_path_factory):
    """The result and the folder of its bundle."""
    out = tmp_path_factory.mktemp("ensemble")
    return train(toy(), asked(small), out, None, Progress()), out


def features(n=9):
    rng = np.random.default_rng(2)
    return {
        "a": rng.normal(size=(n, 5)).astype(np.float32),
        "b": rng.normal(size=(n, 4)).astype(np.float32),
    }


def answers(rng, members=3, n=60, classes=4):
    """Log-probabilities of members of different worth, and the truth."""
    y = rng.integers(classes, size=n)
    worth = rng.uniform(0, 2, size=(members, 1, 1))
    logits = worth * np.eye(classes)[y] + rng.normal(size=(members, n, classes))
    return {f"m{i}": each for i, each in enumerate(log_softmax(logits, axis=-1))}, y


@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_weights_sum_to_one_and_are_no_worse_than_the_best_member_where_they_were_chosen(
    seed, members
):
    log_p, y = answers(np.random.default_rng(seed), members)
    pool = Pool.of(TASK, log_p, y)
    assert min(pool.weights.values()) >= 0
    assert sum(pool.weights.values()) == pytest.approx(1)
    joined = pool(TASK, log_p)
    np.testing.assert_allclose(np.exp(joined).sum(-1), 1)
    assert log_loss(joined, y, 1.0) <= min(log_loss(each, y, 1.0) for each in log_p.values()) + 1e-9


def test_a_member_that_only_guesses_gets_little_weight():
    rng = np.random.default_rng(3)
    log_p, y = answers(rng, members=2, n=400)
    log_p["guess"] = log_softmax(rng.normal(size=(400, 4)) * 3, axis=-1)
    assert Pool.of(TASK, log_p, y).weights["guess"] <= 0.05


def test_where_a_sample_lacks_a_modality_late_fusion_answers(run):
    bundle = load(run[1])
    x = features()
    for name in ("a", "b"):
        only = {name: x[name]}
        np.testing.assert_allclose(
            bundle.predict_features(only), bundle.predict_features(only, method=name), atol=1e-12
        )
    assert not np.allclose(bundle.predict_features(x), bundle.predict_features(x, method="late"))
    nothing = bundle.predict_features(x, mask=np.zeros((9, 2), bool))
    np.testing.assert_allclose(nothing, np.tile(np.exp(bundle.log_prior), (9, 1)), atol=1e-6)


def test_with_a_modality_absent_it_is_never_below_what_is_left(run):
    result = run[0]
    own = [one for one in result.shortfalls if one.method == "ensemble"]
    assert {one.modality for one in own} == {"a", "b"}
    assert all(one.difference.value == pytest.approx(0, abs=1e-12) for one in own)
    alone = {one.modality: one.score.value for one in result.singles}
    for one in result.missing:
        [left] = set(alone) - set(one.without)
        assert one.score.value == pytest.approx(alone[left])


def test_the_report_has_all_members_beside_it_and_shares_that_add_up(run):
    result = run[0]
    assert result.method == "ensemble"
    assert {one.name for one in result.methods} == {"ensemble", "late", "gated", "concat"}
    parts = result.contributions
    assert sum(one.value for one in parts.shares) == pytest.approx(parts.total - parts.prior)
    chosen = result.environment["chosen"]["S0"]["ensemble"]
    assert sum(chosen["weights"].values()) == pytest.approx(1)
    assert set(chosen["weights"]) == {"late", "gated", "concat"}


def test_permuting_the_labels_of_the_test_fold_changes_no_weight(run, toy, small, tmp_path):
    changed = train(relabelled(toy(), "S0"), asked(small), tmp_path, None, Progress())
    assert changed.environment["chosen"]["S0"] == run[0].environment["chosen"]["S0"]
    assert changed.metrics != run[0].metrics


ELSEWHERE = """
import sys, numpy as np, fusion
for folder in sys.argv[1:]:
    rng = np.random.default_rng(2)
    x = {"a": rng.normal(size=(9, 5)).astype(np.float32), "b": rng.normal(size=(9, 4)).astype(np.float32)}
    bundle = fusion.load(folder)
    for given in (x, {"a": x["a"]}):
        print(*bundle.predict_features(given).ravel(), *bundle.represent_features(given).ravel())
"""


def test_a_fresh_process_answers_alike(run):
    folders = [str(run[1])]
    told = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, *folders], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    mine = []
    for folder in folders:
        x, bundle = features(), load(folder)
        for some in (x, {"a": x["a"]}):
            mine.append(
                np.concatenate(
                    [bundle.predict_features(some).ravel(), bundle.represent_features(some).ravel()]
                )
            )
    assert len(told) == 2
    for line, here in zip(told, mine):
        np.testing.assert_allclose(np.array(line.split(), float), here, atol=1e-5)


def test_the_space_of_an_ensemble_is_its_evidence_for_each_label(run):
    bundle = load(run[1])
    x = {"a": np.ones((2, 5), np.float32), "b": np.zeros((2, 4), np.float32)}
    p, space = bundle.predict_features(x), bundle.represent_features(x)
    evidence = np.log(p) - bundle.log_prior
    np.testing.assert_allclose(space, evidence - evidence.mean(1, keepdims=True), atol=1e-5)


def test_a_stored_ensemble_is_judged_on_new_samples(run, toy):
    found = score(load(run[1]), toy(seed=1), None, Progress())
    assert found.method == "ensemble"
    assert {one.name for one in found.methods} == {"ensemble", "late", "gated", "concat"}


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": 0},
        {"weights": {"late": 0.5}},
        {"weights": {"late": 0.5, "magic": 0.5}},
        {"weights": {"late": 2.0, "gated": -1.0}},
    ],
)
def test_a_bundle_whose_weights_make_no_sense_is_refused(run, tmp_path, change):
    copy = shutil.copytree(run[1], tmp_path / "copy")
    facts = json.loads((copy / "bundle.json").read_text())
    facts.pop("digest")
    facts["ensemble"] |= change
    write_json(copy / "bundle.json", facts | {"digest": digest_of(facts)})
    with pytest.raises(BundleError, match="ensemble"):
        load(copy)


def test_the_members_are_what_the_recipe_names_or_trains_anyway():
    def members(**data):
        return Recipe.parse(data).members

    assert members(method="late", compare=["gated"]) == []
    assert members(method="ensemble") == ["concat", "gated", "late"]
    assert members(method="ensemble", compare=["lowrank"]) == ["late", "lowrank"]
    assert members(method="gated", compare=["ensemble"]) == ["gated", "late"]
    assert members(method="ensemble", ensemble={"of": ["late"]}) == ["late"]
    assert Recipe.parse({"method": "ensemble", "ensemble": {"of": ["gated"]}}).methods == [
        "ensemble",
        "gated",
    ]


def test_the_pool_of_numbers_weighs_means_by_their_precision():
    """Two Gaussian beliefs, one of them three times as certain: the mean of the pool lies three
    times as near to it.
    """
    task = task_of("regression")
    beliefs = {"sure": np.array([[0.0, np.log(1.0)]]), "vague": np.array([[4.0, np.log(3.0)]])}
    [[mean, log_variance]] = Pool({"sure": 0.5, "vague": 0.5}, 1.0)(task, beliefs)
    assert mean == pytest.approx(1.0)
    assert np.exp(log_variance) == pytest.approx(1 / (0.5 + 0.5 / 3))
