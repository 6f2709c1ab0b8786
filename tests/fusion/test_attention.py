"""Places that are added up by attention: what tells something is read wherever it stands, from
training rows alone.
"""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.core.files import BrokenFile
from fusion.core.progress import Progress
from fusion.encoders.base import Block
from fusion.encoders.cache import Cache
from fusion.encoders.capability_checks import refusals
from fusion.encoders.embedding import Features, Part
from fusion.features.attention_pooling import Attention, Query
from fusion.features.layer_mix import Layers
from fusion.features.learned_pooling import CannotWeigh, Weighing, reader_of, weighings_of
from fusion.pipeline.bundle import load
from fusion.pipeline.run import train
from fusion.schema.recipe import Recipe
from fusion.schema.result import EvaluationResult
from fusion.tasks import task_of
from fusion.training.folds import Prepared, Task
from tests.fusion.test_mixing import MIXED, reading, words

CLASSES = task_of("classification", ["a", "b", "c"])
KINDS = {
    "classification": (CLASSES, lambda y: y),
    "regression": (task_of("regression", []), lambda y: y - 1.0),
    "ordinal": (task_of("ordinal", ["a", "b", "c"]), lambda y: y),
}


def planted(place=None, n=300, positions=5, width=8, seed=0):
    """(n, positions * width): one place of each sample tells its label and is marked; `place` for
    all, another for each without it.
    """
    dice = np.random.default_rng(seed)
    y, at = (
        np.arange(n) % 3,
        np.full(n, place) if place is not None else dice.integers(positions, size=n),
    )
    x = dice.normal(size=(n, positions, width))
    x[np.arange(n), at] += 2.5 * dice.normal(size=(3, width))[y]
    x[np.arange(n), at, 0] += 6
    return x.reshape(n, -1).astype(np.float32), y, at


@pytest.mark.parametrize("task", KINDS)
def test_the_place_that_tells_is_read_wherever_it_stands(task):
    x, y, at = planted()
    asked, coded = KINDS[task]
    attention = Attention.fit(x, np.asarray(coded(y)), [Block(5, 8)], [True], asked)
    [query] = attention.queries
    weights = query.weights(x.reshape(len(x), 5, 8))
    assert weights.sum(1) == pytest.approx(1, abs=1e-5)
    assert (weights.argmax(1) == at).mean() > 0.8
    assert query.shares == pytest.approx(weights.mean(0), abs=1e-5)


def test_a_place_that_tells_for_every_sample_is_read_in_all():
    x, y, _ = planted(place=3)
    [query] = Attention.fit(x, y, [Block(5, 8)], [True], CLASSES).queries
    assert query.shares.argmax() == 3
    assert query.shares[3] > 1.5 / 5


@given(st.integers(0, 2**31), st.booleans())
@settings(max_examples=20)
def test_what_is_attended_to_is_a_weighted_mean_and_the_rest_stays(seed, channels_first):
    dice = np.random.default_rng(seed)
    h, beside = dice.normal(size=(7, 4, 3)), dice.normal(size=(7, 2)).astype(np.float32)
    block = Block(4, 3, channels_first)
    x = (h.swapaxes(1, 2) if channels_first else h).reshape(7, 12).astype(np.float32)
    query = Query(
        dice.normal(size=3).astype(np.float32),
        dice.normal(size=4).astype(np.float32),
        np.zeros(4, np.float32),
    )
    found = Attention([block, Block(1, 2)], [query, None])(np.hstack([x, beside]))
    low, high = h.min(1), h.max(1)
    assert found.shape == (7, 5)
    assert ((found[:, :3] >= low - 1e-4) & (found[:, :3] <= high + 1e-4)).all()
    assert found[:, :3] == pytest.approx(np.einsum("npc,np->nc", h, query.weights(h)), abs=1e-4)
    assert (found[:, 3:] == beside).all()
    order = dice.permutation(4)
    moved = h[:, order]
    again = Attention([block], [replace(query, place=query.place[order])])
    moved = (moved.swapaxes(1, 2) if channels_first else moved).reshape(7, 12).astype(np.float32)
    assert again(moved) == pytest.approx(found[:, :3], abs=1e-4)


def test_labels_outside_the_training_rows_change_no_query():
    x, y, _ = planted()
    rows, shuffled = np.arange(150), np.concatenate([y[:150], np.zeros(150, int)])
    asked = {"x": Weighing([Layers(0, 40, 1)], [Block(5, 8)], [True])}
    found = [
        Prepared(
            Task(labels, CLASSES, {"x": x}, np.ones((300, 1), bool), weighings=asked), rows, 0
        ).weighed("x")
        for labels in (y, shuffled)
    ]
    assert np.array_equal(
        found[0].attention.queries[0].direction, found[1].attention.queries[0].direction
    )


def test_too_little_to_learn_from_is_the_mean():
    [query] = Attention.fit(
        np.zeros((1, 6), np.float32), np.zeros(1, int), [Block(3, 2)], [True], CLASSES
    ).queries
    assert query.shares == pytest.approx([1 / 3] * 3)
    assert query.weights(np.ones((2, 3, 2))) == pytest.approx(np.full((2, 3), 1 / 3))


def test_one_vector_has_no_places():
    recipe = Recipe.parse({"encoders": {"text": [{"name": "tiny-text", "attend": True}]}})
    with pytest.raises(
        CannotWeigh,
        match=r"tiny-text gives one vector as it is pooled.*choose pooling: grid or segments",
    ):
        weighings_of(
            recipe,
            Features(
                {},
                np.zeros((0, 1)),
                ["text"],
                {"text": [Part("tiny-text", "", 0, 64, [Block(1, 64)])]},
            ),
        )


@pytest.mark.parametrize("name", ["direction", "place"])
def test_an_attention_that_does_not_fit_is_refused(name):
    x, y, _ = planted(n=30)
    tensors = Attention.fit(x, y, [Block(5, 8)], [True], CLASSES).tensors("x")
    tensors[f"x.attention.0.{name}"] = np.zeros(7, np.float32)
    with pytest.raises(BrokenFile, match="the attention of x does not fit together"):
        Attention.of(tensors, "x")


BESIDE = {"pooling": "segments", "grid": [4]}
ATTENDED = BESIDE | {"attend": True}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("attended")
    cache = Cache(folder / "cache")
    train(words(), reading(**BESIDE), folder / "beside", cache, Progress())
    return folder, train(words(), reading(**ATTENDED), folder / "attended", cache, Progress())


def test_attention_embeds_nothing_that_the_places_side_by_side_have(run):
    assert run[1].environment["embedded"]["computed"] == 0


def test_a_bundle_attends_as_it_was_trained_and_its_card_says_to_what(run):
    folder, result = run
    [attended] = result.attended
    assert (attended.modality, attended.encoder, attended.layer, len(attended.shares)) == (
        "text",
        "tiny-text",
        None,
        4,
    )
    assert sum(attended.shares) == pytest.approx(1, abs=1e-5)
    assert "text: tiny-text, place 1: " in (folder / "attended" / "card.md").read_text()
    reader = load(folder / "attended").models["text"].whitening["text"]
    assert (reader.reads, reader.whitening.reads) == (4 * 64, 64)
    assert load(folder / "attended").predict({"text": "red 1 2"}).sum() == pytest.approx(1)


def test_the_same_recipe_twice_attends_alike(run, tmp_path):
    again = train(words(), reading(**ATTENDED), tmp_path, None, Progress())
    assert (again.attended, again.headline) == (run[1].attended, run[1].headline)


def test_layers_are_mixed_before_places_are_attended_to(tmp_path):
    result = train(words(), reading(**ATTENDED, **MIXED), tmp_path, None, Progress())
    assert (len(result.mixes), len(result.attended)) == (1, 1)
    assert load(tmp_path).models["text"].whitening["text"].reads == 3 * 4 * 64
    assert load(tmp_path).predict({"text": "red 1 2"}).sum() == pytest.approx(1)


def test_layers_side_by_side_have_a_query_each(tmp_path):
    result = train(words(), reading(**ATTENDED, layers=[1, 2]), tmp_path, None, Progress())
    assert [one.layer for one in result.attended] == [1, 2]


def test_a_bundle_whose_pooling_does_not_fit_its_whitening_is_refused(run):
    reader = load(run[0] / "attended").models["text"].whitening["text"]
    tensors = reader.tensors("text")
    tensors["text.attention.blocks"] = np.array([[4, 32, 0]])
    tensors["text.attention.0.direction"] = tensors["text.attention.0.direction"][:32]
    with pytest.raises(BrokenFile, match="the pooling of text does not fit its whitening"):
        reader_of(tensors, "text", False)


def test_a_result_without_attention_is_read(run):
    data = json.loads(run[1].model_dump_json())
    del data["attended"]
    assert EvaluationResult.model_validate(data).attended == []


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (
            {"pooling": "segments"},
            r"encoders\.image\.0\.pooling: EfficientNet-Lite0 can be pooled by grid, mean, not by segments",
        ),
        (
            {"pooling": "mean", "attend": True},
            r"encoders\.image\.0\.attend: EfficientNet-Lite0 gives one vector as it is pooled",
        ),
    ],
)
def test_what_an_encoder_cannot_do_is_refused_before_anything_is_read(choice, words):
    [told] = refusals(
        Recipe.parse({"encoders": {"image": [{"name": "efficientnet-lite0"} | choice]}})
    )
    assert re.match(words, told)
