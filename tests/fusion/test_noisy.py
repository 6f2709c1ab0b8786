"""Graded noise: inputs made worse by a known amount, the same whatever the order of the rows, each
level read once.
"""

import random
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from PIL import Image

from fusion.core.progress import Progress
from fusion.data.alignment import Aligned, Cell, Modality
from fusion.encoders.cache import Cache
from fusion.features.perturb import (
    Noisy,
    fewer_words,
    perturbed,
    spread,
    with_noise,
    with_white_noise,
)
from fusion.pipeline.run import train
from fusion.schema.noise_levels import LEVELS
from fusion.schema.recipe import EncoderChoice, Recipe, RecipeError


def level(kind, name):
    return next(level for level in LEVELS[kind] if level.name == name)


def test_a_worse_level_drops_the_words_of_a_milder_one_and_more():
    words = [f"w{i}" for i in range(200)]
    remaining = [
        fewer_words(" ".join(words), "ab" * 32, share.strength).split() for share in LEVELS["text"]
    ]
    assert [pytest.approx(len(words_left) / 200, abs=0.08) for words_left in remaining] == [
        0.9,
        0.75,
        0.5,
    ]
    assert set(remaining[2]) < set(remaining[1]) < set(remaining[0]) < set(words)
    assert remaining[0] == sorted(remaining[0], key=words.index)


@pytest.mark.parametrize("text", ["word", "三只小猪和大灰狼", "", "a b"])
def test_something_is_left_of_every_text(text):
    left = fewer_words(text, "cd" * 32, 0.999)
    assert bool(left) == bool(text)
    assert all(piece in text for piece in left)


def test_white_noise_has_the_power_that_its_level_says(tmp_path):
    rate, seconds = 16_000, 2
    tone = 0.3 * np.sin(np.arange(rate * seconds) * 0.1).astype(np.float32)
    soundfile.write(tmp_path / "tone.wav", tone, rate)
    clean, _ = soundfile.read(tmp_path / "tone.wav")
    for level in LEVELS["audio"]:
        noisy, _ = soundfile.read(
            with_white_noise(
                tmp_path / "tone.wav",
                "ef" * 32,
                level.strength,
                tmp_path / level.name.replace(" ", ""),
            )
        )
        ratio = 10 * np.log10((clean**2).mean() / ((noisy - clean) ** 2).mean())
        assert ratio == pytest.approx(level.strength, abs=0.2)
    soundfile.write(tmp_path / "silence.wav", np.zeros(rate), rate)
    assert not soundfile.read(
        with_white_noise(tmp_path / "silence.wav", "ef" * 32, 0.0, tmp_path / "s")
    )[0].any()


def test_a_picture_gets_smoother_with_each_level(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, size=(60, 80, 3), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / "p.png")
    modality = Modality("image", [Cell("a" * 64), None], media=lambda digest: tmp_path / "p.png")
    rough = [picture.std()]
    for level in LEVELS["image"]:
        (folder := tmp_path / level.name.replace(" ", "")).mkdir()
        noisy = perturbed(modality, level, folder)
        rough.append(np.asarray(Image.open(noisy.content(0))).std())
        assert noisy.cells[1] is None
        assert noisy.cells[0] != modality.cells[0]
    assert rough == sorted(rough, reverse=True)


def test_numbers_are_shaken_in_units_of_what_the_training_rows_vary():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, 2)) * [1, 100]
    rows[0, 0] = np.nan
    modality = Modality("table", [Cell.numbers(row.tolist()) for row in rows])
    noisy = with_noise(modality.cells, spread(modality, np.arange(200)), 0.5)
    change = np.array([cell.content for cell in noisy]) - rows
    assert np.isnan(change[0, 0])
    assert np.nanstd(change, axis=0) == pytest.approx(0.5 * np.nanstd(rows[:200], axis=0), rel=0.1)


def mixed(n=60, seed=0):
    """Texts that tell the label, and numbers that do not."""
    rng = random.Random(seed)
    labels = ["ab"[i % 2] for i in range(n)]
    texts = [
        Cell.text(" ".join([f"{label}{rng.randrange(3)}" for _ in range(4)] + [f"x{i}"]))
        for i, label in enumerate(labels)
    ]
    numbers = [Cell.numbers([rng.gauss(0, 1), rng.gauss(0, 1)]) for _ in range(n)]
    return Aligned(
        keys=[f"K{i:03d}" for i in range(n)],
        labels=labels,
        modalities={"text": Modality("text", texts), "numbers": Modality("table", numbers)},
        groups={"s.site": [f"S{i // 2 % 3}" for i in range(n)]},
    )


def noisy_recipe(**changes):
    training = {
        "seeds": [0],
        "epochs": 4,
        "patience": 4,
        "hidden_dim": 8,
        "inner_folds": 1,
        "pca_dim": 16,
    }
    criteria = [{"metric": "macro_f1", "noise": {"text": "50 %"}, "at_least": 0.4, "min_n": 5}]
    data = {
        "encoders": {"text": [{"name": "tiny-text"}]},
        "compare": ["gated"],
        "training": training,
        "evaluation": {"draws": 60, "noise": True},
        "protocols": [{"discipline": "LI", "criteria": criteria}],
    }
    return Recipe.parse(data | changes)


@pytest.fixture(scope="module")
def noisy_run(tmp_path_factory):
    out = tmp_path_factory.mktemp("noise")
    return train(mixed(), noisy_recipe(), out / "run", Cache(out / "cache"), Progress()), out


def test_each_level_has_its_figure_and_difference_and_costs_one_pass_at_most(noisy_run):
    result, out = noisy_run
    assert [
        (modality.modality, modality.kind, [level.level for level in modality.levels])
        for modality in result.noise
    ] == [
        ("numbers", "table", ["0.25 sd", "0.5 sd", "1 sd"]),
        ("text", "text", ["10 %", "25 %", "50 %"]),
    ]
    for modality in result.noise:
        for level in modality.levels:
            assert level.change.value == pytest.approx(level.value - result.headline.score.value)
    spent = result.environment["noise embedded"]
    assert 0 < spent["computed"] <= 3 * 60
    again = train(
        mixed(), noisy_recipe(title="again"), out / "again", Cache(out / "cache"), Progress()
    )
    assert again.environment["noise embedded"] == {
        "computed": 0,
        "cached": spent["computed"] + spent["cached"],
    }
    assert again.noise == result.noise


def test_a_criterion_may_ask_for_a_level(noisy_run):
    [criterion] = noisy_run[0].protocols[0].criteria
    level = noisy_run[0].noise[1].levels[2]
    assert (criterion.value.value, criterion.value.low, criterion.n) == (level.value, level.low, 60)
    assert (
        criterion.sentence
        == "Macro-F1 with noise of 50 % on text is at least 0.4 (on 5 samples or more)."
    )


def test_the_order_of_the_rows_changes_nothing(noisy_run, tmp_path):
    aligned, turn = mixed(), random.Random(3).sample(range(60), 60)

    def turned(values):
        return [values[i] for i in turn]

    modalities = {
        name: replace(modality, cells=turned(modality.cells))
        for name, modality in reversed(aligned.modalities.items())
    }
    groups = {name: turned(values) for name, values in aligned.groups.items()}
    other = replace(
        aligned,
        keys=turned(aligned.keys),
        labels=turned(aligned.labels),
        modalities=modalities,
        groups=groups,
    )
    assert train(other, noisy_recipe(), tmp_path, None, Progress()).noise == noisy_run[0].noise


def test_noise_changes_no_other_figure(noisy_run, tmp_path):
    plain = train(mixed(), noisy_recipe(evaluation={"draws": 60}), tmp_path, None, Progress())
    skipped = {"noise", "protocols", "seconds", "environment"}
    assert plain.noise == []
    assert "evaluation.noise" in str(plain.protocols[0].criteria[0].unknown)
    assert plain.model_dump(exclude=skipped) == noisy_run[0].model_dump(exclude=skipped)


@pytest.mark.parametrize("method", ["ensemble", "bottleneck"])
def test_every_method_is_judged_under_noise(tmp_path, method):
    result = train(
        mixed(36), noisy_recipe(method=method, compare=["concat"]), tmp_path, None, Progress()
    )
    assert len(result.noise) == 2


def test_noise_on_tuned_encoders_is_refused_in_words():
    with pytest.raises(RecipeError, match="read by frozen encoders only"):
        noisy_recipe(encoders={"text": [{"name": "tiny-text", "tune": "lora"}]})


def test_a_level_that_there_is_not_is_named(tmp_path):
    criteria = [{"metric": "macro_f1", "noise": {"text": "10 dB"}, "at_least": 0.4}]
    with pytest.raises(
        RecipeError, match=r"criterion 1, noise: text has no level 10 dB; use 10 %, 25 % or 50 %"
    ):
        train(
            mixed(),
            noisy_recipe(protocols=[{"discipline": "LI", "criteria": criteria}]),
            tmp_path,
            None,
            Progress(),
        )


def test_features_of_a_table_are_noisy_by_their_round():
    noisy = Noisy.of(
        mixed(), lambda rows: {"text": "tiny-text"}, [np.arange(5), np.arange(30)], None, Progress()
    )
    some, others = (
        noisy.features(("numbers", "1 sd"), rows) for rows in (np.arange(5), np.arange(30))
    )
    assert not np.array_equal(some, others)
    assert noisy.features(("text", "10 %"), np.arange(5)) is noisy.features(
        ("text", "10 %"), np.arange(30)
    )


def test_each_round_of_a_search_is_judged_under_noise_by_what_it_reads_and_how_it_joins(tmp_path):
    cache = Cache(tmp_path / "cache")
    search = {"encoders": ["tiny-text"], "probe": True}
    result = train(
        mixed(48),
        noisy_recipe(search=search, compare=["concat"]),
        tmp_path / "searched",
        cache,
        Progress(),
    )
    assert {modality.modality for modality in result.noise} == {"numbers", "text"}
    assert result.environment["noise embedded"]["computed"] > 0
    assert len({level.value for modality in result.noise for level in modality.levels}) > 1
    again = train(
        mixed(48),
        noisy_recipe(search=search, compare=["concat"]),
        tmp_path / "again",
        cache,
        Progress(),
    )
    assert again.environment["noise embedded"]["computed"] == 0
    assert again.noise == result.noise


def test_noise_is_read_once_by_whatever_rounds_read_with():
    def read(rows):
        return {"text": [EncoderChoice(name="tiny-text", layers=[1 if len(rows) > 10 else 2])]}

    noisy = Noisy.of(mixed(), read, [np.arange(5), np.arange(30)], None, Progress())
    some, others = (
        noisy.features(("text", "10 %"), rows) for rows in (np.arange(5), np.arange(30))
    )
    assert not np.array_equal(some, others)
    assert noisy.features(("text", "10 %"), np.arange(6)) is some
    once = Noisy.of(
        mixed(), lambda rows: {"text": "tiny-text"}, [np.arange(5), np.arange(30)], None, Progress()
    )
    assert noisy.n_computed == 2 * once.n_computed


def test_a_search_that_has_one_way_only_is_judged_under_noise_as_a_run_is(tmp_path):
    searched = train(
        mixed(48), noisy_recipe(search={"probe": False}), tmp_path / "searched", None, Progress()
    )
    assert (
        searched.noise
        == train(mixed(48), noisy_recipe(), tmp_path / "plain", None, Progress()).noise
    )
