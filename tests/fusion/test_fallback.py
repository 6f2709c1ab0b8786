"""A floor for missing modalities: with one modality only, a joint method answers as that modality's
own model, and nothing else changes.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.core.progress import Progress
from fusion.methods.fallback import hand_over
from fusion.pipeline.bundle_files import load
from fusion.pipeline.evaluate_bundle import score
from fusion.pipeline.run import train
from fusion.schema.recipe import Recipe

MODALITIES = ["a", "b"]


@pytest.fixture(scope="module")
def runs(toy, small, tmp_path_factory):
    """{asked for a floor: (result, bundle)} of the same joint recipe."""
    found = {}
    for floor in (False, True):
        out = tmp_path_factory.mktemp("floor")
        recipe = small(floor=floor).model_copy(
            update={"method": "gated", "compare": ["late", "concat"]}
        )
        found[floor] = train(toy(), recipe, out, None, Progress()), load(out)
    return found


@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_handing_over_changes_samples_with_one_modality_and_no_other(seed, m):
    rng = np.random.default_rng(seed)
    joint, *singles = rng.dirichlet(np.ones(3), size=(m + 1, 2, 15))
    mask = rng.random((15, m)) < 0.5
    found = hand_over(joint, singles, mask)
    for row in range(15):
        present = np.flatnonzero(mask[row])
        wanted = singles[present[0]] if len(present) == 1 else joint
        np.testing.assert_array_equal(found[:, row], wanted[:, row])


def test_with_a_floor_no_method_falls_short_of_a_single_modality(runs):
    found = runs[True][0].shortfalls
    assert {(one.method, one.modality) for one in found} == {
        (m, x) for m in ("gated", "late", "concat") for x in MODALITIES
    }
    for one in found:
        assert one.difference.value == pytest.approx(0, abs=1e-12)
        assert one.difference.low == pytest.approx(0, abs=1e-12)
        assert one.difference.verdict == "no clear difference"
        assert one.score.value == pytest.approx(one.alone.value)


def test_without_one_the_shortfall_is_reported_with_its_interval(runs):
    found = {(one.method, one.modality): one for one in runs[False][0].shortfalls}
    assert all(
        found["late", name].difference.value == pytest.approx(0, abs=1e-12) for name in MODALITIES
    )
    joint = [found["gated", name].difference for name in MODALITIES]
    assert any(one.value != 0 for one in joint)
    assert all(one.low <= one.value <= one.high for one in joint)
    assert all(
        one.value
        == pytest.approx(
            found["gated", one.over].score.value - found["gated", one.over].alone.value
        )
        for one in joint
    )


def test_the_kept_model_keeps_the_floor_and_is_otherwise_the_same(runs):
    rng = np.random.default_rng(2)
    x = {
        "a": rng.normal(size=(9, 5)).astype(np.float32),
        "b": rng.normal(size=(9, 4)).astype(np.float32),
    }
    (_, plain), (_, floored) = runs[False], runs[True]
    np.testing.assert_array_equal(floored.predict_features(x), plain.predict_features(x))
    for name in MODALITIES:
        only = {name: x[name]}
        np.testing.assert_array_equal(
            floored.predict_features(only), floored.predict_features(only, method=name)
        )
        assert not np.allclose(
            plain.predict_features(only), plain.predict_features(only, method=name)
        )


def test_the_kept_model_is_judged_with_its_floor(runs, toy):
    """As it answers in use: `score` on new samples, where one modality is all there is."""
    found = score(runs[True][1], toy(seed=1), None, Progress())
    assert {one.method for one in found.shortfalls} == {"gated", "late", "concat"}
    assert all(one.difference.value == pytest.approx(0, abs=1e-12) for one in found.shortfalls)
    plain = score(runs[False][1], toy(seed=1), None, Progress())
    assert any(one.difference.value != 0 for one in plain.shortfalls)


def test_the_default_recipe_asks_for_none():
    assert Recipe.default().training.floor is False
    assert Recipe.from_text("training: {floor: true}").training.floor is True
