"""Encoders that are trained along: only what should changes, only from training rows, the same
after a stop, whole in the bundle.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

import fusion
from fusion.core.files import digest_of, file_digest, read_tensors, write_json, write_tensors
from fusion.core.progress import Progress, Stopped
from fusion.data.alignment import Aligned, Cell, Modality, Split
from fusion.encoders import load as load_encoder
from fusion.encoders.adaptation import adapt, blocks_of, count, example, trained, tuned
from fusion.encoders.base import EncoderError
from fusion.encoders.embedding import embed
from fusion.features.whitening import Whitening
from fusion.pipeline.bundle import BundleError
from fusion.pipeline.bundle_files import load
from fusion.pipeline.evaluate_bundle import score
from fusion.pipeline.run import train
from fusion.pipeline.run_plan import in_order
from fusion.schema.recipe import EncoderChoice, Recipe, RecipeError
from fusion.tasks import task_of
from fusion.training.finetune.fit import Examples, Headed, fit
from fusion.training.finetune.rounds import Tuner
from fusion.training.fit_store import Store
from fusion.training.folds import TrainingData
from fusion.training.loop import Hooks

RATES = {"lora": 1e-2, "last": 3e-3, "full": 1e-3}
MODES = list(RATES)


def clues(n=150, seed=0):
    """Fourteen words that say nothing and one that does: the mean of a frozen encoder's tokens
    drowns it.
    """
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=n)
    texts = []
    for k in y:
        words = [f"w{i}" for i in rng.integers(60, size=14)] + [f"k{2 * rng.integers(4) + k}"]
        rng.shuffle(words)
        texts.append(" ".join(words))
    return Aligned(
        keys=[f"T{seed}{i:03d}" for i in range(n)],
        labels=[f"class {k}" for k in y],
        modalities={"text": Modality("text", [Cell.text(text) for text in texts])},
        groups={"s.site": [f"S{i % 3}" for i in range(n)]},
        extras={"s.writer": [f"W{i % 36}" for i in range(n)]},
        cluster="s.writer",
        split=Split(policy="by-group", test=0.34),
    )


def recipe(tune="lora", name="tiny-text", **tuning):
    options = {"epochs": 8, "learning_rate": RATES.get(tune)} | tuning
    return Recipe.parse(
        {
            "encoders": {"text": [{"name": name, "tune": tune, "tuning": options}]},
            "training": {
                "seeds": [0],
                "epochs": 3,
                "inner_folds": 1,
                "hidden_dim": 8,
                "learning_rate": 0.003,
            },
            "evaluation": {"draws": 50, "degradation": False},
        }
    )


def run(folder, tune, progress=None, every=1.0, **tuning):
    return train(
        clues(), recipe(tune, **tuning), folder, None, progress or Progress(), every
    ).model_dump(exclude={"seconds"})


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folders = {tune: tmp_path_factory.mktemp(tune) for tune in ("frozen", *MODES)}
    return {tune: (run(folder, tune), folder) for tune, folder in folders.items()}


@pytest.mark.parametrize("tune", MODES)
def test_a_tuned_encoder_beats_the_frozen_one_where_tuning_is_needed(runs, tune):
    gained = (
        runs[tune][0]["headline"]["score"]["value"]
        - runs["frozen"][0]["headline"]["score"]["value"]
    )
    assert gained > 0.05


def test_the_same_seed_twice_gives_the_same_figures(runs, tmp_path):
    assert run(tmp_path, "last") == runs["last"][0]


class Stopping(Progress):
    def __init__(self, after):
        self.left = after

    def stage(self, name):
        self.name = name

    def check(self):
        self.left -= getattr(self, "name", "") == "tune"
        if self.left < 0:
            raise Stopped


def test_a_run_that_was_stopped_while_it_tuned_goes_on_to_the_same_figures(runs, tmp_path):
    with pytest.raises(Stopped):
        run(tmp_path, "lora", Stopping(20), every=0)
    kept = {path.suffix for path in (tmp_path / ".work").rglob("*.*")}
    assert kept == {".safetensors", ".checkpoint"}
    assert run(tmp_path, "lora", every=0) == runs["lora"][0]


def fitted(choice, folders=False, change=lambda encoder: None, **options):
    """An encoder after two epochs on a few examples, and its weights before."""
    encoder = load_encoder(choice, folders)
    torch.manual_seed(0)
    before = {name: value.clone() for name, value in encoder.model.state_dict().items()}
    adapt(encoder, choice)
    change(encoder)
    rng = np.random.default_rng(0)
    inputs = [example(encoder)] * 6
    if encoder.kind == "text":
        inputs = [encoder.prepare(f"a{i} b{i}") for i in range(6)]
    whitening = Whitening.fit(rng.normal(size=(9, encoder.dim)).astype(np.float32), 4)
    headed = Headed(
        encoder, whitening, rng.normal(size=(4, 2)).astype(np.float32), np.zeros(2, np.float32)
    )
    examples = Examples(lambda i: inputs[i], torch.tensor([0, 1] * 3))
    fit(headed, examples, choice, Recipe().training, "unit", Hooks())
    return encoder, before


def chosen(name, tune, **tuning):
    return EncoderChoice.model_validate(
        {"name": str(name), "tune": tune, "tuning": {"epochs": 2, "batch_size": 4} | tuning}
    )


def changed(encoder, before):
    after = encoder.model.state_dict()
    # Whisper's table of positions is cut to the length of the recording
    weights = {name: value for name, value in before.items() if name != "embed_positions.weight"}
    return {name for name, value in weights.items() if not torch.equal(value, found(after, name))}


def found(state, name):
    """A weight by its name before adapters were put around it."""
    owner, _, last = name.rpartition(".")
    return state[name] if name in state else state[f"{owner}.base_layer.{last}"]


def test_lora_trains_adapters_and_leaves_every_weight_of_the_encoder_as_it_was():
    encoder, before = fitted(chosen("tiny-text", "lora", blocks=1))
    assert changed(encoder, before) == set()
    adapters = trained(encoder)
    assert {".lora_A." in name or ".lora_B." in name for name in adapters} == {True}
    assert all(name.startswith("encoder.layer.1.") for name in adapters)
    assert any(bool(value.any()) for name, value in adapters.items() if ".lora_B." in name)


def test_last_changes_the_last_blocks_that_are_read_and_nothing_else():
    encoder, before = fitted(chosen("tiny-text", "last", blocks=1))
    assert {name.split(".")[2] for name in changed(encoder, before)} == {"1"}
    encoder, before = fitted(EncoderChoice(name="tiny-text", tune="last", layers=[1]))
    assert {name.split(".")[2] for name in changed(encoder, before)} == {"0"}


def test_full_changes_all_that_a_vector_depends_on():
    encoder, before = fitted(chosen("tiny-text", "full"))
    assert any("embeddings" in name for name in changed(encoder, before))
    assert len(trained(encoder)) == len(before)


FAMILIES = {
    "gpt2": ("GPT2Model", "GPT2Config", {"vocab_size": 30, "n_embd": 16, "n_layer": 2, "n_head": 2}),
    "vit": ("ViTModel", "ViTConfig", {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "image_size": 32, "patch_size": 16}),
    "convnext": ("ConvNextModel", "ConvNextConfig", {"hidden_sizes": [8, 16], "depths": [1, 1], "num_stages": 2, "image_size": 32}),
    "wav2vec2": ("Wav2Vec2Model", "Wav2Vec2Config", {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "conv_dim": [16] * 7, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2}),
}  # fmt: skip


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    home = tmp_path_factory.mktemp("families")
    for family, (model, config, values) in FAMILIES.items():
        getattr(transformers, model)(getattr(transformers, config)(**values)).save_pretrained(
            home / family
        )
    (home / "gpt2" / "vocab.json").write_text(
        json.dumps({"<|endoftext|>": 0, "o": 1, "n": 2, "e": 3})
    )
    (home / "gpt2" / "merges.txt").write_text("#version: 0.2\n")
    return home


@pytest.mark.parametrize("name", ["tiny-text", "tiny-image", "tiny-audio", *FAMILIES])
@pytest.mark.parametrize("tune", MODES)
def test_every_family_learns_and_its_weights_make_the_same_vectors_elsewhere(folders, name, tune):
    choice = chosen(
        folders / name if name in FAMILIES else name, tune, checkpointing=True, epochs=1
    )
    encoder, before = fitted(choice, folders=True)
    kept, sample = tuned(encoder, choice), [example(encoder)]
    assert kept.tensors
    assert tune == "lora" or changed(encoder, before) <= set(kept.tensors)
    plain, other = load_encoder(choice, folders=True), load_encoder(choice, folders=True)
    kept.put_on(other)
    assert np.array_equal(other.encode(sample), encoder.encode(sample))
    assert not np.array_equal(other.encode(sample), plain.encode(sample))
    assert other.fingerprint not in (plain.fingerprint, encoder.fingerprint)


@pytest.mark.parametrize("options", [{"accumulate": 2}, {"accumulate": 9}, {"checkpointing": True}])
def test_saving_memory_changes_nothing_that_is_learnt(options):
    def still(encoder):
        for module in encoder.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0

    one, _ = fitted(chosen("tiny-text", "full"), change=still)
    other, _ = fitted(chosen("tiny-text", "full", **options), change=still)
    for name, value in trained(one).items():
        assert torch.allclose(value, trained(other)[name], atol=2e-6)


def test_dropout_is_the_same_when_a_block_is_computed_again():
    one, _ = fitted(chosen("tiny-text", "full"))
    other, _ = fitted(chosen("tiny-text", "full", checkpointing=True))
    assert all(torch.equal(value, trained(other)[name]) for name, value in trained(one).items())
    assert not any("forward" in vars(block) for block in blocks_of(other.model).values())


def test_parameters_are_counted_before_anything_is_trained():
    rank, width, inner, blocks = 4, 64, 128, 2
    adapters = rank * blocks * (4 * (width + width) + 2 * (width + inner))
    assert count(chosen("tiny-text", "lora", rank=rank)) == (adapters, 227_968)
    assert count(EncoderChoice(name="tiny-text"))[0] == 0
    assert count(chosen("tiny-text", "full"))[0] == count(chosen("tiny-text", "full"))[1]


def test_labels_outside_the_training_rows_change_no_vector(tmp_path):
    aligned, rows = in_order(clues(40)), np.arange(20)
    y = np.array([int(label[-1]) for label in aligned.labels])
    chosen_recipe, vectors = recipe("last", epochs=1), []
    features = embed(aligned, chosen_recipe.encoders, None, Progress())
    for place, labels in enumerate((y, np.concatenate([y[:20], 1 - y[20:]]), 1 - y)):
        data = TrainingData(
            labels, task_of("classification", aligned.label_order), features.x, features.mask
        )
        tuner = Tuner(
            aligned,
            chosen_recipe,
            features,
            data,
            np.arange(40),
            Store(tmp_path / str(place), "digest"),
            Progress(),
        )
        vectors.append(tuner.x(rows)["text"])
    assert np.array_equal(vectors[0], vectors[1])
    assert not np.array_equal(vectors[0], vectors[2])


def test_an_encoder_without_weights_is_refused_in_words(tmp_path):
    wanted = Recipe.parse(
        {"encoders": {"image": [{"name": "tiny-image"}, {"name": "pixels", "tune": "last"}]}}
    )
    aligned = clues()
    aligned.modalities["image"] = Modality("image", [None] * len(aligned))
    with pytest.raises(RecipeError, match=r"encoders\.image\.1\.tune: Pixels has no weights"):
        train(aligned, wanted, tmp_path, None, Progress())
    with pytest.raises(EncoderError, match="no weights that could be tuned"):
        adapt(load_encoder("numbers"), chosen("numbers", "full"))


@pytest.mark.parametrize("tune", MODES)
def test_a_bundle_reads_new_samples_with_the_tuned_encoder(runs, tune):
    bundle = load(runs[tune][1])
    result = score(bundle, clues(seed=1), None, Progress())
    assert result.headline.score.value > runs["frozen"][0]["headline"]["score"]["value"] + 0.05
    assert result.n_samples == 150
    names = set(read_tensors(runs[tune][1] / "tuned.safetensors")[0])
    assert ("lora" in next(iter(names))) == (tune == "lora")


def test_a_frozen_run_has_no_tuned_weights(runs):
    assert not (runs["frozen"][1] / "tuned.safetensors").exists()


def test_tuned_weights_of_another_make_or_another_value_are_refused(runs, tmp_path):
    folder = shutil.copytree(runs["lora"][1], tmp_path / "copy")
    tensors, facts = read_tensors(folder / "tuned.safetensors")
    name = next(iter(tensors))
    tensors[name] = tensors[name] + 1
    write_tensors(folder / "tuned.safetensors", tensors, facts)
    with pytest.raises(BundleError, match="changed after it was written"):
        load(folder)
    manifest = json.loads((folder / "bundle.json").read_text())
    manifest.pop("digest")
    manifest["files"]["tuned.safetensors"] = file_digest(folder / "tuned.safetensors")
    write_json(folder / "bundle.json", manifest | {"digest": digest_of(manifest)})
    with pytest.raises(BundleError, match="holds other weights for text than it says"):
        load(folder)
    change = load(runs["lora"][1]).tuned["text"][0]
    with pytest.raises(EncoderError, match="do not fit the encoder"):
        type(change)(chosen("tiny-text", "lora", rank=2), change.tensors).put_on(
            load_encoder("tiny-text")
        )


TOGETHER = """
import os, sys
import torch, torch.multiprocessing as mp
import fusion.pipeline.run
assert not {"peft", "accelerate"} & set(sys.modules), "a frozen run loads neither"
import accelerate, numpy as np
from torch import nn
from fusion.schema.recipe import EncoderChoice, Training
from fusion.training.loop import Hooks
from fusion.training.finetune.fit import Examples, Headed, fit
from fusion.features.whitening import Whitening

class Plain:
    kind = name = "text"
    def __init__(self):
        self.model = nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 4))
    def vectors(self, inputs):
        return self.model(torch.stack(inputs))

def work(rank, size, out):
    if size > 1:
        os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": sys.argv[2]}
    torch.set_num_threads(1)
    torch.manual_seed(3)
    encoder, x = Plain(), torch.randn(23, 5)
    whitening = Whitening.fit(np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32), 0)
    headed = Headed(encoder, whitening, np.ones((4, 2), np.float32), np.zeros(2, np.float32))
    choice = EncoderChoice.model_validate({"name": "plain", "tune": "full", "tuning": {"epochs": 3, "batch_size": 6, "learning_rate": 0.01, "accumulate": 2}})
    losses = fit(headed, Examples(lambda i: x[i], (x[:, 0] > 0).long()), choice, Training(), "unit", Hooks())
    from accelerate import PartialState
    assert PartialState().num_processes == size and (size == 1 or PartialState().backend == "gloo")
    torch.save([torch.tensor(losses), *encoder.model.state_dict().values()], f"{out}.{size}.{rank}")

for size in (1, 2):
    mp.start_processes(work, (size, sys.argv[1]), size, start_method="fork")
"""


def test_two_processes_learn_what_one_learns(tmp_path, unused_port):
    environment = os.environ | {"PYTHONPATH": str(Path(fusion.__file__).parents[1])}
    subprocess.run(
        [sys.executable, "-c", TOGETHER, tmp_path / "out", str(unused_port)],
        check=True,
        env=environment,
    )
    alone, *both = [
        torch.load(tmp_path / f"out.{name}", weights_only=True) for name in ("1.0", "2.0", "2.1")
    ]
    assert alone[0][-1] < alone[0][0]
    for other in both:
        assert all(
            torch.allclose(mine, theirs, atol=1e-6)
            for mine, theirs in zip(alone, other, strict=True)
        )


@pytest.fixture
def unused_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
