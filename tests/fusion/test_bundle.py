"""A bundle: answers for any subset of modalities, and no bundle at all once a byte of it was
changed.
"""

import json
import shutil
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from fusion.core.files import digest_of, file_digest, read_tensors, write_json, write_tensors
from fusion.core.progress import Progress
from fusion.data.alignment import Cell, Modality
from fusion.pipeline.bundle import BundleError
from fusion.pipeline.bundle_files import load
from fusion.pipeline.evaluate_bundle import score
from fusion.schema.result import EvaluationResult

WIDTHS = {"a": 5, "b": 4}


@pytest.fixture
def copy(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "copy")


def features(n=7):
    rng = np.random.default_rng(2)
    return {name: rng.normal(size=(n, width)).astype(np.float32) for name, width in WIDTHS.items()}


def reseal(folder):
    """As somebody would who knows how digests are made."""
    facts = json.loads((folder / "bundle.json").read_text())
    facts.pop("digest")
    facts["files"] = {name: file_digest(folder / name) for name in facts["files"]}
    write_json(folder / "bundle.json", facts | {"digest": digest_of(facts)})


def change_model(folder, change):
    tensors, facts = read_tensors(folder / "model.safetensors")
    change(tensors, facts)
    write_tensors(folder / "model.safetensors", tensors, facts)
    reseal(folder)


@pytest.mark.parametrize("method", [None, "gated", "a", "b"])
def test_any_subset_of_modalities_gives_probabilities(folder, method):
    bundle, x = load(folder), features()
    for given in (x, {"a": x["a"]}, {"b": x["b"]}):
        p = bundle.predict_features(given, method=method)
        assert p.shape == (7, 3)
        assert np.allclose(p.sum(1), 1)


def test_without_anything_it_answers_the_prior(folder):
    bundle = load(folder)
    p = bundle.predict_features(features(), mask=np.zeros((7, 2), bool))
    assert np.allclose(p, np.exp(bundle.log_prior), atol=1e-6)


@pytest.mark.parametrize(
    "name", ["model.safetensors", "result.json", "predictions.parquet", "recipe.yaml"]
)
def test_one_changed_byte_is_refused(copy, name):
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / name).write_bytes(bytes(data))
    with pytest.raises(BundleError, match=f"changed after it was written: {name}"):
        load(copy)


def test_a_changed_manifest_is_refused(copy):
    text = (copy / "bundle.json").read_text()
    (copy / "bundle.json").write_text(text.replace("class 0", "class X"))
    with pytest.raises(BundleError, match="its own digest"):
        load(copy)


def test_a_missing_file_is_refused(copy):
    (copy / "result.json").unlink()
    with pytest.raises(BundleError, match=r"lacks its file result\.json"):
        load(copy)


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path):
    with pytest.raises(BundleError, match="not a finished bundle"):
        load(tmp_path)


def test_weights_that_are_no_numbers_are_refused(copy):
    def change(tensors, facts):
        tensors["0.net.inward"] = np.full_like(tensors["0.net.inward"], np.nan)

    change_model(copy, change)
    with pytest.raises(BundleError, match="not finite"):
        load(copy)


@pytest.mark.parametrize("hidden", [9, 10**12])
def test_a_header_that_lies_about_sizes_is_refused(copy, hidden):
    def change(tensors, facts):
        facts["models"][0]["shape"]["hidden"] = hidden

    change_model(copy, change)
    with pytest.raises(BundleError, match="do not fit together"):
        load(copy)


def change_header(folder, change):
    """The tensors' bytes stay; what the file says of them does not."""
    path = folder / "model.safetensors"
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    change(header)
    said = json.dumps(header).encode()
    path.write_bytes(len(said).to_bytes(8, "little") + said + data[8 + size :])
    reseal(folder)


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        ("shape", [8, 10, 8], "do not fit"),
        ("shape", [8, 10, 9], "damaged"),
        ("shape", [2**40, 10, 8], "damaged"),
        ("dtype", "I32", "of the type torch.int32"),
        ("data_offsets", [0, 10**15], "damaged"),
    ],
)
def test_a_header_that_lies_about_a_tensor_is_refused(copy, part, value, words):
    def change(header):
        assert header["0.net.inward"]["shape"] == [8, 10, 8]
        header["0.net.inward"][part] = [8, 8, 10] if value == [8, 10, 8] else value

    change_header(copy, change)
    with pytest.raises(BundleError, match=words):
        load(copy)


@pytest.mark.parametrize("size", [10**15, 3])
def test_a_header_that_lies_about_its_own_size_is_refused(copy, size):
    path = copy / "model.safetensors"
    path.write_bytes(size.to_bytes(8, "little") + path.read_bytes()[8:])
    reseal(copy)
    with pytest.raises(BundleError, match="damaged"):
        load(copy)


@pytest.mark.parametrize("temperature", [0, -1, "hot", None])
def test_a_temperature_that_is_no_positive_number_is_refused(copy, temperature):
    def change(tensors, facts):
        facts["models"][0]["temperature"] = temperature

    change_model(copy, change)
    with pytest.raises(BundleError, match="not a sound bundle"):
        load(copy)


def test_weights_for_another_width_than_the_encoders_write_are_refused(copy):
    facts = json.loads((copy / "bundle.json").read_text())
    facts["encoders"]["a"][0]["dim"] = 6
    facts.pop("digest")
    write_json(copy / "bundle.json", facts | {"digest": digest_of(facts)})
    with pytest.raises(BundleError, match="reads 10 numbers of a"):
        load(copy)


def test_a_truncated_model_is_refused(copy):
    (copy / "model.safetensors").write_bytes((copy / "model.safetensors").read_bytes()[:-8])
    reseal(copy)
    with pytest.raises(BundleError, match="damaged"):
        load(copy)


def test_an_unknown_modality_and_a_wrong_width_are_errors_in_words(folder):
    with pytest.raises(BundleError, match="knows no modality smell"):
        load(folder).predict_features({"smell": np.zeros((1, 2))})
    with pytest.raises(BundleError, match="must have the shape"):
        load(folder).predict_features({"a": np.zeros((1, 2))})


def test_the_result_in_the_bundle_is_whole_and_predictions_score_the_same(folder):
    result = EvaluationResult.model_validate_json((folder / "result.json").read_text())
    table = pq.read_table(folder / "predictions.parquet").to_pydict()
    right = np.mean(np.array(table["truth"]) == np.array(table["answer"]))
    assert right == pytest.approx(result.metrics["accuracy"].value)
    assert len(table["key"]) == result.n_samples
    assert set(table) >= {"fold", "seed", "probabilities", "single:a", "single:b"}


def test_nothing_in_a_bundle_is_pickled(folder):
    assert {path.suffix for path in folder.iterdir()} == {
        ".json",
        ".safetensors",
        ".parquet",
        ".yaml",
        ".md",
    }


def test_a_study_that_orders_its_columns_otherwise_is_judged_alike(folder, toy):
    bundle, study = load(folder), toy(seed=1)
    modality = study.modalities["a"]
    turned = [cell and Cell.numbers(list(reversed(cell.content))) for cell in modality.cells]
    other = replace(modality, cells=turned, fields=list(reversed(modality.fields)))
    found = score(
        bundle, replace(study, modalities=study.modalities | {"a": other}), None, Progress()
    )
    assert found.headline == score(bundle, study, None, Progress()).headline
    assert [(one.query, one.target) for one in found.retrieval] == [("a", "b"), ("b", "a")]


def test_a_study_with_another_kind_of_content_is_refused(folder, toy):
    study = toy(seed=1)
    words = Modality("text", [Cell.text("one")] * len(study))
    with pytest.raises(BundleError, match="a is text here; the model reads table"):
        score(
            load(folder),
            replace(study, modalities=study.modalities | {"a": words}),
            None,
            Progress(),
        )
