"""Features as tokens: taken apart as the encoder put them together, whitened without mixing them,
the same after a bundle.
"""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.core.progress import Progress
from fusion.encoders import load as encoder
from fusion.encoders.base import MOST_TOKENS, Block
from fusion.encoders.embedding import embed
from fusion.encoders.runtime import pool_frames, pool_map
from fusion.features.tokens import TokenWhitening
from fusion.features.whitening import Whitening
from fusion.pipeline.bundle_files import load
from fusion.pipeline.run import train
from fusion.tasks import task_of
from fusion.training.fold_data import FoldData
from fusion.training.folds import TrainingData


def test_a_pooled_map_is_taken_apart_into_the_rows_of_its_grid():
    state = torch.arange(2 * 3 * 4 * 4, dtype=torch.float32).view(2, 3, 4, 4)
    tokens = (
        Block(16, 3, channels_first=True).vectors(pool_map(state, 4).numpy()).reshape(2, 4, 4, 3)
    )
    assert np.array_equal(tokens[1, 2, 3], state[1, :, 2, 3])


def test_a_pooled_recording_is_taken_apart_into_its_stretches():
    state = torch.arange(2 * 8 * 3, dtype=torch.float32).view(2, 8, 3)
    tokens = Block(4, 3).vectors(pool_frames(state, [8, 8], 4, "segments").numpy()).reshape(2, 4, 3)
    assert np.array_equal(tokens[1, 1], state[1, 2:4].mean(0))


@pytest.mark.parametrize(
    ("positions", "tokens"), [(1, 1), (3, 3), (4, 4), (9, 3), (16, 4), (7, 1), (64, 4)]
)
def test_neighbours_share_a_token_where_there_are_many_positions(positions, tokens):
    assert Block(positions, 5).tokens == tokens <= MOST_TOKENS


@settings(max_examples=20)
@given(token=st.integers(0, 6), junk=st.floats(-100, 100))
def test_a_token_knows_nothing_of_the_others(token, junk):
    blocks = [Block(4, 6, channels_first=True), Block(2, 5), Block(1, 9)]
    x = (
        np.random.default_rng(0)
        .normal(size=(30, sum(block.size for block in blocks)))
        .astype(np.float32)
    )
    whitening = TokenWhitening.fit(x, blocks, 8)
    columns = np.concatenate([np.arange(24).reshape(6, 4).T.ravel(), np.arange(24, 43)])
    width = [6, 6, 6, 6, 5, 5, 9]
    begin = sum(width[:token])
    changed = x.copy()
    changed[:, columns[begin : begin + width[token]]] = junk
    before, after = (
        whitening(features).reshape(30, whitening.number, whitening.width)
        for features in (x, changed)
    )
    assert np.array_equal(np.delete(before, token, 1), np.delete(after, token, 1))
    assert not np.array_equal(before[:, token], after[:, token])


def test_a_vector_without_positions_is_whitened_as_for_the_other_methods():
    x = np.random.default_rng(0).normal(size=(40, 30)).astype(np.float32)
    assert np.array_equal(TokenWhitening.fit(x, [Block(1, 30)], 10)(x), Whitening.fit(x, 10)(x))


def test_whitening_by_token_comes_back_from_its_tensors():
    blocks = [Block(4, 6, channels_first=True), Block(1, 9)]
    x = np.random.default_rng(0).normal(size=(30, 33)).astype(np.float32)
    whitening = TokenWhitening.fit(x, blocks, 8)
    assert np.array_equal(TokenWhitening.of(whitening.tensors("w"), "w")(x), whitening(x))


@pytest.mark.parametrize(
    ("name", "blocks"), [("tiny-image", [(4, 32, True)]), ("tiny-audio", [(2, 32, False)])]
)
def test_an_encoder_says_which_positions_stand_in_its_vector(name, blocks):
    tiny = encoder(name)
    assert [tuple(block) for block in tiny.blocks] == blocks
    assert sum(block.size for block in tiny.blocks) == tiny.dim


def test_features_without_positions_are_one_token(toy):
    """Five numbers, and which of them are missing."""
    features = embed(toy(), None, None, Progress())
    assert [tuple(block) for part in features.parts["a"] for block in part.blocks] == [
        (1, 10, False)
    ]


def test_whitening_by_token_sees_training_samples_only():
    x = np.random.default_rng(0).normal(size=(40, 8)).astype(np.float32)
    rows = np.arange(20)

    def tokens(x):
        data = TrainingData(
            np.arange(40) % 2,
            task_of("classification", ["a", "b"]),
            {"a": x},
            np.ones((40, 1), bool),
            blocks={"a": [Block(2, 4)]},
        )
        return FoldData(data, rows, 3).tokens("a")[:20]

    changed = x.copy()
    changed[20:] += 100
    assert torch.equal(tokens(x), tokens(changed))


@pytest.fixture(scope="module")
def bundle(toy, small, tmp_path_factory):
    """Two modalities, one of two tokens, by the methods that read tokens and the one that
    multiplies.
    """
    out = tmp_path_factory.mktemp("tokens")
    recipe = small(epochs=2).model_copy(
        update={"method": "crossattention", "compare": ["bottleneck", "lowrank"]}
    )
    result = train(toy(n=60), recipe, out, None, Progress())
    return out, result, recipe


@pytest.mark.parametrize("method", ["crossattention", "bottleneck", "lowrank"])
def test_each_method_answers_from_its_bundle_for_any_subset(bundle, method):
    stored = load(bundle[0])
    x = {
        name: np.random.default_rng(2).normal(size=(7, width)).astype(np.float32)
        for name, width in (("a", 5), ("b", 4))
    }
    answers = [
        stored.predict_features(features, method=method)
        for features in (x, {"a": x["a"]}, {"b": x["b"]})
    ]
    assert all(np.allclose(p.sum(1), 1) for p in answers)
    assert not np.allclose(answers[0], answers[1])
    again = load(bundle[0]).predict_features(x, method=method)
    assert np.array_equal(answers[0], again)


def test_the_same_seed_twice_gives_the_same_figures_for_methods_of_tokens(bundle, toy, tmp_path):
    again = train(toy(n=60), bundle[2], tmp_path, None, Progress())
    assert again.model_dump(exclude={"seconds"}) == bundle[1].model_dump(exclude={"seconds"})
    assert {method.name for method in again.methods} == {"crossattention", "bottleneck", "lowrank"}


def test_the_order_of_samples_changes_nothing_for_methods_of_tokens(bundle, toy, tmp_path):
    aligned = toy(n=60)
    turned = dataclasses.replace(
        aligned,
        keys=aligned.keys[::-1],
        labels=aligned.labels[::-1],
        modalities={
            n: dataclasses.replace(m, cells=m.cells[::-1]) for n, m in aligned.modalities.items()
        },
        groups={n: v[::-1] for n, v in aligned.groups.items()},
        extras={n: v[::-1] for n, v in aligned.extras.items()},
    )
    again = train(turned, bundle[2], tmp_path, None, Progress())
    assert again.metrics == bundle[1].metrics
