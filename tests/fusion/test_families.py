"""Every family of foundation models, by a tiny model in a transformers folder."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

from fusion.encoders import catalogue, load
from fusion.encoders.base import EncoderError
from fusion.encoders.families import FAMILIES, POOLINGS

from .families import CONFIGS, KIN, KINDS, choice, encoded, saved

DECODERS = ("gpt2", "gpt_neox", "llama")


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory):
    """One folder of all families, each by the name of its family with `our-` before it."""
    folder = tmp_path_factory.mktemp("encoders")
    for family in CONFIGS:
        saved(folder / f"our-{family}", family)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONSILIENCE_ENCODERS", str(folder))
        yield folder


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    folder = tmp_path_factory.mktemp("contents")
    for n in range(2):
        values = np.random.default_rng(n).integers(0, 255, (30 + n, 40, 3), dtype=np.uint8)
        Image.fromarray(values).save(folder / f"{n}.png")
        soundfile.write(
            folder / f"{n}.wav", np.random.default_rng(n).normal(0, 0.1, 6000 + 2500 * n), 8000
        )
    return {
        "image": [folder / "0.png", folder / "1.png"],
        "audio": [folder / "0.wav", folder / "1.wav"],
        "text": ["a pair of them", "none " * 60],
        "series": [(1.0, 2.0, float("nan"), 0.0), tuple(float(n % 7) for n in range(90))],
    }


@pytest.mark.parametrize("family", KIN)
def test_a_model_of_each_type_that_is_accepted_is_read_alone_as_beside_others(
    family, home, contents
):
    saved(home / f"our-{family}", family)
    encoder = load(choice(f"our-{family}", layers=[1, -1]))
    inputs = [encoder.prepare(content) for content in contents[encoder.kind]]
    alone = np.concatenate([encoder.encode([prepared]) for prepared in inputs])
    assert alone.shape == (2, encoder.dim)
    assert np.isfinite(alone).all()
    assert np.abs(alone[0] - alone[1]).max() > 1e-5
    assert encoder.kind == "audio" or np.allclose(encoder.encode(inputs), alone, atol=1e-4)


def test_every_type_that_is_accepted_is_tested_by_a_model_of_its_own():
    assert set(FAMILIES) == {*CONFIGS, *KIN}


@pytest.mark.parametrize("family", CONFIGS)
def test_a_folder_of_each_family_is_an_encoder_by_its_name(family, contents):
    entry = catalogue.get(f"our-{family}")
    assert (entry.kind, entry.sort, entry.family) == (
        KINDS[family],
        "local",
        FAMILIES[family].title,
    )
    encoder = load(f"our-{family}")
    vectors = encoded(encoder, contents[encoder.kind])
    assert vectors.shape == (2, encoder.dim)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-4
    assert np.array_equal(vectors, encoded(load(f"our-{family}"), contents[encoder.kind]))


@pytest.mark.parametrize("family", CONFIGS)
def test_a_vector_does_not_depend_on_its_neighbours_or_their_length(family, contents):
    for pooling in POOLINGS[FAMILIES[family].reader]:
        encoder = load(choice(f"our-{family}", pooling=pooling))
        inputs = [encoder.prepare(content) for content in contents[encoder.kind]]
        if encoder.kind == "audio" and encoder.bucket(inputs[0]) != encoder.bucket(inputs[1]):
            continue  # such are never in one batch
        alone = np.concatenate([encoder.encode([prepared]) for prepared in inputs])
        assert np.allclose(encoder.encode(inputs), alone, atol=1e-4), pooling


@pytest.mark.parametrize("family", CONFIGS)
def test_every_pooling_and_any_layers_are_options_with_a_fingerprint_of_their_own(family, contents):
    encoders = [
        load(choice(f"our-{family}", pooling=pooling)) for pooling in FAMILIES[family].poolings
    ]
    two = load(choice(f"our-{family}", layers=[1, -1]))
    assert len({encoder.fingerprint for encoder in [*encoders, two]}) == len(encoders) + 1
    for encoder in [*encoders, two]:
        assert encoded(encoder, contents[encoder.kind]).shape == (2, encoder.dim)
    with pytest.raises(EncoderError, match="layers 0 to 2; 3 is none of them"):
        load(choice(f"our-{family}", layers=[3]))


@pytest.mark.parametrize("family", CONFIGS)
def test_a_pooling_that_a_family_has_not_is_refused_in_words(family):
    unknown = next(
        pooling for pooling in ("grid", "segments") if pooling not in FAMILIES[family].poolings
    )
    with pytest.raises(EncoderError, match=f"can be pooled by .*, not by {unknown}"):
        load(choice(f"our-{family}", pooling=unknown))


@pytest.mark.parametrize("family", DECODERS)
def test_a_decoder_gives_its_last_real_token(family, home):
    """Against the model itself, on the text alone and without any padding."""
    from transformers import AutoModel

    encoder = load(choice(f"our-{family}", pooling="last"))
    tokens = encoder.prepare("a pair of them")
    model = AutoModel.from_pretrained(home / f"our-{family}", dtype=torch.float32).eval()
    with torch.inference_mode():
        states = model(input_ids=torch.tensor([tokens])).last_hidden_state[0]
    beside_a_longer_text = encoder.encode([tokens, encoder.prepare("none " * 20)])[0]
    assert np.allclose(beside_a_longer_text, states[-1].numpy(), atol=1e-5)
    mean = load(choice(f"our-{family}", pooling="mean")).encode(
        [tokens, encoder.prepare("none " * 20)]
    )[0]
    assert np.allclose(mean, states.mean(0).numpy(), atol=1e-5)


@pytest.mark.parametrize("family", ["bert", "roberta", "gpt2"])
def test_a_text_is_cut_at_the_places_that_the_model_has(family):
    assert len(load(f"our-{family}").prepare("none " * 100)) == (32 if family == "roberta" else 34)


def test_patches_are_pooled_without_the_class_token(home, contents):
    encoder = load(choice("our-vit", layers=[2]))
    inputs = [encoder.prepare(content) for content in contents["image"]]
    with torch.inference_mode():
        state = encoder.states(inputs)[2]
    assert np.allclose(encoder.encode(inputs), state[:, 1:].mean(1).numpy(), atol=1e-5)
    quarters = load(choice("our-vit", pooling="grid", grid=[2])).encode(inputs).reshape(2, 16, 2, 2)
    first = state[:, 1:].reshape(2, 4, 4, 16)[:, :2, :2].mean((1, 2))
    assert np.allclose(quarters[:, :, 0, 0], first.numpy(), atol=1e-5)


@pytest.mark.parametrize("family", ["vit", "dinov2", "resnet"])
def test_another_resolution_than_the_model_was_trained_on_is_an_option(family, contents):
    encoder = load(choice(f"our-{family}", resolution=64))
    assert encoded(encoder, contents["image"]).shape == (2, 16)


@pytest.mark.parametrize("family", ["wav2vec2", "hubert", "audio-spectrogram-transformer"])
def test_the_last_frame_of_a_recording_is_its_own(family, contents):
    """Silence that a longer neighbour's length would add is not what "last" reads."""
    last = load(choice(f"our-{family}", pooling="last"))
    inputs = [last.prepare(contents["audio"][0])]
    frames = last.frames(len(inputs[0]))
    assert 1 < frames <= 64
    every = (
        load(choice(f"our-{family}", pooling="segments", grid=[frames]))
        .encode(inputs)
        .reshape(frames, -1)
    )
    assert np.allclose(last.encode(inputs)[0], every[-1], atol=1e-5)


def test_a_recording_of_fewer_frames_than_stretches_has_a_vector(tmp_path):
    soundfile.write(tmp_path / "click.wav", np.ones(40), 8000)
    encoder = load(choice("our-wav2vec2", pooling="segments", grid=[64]))
    assert np.isfinite(encoded(encoder, [tmp_path / "click.wav"])).all()


def test_a_series_keeps_its_level_and_its_spread(contents):
    vectors = encoded(load("our-patchtst"), [(1.0, 3.0), (11.0, 13.0), (float("nan"),) * 4])
    assert np.allclose(vectors[0, :-2], vectors[1, :-2], atol=1e-3)
    assert np.allclose(vectors[:, -2], [2, 12, 0], atol=1e-4)
    assert np.isfinite(vectors).all()


def test_a_series_model_of_several_channels_reads_one(tmp_path, contents):
    folder = saved(tmp_path / "seven", "patchtst", num_input_channels=7)
    encoder = load(str(folder), folders=True)
    assert encoded(encoder, contents["series"]).shape == (2, 18)


def test_a_family_that_is_no_encoder_is_refused_with_those_that_are(home, tmp_path):
    folder = tmp_path / "t5"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "t5"}))
    with pytest.raises(
        EncoderError,
        match=r"the family t5, which cannot be read as an encoder; known are .*roberta",
    ):
        load(str(folder), folders=True)


@pytest.mark.parametrize("family", ["gpt2", "vit", "wav2vec2"])
def test_weights_that_are_missing_are_not_replaced_by_random_ones(family, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = saved(tmp_path / "torn", family)
    path = folder / "model.safetensors"
    state = load_file(path)
    lost = next(name for name in state if "1." in name and name.endswith("weight"))
    save_file(
        {name: value for name, value in state.items() if name != lost}, path, {"format": "pt"}
    )
    with pytest.raises(EncoderError, match="is not whole: 1 weights"):
        load(str(folder), folders=True)


def test_weights_of_half_precision_are_read_in_full(tmp_path, contents):
    from safetensors.torch import load_file, save_file

    folder = saved(tmp_path / "half", "llama", dtype="bfloat16")
    path = folder / "model.safetensors"
    save_file(
        {name: value.bfloat16() for name, value in load_file(path).items()}, path, {"format": "pt"}
    )
    encoder = load(str(folder), folders=True)
    assert next(encoder.model.parameters()).dtype == torch.float32


def test_a_folder_in_parts_is_read_by_its_index(tmp_path, contents):
    from transformers import AutoModel

    whole = saved(tmp_path / "whole", "bert")
    parts = tmp_path / "parts"
    AutoModel.from_pretrained(whole).save_pretrained(parts, max_shard_size="8KB")
    for file in ("tokenizer.json", "tokenizer_config.json"):
        (parts / file).write_bytes((whole / file).read_bytes())
    assert len(list(parts.glob("*.safetensors"))) > 1
    same = [
        encoded(load(str(Path(folder)), folders=True), contents["text"])
        for folder in (whole, parts)
    ]
    assert np.allclose(*same, atol=1e-6)
