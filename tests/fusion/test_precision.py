"""Frozen encoders in bfloat16: about the same vectors, never mixed with exact ones, and a bundle
that knows which it reads.
"""

import numpy as np
import pytest
import torch
from PIL import Image

import fusion
from fusion.core.progress import Progress
from fusion.data.alignment import Aligned, Cell, Modality
from fusion.encoders import catalogue
from fusion.encoders import load as load_encoder
from fusion.encoders.cache import Cache
from fusion.encoders.embedding import embed
from fusion.encoders.runtime import in_bf16, in_precision
from fusion.pipeline.run import train
from fusion.schema.recipe import Recipe, RecipeError

N = 24


@pytest.fixture(scope="module")
def aligned(tmp_path_factory):
    """Pictures, recordings and texts of three kinds."""
    import soundfile

    folder, files, cells = (
        tmp_path_factory.mktemp("media"),
        {},
        {"image": [], "speech": [], "text": []},
    )
    for n in range(N):
        rng = np.random.default_rng(n)
        Image.fromarray(rng.integers(0, 80 + 80 * (n % 3), (40, 40, 3), dtype=np.uint8)).save(
            folder / f"{n}.png"
        )
        soundfile.write(
            folder / f"{n}.wav",
            0.2 * np.sin(np.arange(9000) * 0.02 * (1 + n % 3)) + rng.normal(0, 0.05, 9000),
            16_000,
        )
        for name, suffix in (("image", "png"), ("speech", "wav")):
            digest = f"{n:032d}{suffix.encode().hex():0>32}"
            files[digest] = folder / f"{n}.{suffix}"
            cells[name].append(Cell(digest))
        cells["text"].append(Cell.text(f"remark {n}: {['one', 'two', 'three'][n % 3]}"))
    kinds = {"image": "image", "speech": "audio", "text": "text"}
    modalities = {
        name: Modality(kind, cells[name], media=files.__getitem__) for name, kind in kinds.items()
    }
    return Aligned(
        [f"P{n}" for n in range(N)],
        [f"class {n % 3}" for n in range(N)],
        modalities,
        groups={"s.site": [f"S{n // 3 % 3}" for n in range(N)]},
    )


def cosine(x, y):
    return (x * y).sum(1) / np.linalg.norm(x, axis=1) / np.linalg.norm(y, axis=1)


@pytest.mark.parametrize(
    "names",
    [
        ("tiny-image", "tiny-audio", "tiny-text"),
        ("efficientnet-lite0", "whisper-tiny-en", "minilm-l6-v2"),
    ],
)
def test_vectors_are_about_the_same_and_kept_apart(aligned, tmp_path, names):
    if not all(catalogue.get(name).installed for name in names):
        pytest.skip("The packages with the weights are not installed.")
    choices, cache = dict(zip(aligned.modalities, names)), Cache(tmp_path)
    exact = embed(aligned, choices, cache, Progress())
    with in_precision("mixed-bf16"):
        rounded = embed(aligned, choices, cache, Progress())
        again = embed(aligned, choices, cache, Progress())
    assert (rounded.n_cached, again.n_computed) == (0, 0)
    for name in aligned.modalities:
        assert cosine(exact.x[name], rounded.x[name]).min() >= 0.99
        assert np.array_equal(again.x[name], rounded.x[name])
        assert {part.fingerprint for part in exact.parts[name]}.isdisjoint(
            part.fingerprint for part in rounded.parts[name]
        )
    assert any(not np.array_equal(exact.x[name], rounded.x[name]) for name in aligned.modalities)


def test_what_stands_beside_a_sample_does_not_change_its_vector(aligned):
    with in_precision("mixed-bf16"):
        encoder = load_encoder("tiny-text")
        texts = [encoder.prepare(f"remark {n}" + " and more" * (n % 5)) for n in range(40)]
        alone = np.concatenate([encoder.encode([text]) for text in texts])
        together = encoder.encode(texts[: encoder.batch])
    assert cosine(alone[: len(together)], together).min() > 0.9999


def test_a_filter_keeps_its_sum_when_it_is_rounded():
    exact = torch.from_numpy(
        np.random.default_rng(0).normal(size=(500, 1, 5, 5)).astype(np.float32)
    )
    carried, plain = in_bf16(exact), exact.bfloat16().float()
    assert torch.equal(carried, carried.bfloat16().float())
    assert (carried - exact).abs().max() < 0.02
    wrong, usual = ((filters - exact).sum((1, 2, 3)).abs().mean() for filters in (carried, plain))
    assert wrong < usual / 2


def test_a_bundle_is_read_in_the_precision_of_its_recipe(aligned, small, tmp_path):
    tiny = {
        "image": [{"name": "tiny-image"}],
        "speech": [{"name": "tiny-audio"}],
        "text": [{"name": "tiny-text"}],
    }
    recipe = Recipe.parse(
        small(inner_folds=1).model_dump() | {"encoders": tiny, "precision": "bf16"}
    )
    train(aligned, recipe, tmp_path, None, Progress())
    bundle = fusion.load(tmp_path)
    with in_precision("mixed-bf16"):
        features = embed(aligned, recipe.encoders, None, Progress())
    wanted = bundle.predict_features(features.x)
    texts = [aligned.modalities["text"].content(row) for row in range(N)]
    alone = bundle.predict([{"text": text} for text in texts])
    np.testing.assert_allclose(
        alone, bundle.predict_features({"text": features.x["text"]}), atol=1e-6
    )
    assert wanted.shape == (N, 3)
    assert bundle.precision == "mixed-bf16"


def test_encoders_that_are_tuned_stay_exact():
    tuned = {"text": [{"name": "tiny-text", "tune": "lora"}]}
    with pytest.raises(
        RecipeError,
        match="precision: bf16 is for frozen encoders; freeze the encoders or leave precision out",
    ):
        Recipe.parse({"encoders": tuned, "precision": "bf16"})
    assert Recipe.parse({"encoders": tuned, "precision": "fp32"}).precision == "fp32"
