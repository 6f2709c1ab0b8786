"""The fused representation of a bundle: any subset of modalities in one space, from features, raw
inputs and by command.
"""

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.special import softmax

import fusion
from fusion.__main__ import main
from fusion.pipeline.bundle import BundleError

WIDTHS = {"a": 5, "b": 4}


@pytest.fixture(scope="module")
def bundle(folder):
    return fusion.load(folder)


def rows(n=6):
    rng = np.random.default_rng(4)
    return [
        {name: rng.normal(size=width).tolist() for name, width in WIDTHS.items()} for _ in range(n)
    ]


@pytest.mark.parametrize(("method", "dim"), [(None, 3), ("gated", 8)])
@pytest.mark.parametrize("names", [["a"], ["b"], ["a", "b"]])
def test_any_subset_of_modalities_lies_in_the_same_space(bundle, method, dim, names):
    found = bundle.represent([{name: row[name] for name in names} for row in rows()], method)
    assert found.shape == (6, dim)
    assert np.isfinite(found).all()
    assert np.abs(found).max() > 0


def test_the_space_of_late_fusion_is_the_evidence_that_its_modalities_add_up_to(bundle):
    given = rows()
    whole = bundle.represent(given)
    parts = [bundle.represent([{name: row[name]} for row in given]) for name in WIDTHS]
    np.testing.assert_allclose(whole, parts[0] + parts[1], atol=1e-5)
    np.testing.assert_allclose(
        softmax(whole + bundle.log_prior, axis=1), bundle.predict(given), atol=1e-5
    )


@pytest.mark.parametrize("method", [None, "gated"])
def test_what_is_missing_cannot_change_it_and_nothing_at_all_is_zero(bundle, method):
    x = {name: np.array([row[name] for row in rows()], np.float32) for name in WIDTHS}
    mask = np.tile([True, False], (6, 1))
    other = x | {"b": x["b"] * 100}
    np.testing.assert_array_equal(
        bundle.represent_features(x, mask, method), bundle.represent_features(other, mask, method)
    )
    assert not bundle.represent_features(x, np.zeros((6, 2), bool), method).any()


@pytest.mark.parametrize("method", [None, "gated"])
def test_one_sample_or_many_in_any_order_is_the_same(bundle, method):
    given = rows()
    together = bundle.represent(given, method)
    np.testing.assert_allclose(
        np.concatenate([bundle.represent(row, method) for row in given]), together, atol=1e-5
    )
    np.testing.assert_allclose(bundle.represent(given[::-1], method)[::-1], together, atol=1e-5)


def test_a_method_that_the_bundle_does_not_hold_is_an_error_in_words(bundle):
    with pytest.raises(BundleError, match="holds no method concat; it has late, a, b, gated"):
        bundle.represent(rows(), "concat")


def test_it_is_written_with_its_keys_by_command(folder, bundle, tmp_path):
    given = rows(2)
    heads = [f"{name}{i}" for name, width in WIDTHS.items() for i in range(width)]
    lines = [f"{key},{','.join(map(str, [*row['a'], *row['b']]))}" for key, row in zip("pq", given)]
    (tmp_path / "t.csv").write_text("\n".join([f"id,{','.join(heads)}", *lines, "r,1,2,3,4,5,,,,"]))
    assert (
        main(
            [
                "represent",
                str(folder),
                str(tmp_path / "t.csv"),
                "--out",
                str(tmp_path / "r.parquet"),
                "--method",
                "gated",
            ]
        )
        == 0
    )
    found = pq.read_table(tmp_path / "r.parquet")
    assert found.column("key").to_pylist() == ["p", "q", "r"]
    assert found.column("present").to_pylist() == [["a", "b"], ["a", "b"], ["a"]]
    wanted = bundle.represent([*given, {"a": [1, 2, 3, 4, 5]}], "gated")
    np.testing.assert_allclose(np.array(found.column("vector").to_pylist()), wanted, atol=1e-5)
