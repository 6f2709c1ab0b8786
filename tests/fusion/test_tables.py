"""Tables: columns of units of their own, with gaps of which a model learns what they mean."""

import numpy as np
import pytest

from fusion.core.progress import Progress
from fusion.data.alignment import Aligned, Cell, Modality
from fusion.encoders import load
from fusion.encoders.cache import Cache
from fusion.features.whitening import Whitening
from fusion.pipeline.run import train
from fusion.schema.recipe import Evaluation, Recipe, Training


def test_a_table_gives_its_numbers_and_which_of_them_are_missing():
    encoder = load("numbers")
    vectors = encoder.encode([encoder.prepare((1.5, float("nan"))), encoder.prepare((2.0, 3.0))])
    assert np.array_equal(vectors, [[1.5, np.nan, 0, 1], [2, 3, 0, 0]], equal_nan=True)


def test_columns_of_large_units_do_not_drown_the_others():
    dice = np.random.default_rng(0)
    x = np.stack([dice.normal(40, 12, 200), dice.normal(50_000, 20_000, 200)], 1).astype(np.float32)
    assert np.allclose(Whitening.fit(x, 0, table=True)(x).std(0), 1, atol=1e-3)


def test_a_gap_that_training_never_saw_moves_nothing():
    x = np.array([[1, 0], [2, 0], [3, 0]], np.float32)
    whitening = Whitening.fit(x, 160, table=True)
    assert np.array_equal(whitening(np.array([[np.nan, 1]], np.float32)), [[0, 0]])


def test_a_rare_gap_is_not_blown_up():
    x = np.zeros((1000, 2), np.float32)
    x[:, 0] = np.random.default_rng(0).normal(size=1000)
    x[7] = np.nan, 1
    assert np.abs(Whitening.fit(x, 160, table=True)(x)).max() < 5


@pytest.mark.parametrize("dim", [0, 3])
def test_whitening_of_a_table_is_finite_in_any_number_of_directions(dim):
    x = np.random.default_rng(1).normal(size=(20, 5)).astype(np.float32)
    x[:, 2], x[3, 1] = 7, np.nan
    found = Whitening.fit(x, dim, table=True)(x)
    assert found.shape == (20, dim or 5)
    assert np.isfinite(found).all()


def gaps(informative: bool) -> Aligned:
    """The label is in which of two numbers is missing, or in nothing at all; the numbers themselves
    are noise.
    """
    dice = np.random.default_rng(3)
    labels = dice.integers(0, 2, 120)
    hidden = labels if informative else dice.integers(0, 2, 120)
    cells = [
        Cell.numbers([dice.normal(), dice.normal(), *([None, 0.0] if side else [0.0, None])])
        for side in hidden
    ]
    return Aligned(
        keys=[f"k{n:03}" for n in range(120)],
        labels=[f"class {label}" for label in labels],
        modalities={"scale": Modality("table", cells, fields=list("abcd"))},
        groups={"s.site": [f"S{n % 3}" for n in range(120)]},
    )


@pytest.mark.parametrize(("informative", "low", "high"), [(True, 0.95, 1.0), (False, 0.3, 0.7)])
def test_what_is_missing_is_learned_where_it_says_something(tmp_path, informative, low, high):
    recipe = Recipe(
        training=Training(seeds=[0], epochs=30, inner_folds=1), evaluation=Evaluation(draws=50)
    )
    result = train(
        gaps(informative), recipe, tmp_path / "out", Cache(tmp_path / "cache"), Progress()
    )
    assert low <= result.metrics["macro_f1"].value <= high


def test_a_bundle_takes_a_table_as_its_numbers(tmp_path):
    from fusion.pipeline.bundle_files import load as load_bundle

    recipe = Recipe(
        training=Training(seeds=[0], epochs=3, inner_folds=1), evaluation=Evaluation(draws=50)
    )
    train(gaps(True), recipe, tmp_path / "out", None, Progress())
    bundle, rows = (
        load_bundle(tmp_path / "out"),
        np.array([[0, 1, np.nan, 0], [np.nan] * 4], np.float32),
    )
    signs = np.concatenate([rows, np.isnan(rows)], 1)
    assert np.array_equal(
        bundle.predict_features({"scale": rows})[:1], bundle.predict_features({"scale": signs})[:1]
    )
    assert np.allclose(
        bundle.predict_features({"scale": rows})[1], np.exp(bundle.log_prior), atol=1e-6
    )
