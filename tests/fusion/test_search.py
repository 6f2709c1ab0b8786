"""A search: what it chooses rests on training samples, what it tried is all reported, and it ends
in an ordinary recipe.
"""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from fusion.core.progress import Progress, Stopped
from fusion.data.alignment import Cell, Modality
from fusion.encoders.search_space import search_space
from fusion.pipeline.bundle_files import load
from fusion.pipeline.run import train
from fusion.schema.recipe import EncoderChoice, Recipe, presets
from tests.fusion.conftest import relabelled

METHODS = ["late", "concat", "gated", "ensemble"]


def asked(small, probe=False, **changes):
    search = {
        "budget_seconds": None,
        "probe": probe,
        "encoders": ["pixels", "tiny-image"],
    } | changes.pop("search", {})
    return Recipe.parse(
        small().model_dump()
        | {"method": "ensemble", "compare": METHODS[:3], "search": search}
        | changes
    )


def plain(result):
    """Without what depends on the clock."""
    found = result.model_dump(exclude={"seconds"})
    for one in found["search"]["tried"]:
        one.pop("seconds")
    return found


@pytest.fixture(scope="module")
def searched(toy, small, tmp_path_factory):
    out = tmp_path_factory.mktemp("searched")
    return train(toy(), asked(small), out, None, Progress()), out


@pytest.fixture(scope="module")
def pictures(toy, small, tmp_path_factory):
    """A study whose pictures a plain encoder reads well: the class is in where the light is.
    (aligned, recipe, result, folder)
    """
    folder, out = tmp_path_factory.mktemp("pictures"), tmp_path_factory.mktemp("probed")
    aligned, rng = toy(n=72), np.random.default_rng(4)
    files = {}
    for row, label in enumerate(aligned.labels):
        light = rng.integers(0, 200, size=(28, 28))
        light[9 * int(label[-1]) : 9 * int(label[-1]) + 9] += 20
        files[f"{row:064d}"] = folder / f"{row}.png"
        Image.fromarray(light.astype(np.uint8)).save(files[f"{row:064d}"])
    image = Modality(
        "image", [Cell(digest) for digest in files], ["s.picture"], media=files.__getitem__
    )
    aligned = dataclasses.replace(
        aligned, modalities={"b": aligned.modalities["b"], "picture": image}
    )
    recipe = asked(
        small,
        probe=True,
        method="late",
        compare=[],
        encoders={"picture": [{"name": "tiny-image", "grid": [1]}]},
    )
    return aligned, recipe, train(aligned, recipe, out, None, Progress()), out


def test_every_method_is_reported_with_its_interval_and_one_is_kept(searched):
    result, _ = searched
    found = result.search
    assert {one.method for one in found.tried} == set(METHODS)
    assert [one.loss for one in found.tried] == sorted(one.loss for one in found.tried)
    assert (
        [one.method for one in found.tried if one.kept]
        == [found.tried[0].method]
        == [result.method]
    )
    assert sum(one.chosen for one in found.tried) == found.rounds == 3
    assert all(one.score.low <= one.score.value <= one.score.high for one in found.tried)
    assert [one.method for one in found.tried if one.difference is None] == [result.method]
    assert found.not_tried == []


def test_the_headline_is_that_of_the_choice_of_each_round(searched):
    result, _ = searched
    alone = {one.method: one.score.value for one in result.search.tried}
    if {one.chosen for one in result.search.tried} == {0, 3}:
        assert result.headline.score.value == pytest.approx(alone[result.method])
    else:
        assert min(alone.values()) <= result.headline.score.value <= 1


def test_it_ends_in_an_ordinary_recipe_that_trains_the_same_model(searched, toy, tmp_path):
    bundle = load(searched[1])
    assert bundle.recipe.search is None
    assert set(bundle.recipe.methods) == set(METHODS)
    again = train(toy(), bundle.recipe, tmp_path, None, Progress())
    assert again.search is None
    rng = np.random.default_rng(2)
    x = {
        "a": rng.normal(size=(9, 5)).astype(np.float32),
        "b": rng.normal(size=(9, 4)).astype(np.float32),
    }
    other = load(tmp_path)
    for method in METHODS:
        np.testing.assert_allclose(
            bundle.predict_features(x, method=method),
            other.predict_features(x, method=method),
            atol=1e-6,
        )


def test_a_stopped_search_goes_on_to_the_same_result(searched, toy, small, tmp_path):
    class Stops(Progress):
        left = 25

        def check(self):
            self.left -= 1
            if self.left < 0:
                raise Stopped

    with pytest.raises(Stopped):
        train(toy(), asked(small), tmp_path, None, Stops(), checkpoint_seconds=0)
    assert plain(train(toy(), asked(small), tmp_path, None, Progress())) == plain(searched[0])


def test_permuting_the_labels_of_the_test_fold_changes_no_choice(searched, toy, small, tmp_path):
    changed = train(relabelled(toy(), "S0"), asked(small), tmp_path, None, Progress())
    assert changed.environment["chosen"]["S0"] == searched[0].environment["chosen"]["S0"]
    assert changed.search != searched[0].search


def test_without_time_the_cheapest_answers_and_the_rest_is_named(toy, small, tmp_path):
    result = train(toy(), asked(small, search={"budget_seconds": 1e-6}), tmp_path, None, Progress())
    assert [one.method for one in result.search.tried] == ["late"]
    assert result.search.not_tried == ["concat", "gated", "ensemble"]
    assert result.method == "late"
    assert load(tmp_path).predict_features({"a": np.ones((1, 5), np.float32)}).shape == (1, 3)


class Ticking:
    """A clock that is one second further whenever it is asked."""

    def __init__(self):
        self.asked = 0

    @property
    def seconds(self):
        self.asked += 1
        return self.asked


class Standing:
    seconds = 0


def test_what_a_stopped_search_had_no_time_for_is_not_taken_up_again(
    toy, small, tmp_path, monkeypatch
):
    class StopsAtTheEnd(Progress):
        def stage(self, name):
            if name == "evaluate":
                raise Stopped

    recipe = asked(small, search={"budget_seconds": 18})
    monkeypatch.setattr("fusion.training.search.budget.Stopwatch", Ticking)
    whole = train(toy(), recipe, tmp_path / "whole", None, Progress())
    tried = {one.method for one in whole.search.tried}
    assert whole.search.not_tried
    assert tried & {"concat", "gated"}
    with pytest.raises(Stopped):
        train(toy(), recipe, tmp_path / "stopped", None, StopsAtTheEnd())
    monkeypatch.setattr("fusion.training.search.budget.Stopwatch", Standing)
    assert plain(train(toy(), recipe, tmp_path / "stopped", None, Progress())) == plain(whole)


def test_a_probe_finds_the_encoder_that_reads_the_pictures(pictures):
    _, _, result, out = pictures
    reads = result.search.probe["picture"]
    assert set(result.search.probe) == {"picture"}
    assert [one.loss for one in reads] == sorted(one.loss for one in reads)
    own = next(one for one in reads if one.own)
    assert own.encoders == [{"name": "tiny-image", "grid": [1]}]
    kept = next(one for one in reads if one.kept)
    assert kept.loss < own.loss - 0.05
    bundle = load(out)
    assert [choice.name for choice in bundle.recipe.encoders["picture"]] == [
        choice["name"] for choice in kept.encoders
    ]
    assert [part["name"] for part in bundle.encoders["picture"]] == [
        choice["name"] for choice in kept.encoders
    ]


def test_the_kept_model_reads_pictures_as_it_chose(pictures):
    aligned, _, result, out = pictures
    path = aligned.modalities["picture"].media(f"{0:064d}")
    assert load(out).predict({"picture": str(path)}).shape == (1, 3)
    alone = {one.modality: one.score.value for one in result.singles}
    assert alone["picture"] > 0.5


def test_what_is_read_is_chosen_on_training_samples_and_in_any_order(pictures, tmp_path):
    aligned, recipe, result, _ = pictures
    other = dataclasses.replace(aligned, modalities=dict(reversed(aligned.modalities.items())))
    assert plain(train(other, recipe, tmp_path / "order", None, Progress())) == plain(result)
    changed = train(relabelled(aligned, "S0"), recipe, tmp_path / "labels", None, Progress())
    assert changed.environment["read"]["S0"] == result.environment["read"]["S0"]
    assert changed.environment["chosen"]["S0"] == result.environment["chosen"]["S0"]


def test_candidates_vary_depth_and_pooling_and_keep_the_recipe_first():
    own = [EncoderChoice(name="minilm-l6-v2", layers=[6])]
    found = search_space("text", own, ["minilm-l6-v2"])
    assert found[0] == tuple(own)
    assert {choice.pooling for (choice,) in found} == {None, "first", "last", "segments"}
    assert {tuple(choice.layers or []) for (choice,) in found} == {(6,), (), (2,), (3,), (4,)}
    tuned = [EncoderChoice(name="minilm-l6-v2", tune="lora")]
    assert search_space("text", tuned) == [tuple(tuned)]


def test_the_preset_tries_every_method_and_says_so():
    recipe = presets()["search"]
    assert set(recipe.methods) == {
        "late",
        "concat",
        "gated",
        "lowrank",
        "bottleneck",
        "crossattention",
        "ensemble",
    }
    assert recipe.stages == ["read", "embed", "probe", "train", "evaluate", "bundle"]
    assert Recipe.from_text(recipe.to_yaml()) == recipe


def test_a_search_of_numbers_compares_by_their_own_metric(of_task, small, tmp_path):
    recipe = asked(small, compare=["late", "concat"])
    result = train(of_task("regression"), recipe, tmp_path, None, Progress())
    assert {one.method for one in result.search.tried} == {"late", "concat", "ensemble"}
    kept = next(one for one in result.search.tried if one.kept)
    assert all(kept.loss <= one.loss for one in result.search.tried)
    assert load(tmp_path).recipe.search is None
