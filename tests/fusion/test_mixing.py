"""Layers that are added up by learned weights: what tells something is read, from training rows
alone, and the bundle keeps it.
"""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.core.progress import Progress
from fusion.data.alignment import Aligned, Cell, Modality, Split
from fusion.encoders.base import Block
from fusion.encoders.cache import Cache
from fusion.encoders.embedding import Features, Part
from fusion.features.layer_mix import Layers, Mixing
from fusion.features.learned_pooling import CannotWeigh, Weighing, weighings_of
from fusion.pipeline.bundle import load
from fusion.pipeline.run import train
from fusion.schema.recipe import Recipe, RecipeError
from fusion.schema.result import EvaluationResult
from fusion.tasks import task_of
from fusion.training.folds import Prepared, Task

CLASSES = task_of("classification", ["a", "b", "c"])


def planted(telling=1, layers=3, n=240, width=6, seed=0):
    """(n, layers * width): only one layer tells the label, and each has a unit of its own."""
    dice = np.random.default_rng(seed)
    y = np.arange(n) % 3
    x = dice.normal(size=(n, layers, width))
    x[:, telling] += 2 * dice.normal(size=(3, width))[y]
    return (x * 10.0 ** np.arange(layers)[:, None]).reshape(n, -1).astype(np.float32), y


@pytest.mark.parametrize("telling", [0, 1, 2])
def test_the_layer_that_tells_something_is_read_whatever_its_unit(telling):
    x, y = planted(telling)
    mixing = Mixing.fit(x, y, [Layers(0, 18, 3)], CLASSES)
    assert mixing.shares.argmax() == telling
    assert mixing.shares[telling] > 0.5
    assert mixing.shares.sum() == pytest.approx(1)


def test_layers_that_tell_the_same_with_noise_of_their_own_are_both_read():
    dice = np.random.default_rng(0)
    y = np.arange(600) % 3
    told = 1.2 * dice.normal(size=(3, 8))[y]
    x = np.stack(
        [
            told + dice.normal(size=(600, 8)),
            dice.normal(size=(600, 8)),
            0.8 * told + dice.normal(size=(600, 8)),
        ],
        1,
    )
    shares = Mixing.fit(x.reshape(600, 24), y, [Layers(0, 24, 3)], CLASSES).shares
    assert shares[0] > shares[2] > 0.2 > shares[1]


@given(st.integers(0, 2**31), st.integers(0, 3))
@settings(max_examples=20)
def test_a_mix_is_the_weighted_sum_of_the_layers(seed, plain):
    x, y = planted(seed=seed, n=30)
    beside = np.random.default_rng(seed).normal(size=(30, plain)).astype(np.float32)
    mixing = Mixing.fit(
        np.hstack([x, beside]),
        y,
        [Layers(0, 18, 3), Layers(18, 18 + plain, 1)] if plain else [Layers(0, 18, 3)],
        CLASSES,
    )
    by_hand = (x * mixing.weight[:18]).reshape(30, 3, 6).sum(1)
    assert np.allclose(
        mixing(np.hstack([x, beside])), np.hstack([by_hand, beside]), rtol=1e-4, atol=1e-5
    )


def test_labels_outside_the_training_rows_change_no_weight():
    x, y = planted()
    rows, shuffled = np.arange(120), np.concatenate([planted()[1][:120], np.zeros(120, int)])
    asked = {"x": Weighing([Layers(0, 18, 3)], [Block(1, 6)], [False])}
    found = [
        Prepared(
            Task(labels, CLASSES, {"x": x}, np.ones((240, 1), bool), weighings=asked), rows, 0
        ).weighed("x")
        for labels in (y, shuffled)
    ]
    assert np.array_equal(found[0].mixing.weight, found[1].mixing.weight)


def test_too_little_to_learn_from_reads_all_layers_alike():
    assert Mixing.fit(
        np.zeros((0, 6), np.float32), np.zeros(0, int), [Layers(0, 6, 3)], CLASSES
    ).shares == pytest.approx([1 / 3] * 3)


def test_a_mix_needs_two_layers_of_one_length():
    for layers in (None, [2], [2, 2]):
        with pytest.raises(RecipeError, match=r"encoders\.text\.0\.mix: weighs two or more layers"):
            Recipe.parse(
                {"encoders": {"text": [{"name": "tiny-text", "layers": layers, "mix": True}]}}
            )
    recipe = Recipe.parse(
        {"encoders": {"image": [{"name": "tiny-image", "layers": [1, 2], "mix": True}]}}
    )
    parts = {"image": [Part("tiny-image", "", 0, 12, [Block(1, 4), Block(1, 8)])]}
    with pytest.raises(
        CannotWeigh, match="layers 1, 2 of tiny-image give vectors of different lengths"
    ):
        weighings_of(recipe, Features({}, np.zeros((0, 1)), ["image"], parts))


def words(n=90):
    dice = np.random.default_rng(0)
    texts = [
        f"{['red', 'green', 'blue'][i % 3]} {dice.integers(9)} {dice.integers(9)}" for i in range(n)
    ]
    return Aligned(
        keys=[f"T{i:03}" for i in range(n)],
        labels=[f"class {i % 3}" for i in range(n)],
        modalities={"text": Modality("text", [Cell.text(text) for text in texts])},
        groups={"s.site": [f"S{i // 30}" for i in range(n)]},
        split=Split(policy="by-group", test=0.34),
    )


def reading(**choice):
    """A recipe that reads the texts so."""
    return Recipe.parse(
        {
            "encoders": {"text": [{"name": "tiny-text"} | choice]},
            "method": "bottleneck",
            "training": {"seeds": [0], "epochs": 2, "inner_folds": 1, "hidden_dim": 8},
            "evaluation": {"draws": 50, "degradation": False},
        }
    )


BESIDE = {"layers": [0, 1, 2]}
MIXED = BESIDE | {"mix": True}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mixed")
    cache = Cache(folder / "cache")
    train(words(), reading(**BESIDE), folder / "beside", cache, Progress())
    return folder, train(words(), reading(**MIXED), folder / "mixed", cache, Progress())


def test_mixing_embeds_nothing_that_the_layers_side_by_side_have(run):
    assert run[1].environment["embedded"]["computed"] == 0


def test_a_bundle_reads_by_the_weights_that_were_learned_and_its_card_names_them(run):
    folder, result = run
    [mix] = result.mixes
    assert (mix.modality, mix.encoder, mix.layers) == ("text", "tiny-text", [0, 1, 2])
    assert sum(mix.shares) == pytest.approx(1)
    assert "text: tiny-text, layer 0: " in (folder / "mixed" / "card.md").read_text()
    bundle = load(folder / "mixed")
    reader = bundle.models["text"].whitening["text"]
    assert (reader.reads, reader.whitening.reads) == (192, 64)
    answers = bundle.predict({"text": "red 1 2"})
    assert answers.sum() == pytest.approx(1)
    assert [round(share, 6) for share in reader.weighed.mixing.shares.tolist()] == [
        round(share, 6) for share in mix.shares
    ]


def test_the_same_recipe_twice_learns_the_same_weights(run, tmp_path):
    assert train(words(), reading(**MIXED), tmp_path, None, Progress()).mixes == run[1].mixes


def test_a_result_without_mixes_is_read(run):
    data = json.loads(run[1].model_dump_json())
    del data["mixes"]
    assert EvaluationResult.model_validate(data).mixes == []
