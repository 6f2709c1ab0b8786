"""The encoders of an installation: added whole or not at all, tested, listed, removed."""

import json
import shutil
from pathlib import Path

import pytest

from consilience import encoder as command
from fusion.encoders import catalogue, installed, load, record
from fusion.encoders.base import EncoderError

from .families import saved


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    folder = tmp_path / "home" / "encoders"
    monkeypatch.setenv("CONSILIENCE_ENCODERS", str(folder))
    return folder


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("models") / "Clinic-BERT", "bert")


@pytest.fixture
def copy(bert, tmp_path):
    return Path(shutil.copytree(bert, tmp_path / "Clinic-BERT"))


def run(*arguments):
    return command.main([str(argument) for argument in arguments])


def left(home):
    return sorted(path.name for path in home.iterdir()) if home.is_dir() else []


def test_a_folder_becomes_an_encoder_with_a_record(bert, home, capsys):
    assert run("add", bert, "--licence", "MIT") == 0
    entry = catalogue.get("clinic-bert")
    assert (entry.kind, entry.family, entry.dim, entry.licence, entry.layers) == (
        "text",
        "BERT",
        16,
        "MIT",
        (0, 1, 2),
    )
    assert entry.check.passed
    assert entry.sha256 == installed.sha256_of(bert / "model.safetensors")
    assert entry.parameters == sum(p.numel() for p in load("clinic-bert").model.parameters()) > 1000
    assert str(bert.parent) not in (home / "clinic-bert" / record.RECORD).read_text()
    assert "clinic-bert is an encoder for text now" in capsys.readouterr().out
    assert run("list") == 0
    assert "clinic-bert" in capsys.readouterr().out


def test_only_the_files_that_are_read_are_copied(copy, home):
    for name in ("modeling.py", "pytorch_model.bin", "notes.txt"):
        (copy / name).write_text("x")
    (copy / "README.md").write_text("---\nlicense: apache-2.0\n---\n# Clinic\n")
    assert run("add", copy) == 0
    assert not {"modeling.py", "pytorch_model.bin", "notes.txt"} & set(left(home / "clinic-bert"))
    assert catalogue.get("clinic-bert").licence == "apache-2.0"


def spoil_code(folder):
    config = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(
        json.dumps(config | {"auto_map": {"AutoTokenizer": ["evil.T", None]}})
    )


def spoil_pickle(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def spoil_family(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "t5"}))


def spoil_weights(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-400])


def spoil_numbers(folder):
    import torch
    from safetensors.torch import load_file, save_file

    state = load_file(folder / "model.safetensors")
    state["encoder.layer.1.output.dense.bias"] = torch.full_like(
        state["encoder.layer.1.output.dense.bias"], float("nan")
    )
    save_file(state, folder / "model.safetensors", {"format": "pt"})


def spoil_words(folder):
    """A tokenizer of another model: its numbers are larger than the vocabulary."""
    content = (folder / "tokenizer.json").read_text()
    content = content.replace('"[CLS]": 2', '"[CLS]": 4000').replace('"id": 2', '"id": 4000')
    (folder / "tokenizer.json").write_text(content.replace("[\n          2\n        ]", "[4000]"))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil_code, "wants to run code of its own"),
        (spoil_pickle, r"has pytorch_model.bin, but no safetensors file"),
        (spoil_family, "cannot be read as an encoder"),
        (spoil_weights, "cannot be loaded"),
        (spoil_numbers, "not finite"),
        (spoil_words, "cannot read a sample of the kind text"),
    ],
)
def test_what_cannot_be_trusted_is_refused_and_leaves_nothing(copy, home, capsys, spoil, words):
    spoil(copy)
    assert run("add", copy) == 1
    assert words in capsys.readouterr().err
    assert left(home) == []


def test_stopping_it_leaves_nothing(bert, home, monkeypatch):
    def stop(read):
        raise KeyboardInterrupt

    monkeypatch.setattr(installed, "self_test", stop)
    with pytest.raises(KeyboardInterrupt):
        run("add", bert)
    assert left(home) == []


@pytest.mark.parametrize("name", ["../out", "Big Model", "minilm-l6-v2", ".hidden", "a+b"])
def test_a_name_that_cannot_be_is_refused(bert, home, name):
    with pytest.raises(EncoderError):
        installed.add(str(bert), name, None, print)
    assert left(home) == []


def test_a_name_is_given_once_and_free_again_after_removal(bert, home, capsys):
    assert run("add", bert) == 0
    assert run("add", bert) == 1
    assert "there is an encoder clinic-bert already" in capsys.readouterr().err
    assert run("remove", "clinic-bert") == 0
    assert left(home) == []
    assert catalogue.get("clinic-bert") is None
    assert run("remove", "clinic-bert") == 1
    assert run("remove", "minilm-l6-v2") == 1


def test_files_that_were_changed_after_the_test_are_not_read_until_they_are_tested_again(
    bert, home
):
    assert run("add", bert) == 0
    config = json.loads((home / "clinic-bert" / "config.json").read_text())
    (home / "clinic-bert" / "config.json").write_text(json.dumps(config | {"hidden_act": "relu"}))
    with pytest.raises(EncoderError, match="were changed since it was added"):
        load("clinic-bert")
    assert run("check", "clinic-bert") == 0
    assert load("clinic-bert").dim == 16


def test_a_check_keeps_the_fault_that_it_found(copy, home, capsys):
    assert run("add", copy, "--licence", "MIT") == 0
    spoil_numbers(home / "clinic-bert")
    assert run("check", "clinic-bert") == 1
    entry = catalogue.get("clinic-bert")
    assert not entry.check.passed
    assert "not finite" in entry.check.fault
    assert entry.licence == "MIT"


def test_encoders_of_the_product_are_checked_too(home):
    assert run("check", "pixels", "curve", "numbers") == 0
    assert all(catalogue.get(name).check.passed for name in ("pixels", "curve", "numbers"))
    assert catalogue.local_entries() == []


@pytest.mark.parametrize(
    "name", [entry.name for entry in catalogue.registered() if entry.sort == "packaged"]
)
def test_the_catalogue_tells_the_true_size_of_what_comes_with_the_product(name, home):
    entry = catalogue.get(name)
    if not entry.installed:
        pytest.skip(f"the package of {name} is not installed; the demo extra brings it")
    made = installed.check(entry)
    assert (made.check.fault, made.parameters, made.dim) == ("", entry.parameters, entry.dim)


def test_a_record_that_is_broken_is_no_record(bert, home):
    assert run("add", bert) == 0
    (home / "clinic-bert" / record.RECORD).write_text('{"name": 3')
    assert catalogue.get("clinic-bert").check is None


def test_a_hub_name_is_downloaded_small_files_first(bert, home, monkeypatch):
    import huggingface_hub

    downloads = []

    class Hub:
        def model_info(self, name):
            return type("Found", (), {"sha": "4f" * 20})

    def fetch(name, revision, local_dir, allow_patterns):
        downloads.append((name, revision, "*.safetensors" in allow_patterns))
        for path in bert.iterdir():
            if (path.suffix == ".safetensors") == ("*.safetensors" in allow_patterns):
                local_dir.mkdir(exist_ok=True)
                shutil.copy(path, local_dir)

    monkeypatch.setattr(huggingface_hub, "HfApi", Hub)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    assert run("add", "clinic/Tiny") == 0
    assert downloads == [("clinic/Tiny", "4f" * 20, False), ("clinic/Tiny", "4f" * 20, True)]
    entry = catalogue.get("tiny")
    assert (entry.source, entry.version) == ("huggingface.co/clinic/Tiny", "4f" * 20)
    assert left(home) == ["tiny"]


def test_a_hub_that_cannot_be_reached_is_told_in_words(home, monkeypatch, capsys):
    import httpx2
    import huggingface_hub

    class Hub:
        def model_info(self, name):
            raise httpx2.ConnectError("no route")

    monkeypatch.setattr(huggingface_hub, "HfApi", Hub)
    assert run("add", "clinic/tiny") == 1
    assert "clinic/tiny cannot be downloaded: no route" in capsys.readouterr().err
    assert run("add", "no-such-folder") == 1
    assert "neither a folder on this machine nor a hub name" in capsys.readouterr().err
    assert left(home) == []
