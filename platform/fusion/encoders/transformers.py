"""Any transformers folder with safetensors weights as an encoder: BERT, GPT-2, ResNet, ViT, wav2vec 2.0, Whisper and their kin.

No code of a folder is ever run, nothing is fetched, nothing but safetensors and JSON is read.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoModel, PreTrainedModel

from . import catalogue
from .base import Choice, Encoder, EncoderError, sha256_of
from .catalogue import Entry
from .runtime import quiet

GREY = [127.5] * 3


def load(entry: Entry, choice: Choice) -> Encoder:
    return load_folder(catalogue.home() / entry.name, entry.name, choice)


def load_path(choice: Choice) -> Encoder:
    """A folder anywhere, or a hub name that this person has downloaded before; raises EncoderError."""
    folder = Path(choice.name)
    return load_folder(folder if folder.is_dir() else hub_folder(choice.name), folder.name, choice)


def hub_folder(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (OSError, HFValidationError) as error:
        raise EncoderError(
            f"there is no encoder {name} here: it is neither in the catalogue, nor a folder, nor among the models that were downloaded "
            f"to this machine. Nothing is fetched from the hub; download it first and give the folder's path"
        ) from error


def load_folder(folder: Path, name: str, choice: Choice) -> Encoder:
    """Raises EncoderError for a folder without config, with code of its own, or without safetensors weights."""
    config = read_config(folder)
    weights = weights_of(folder)
    quiet()
    try:
        model = AutoModel.from_pretrained(str(folder), local_files_only=True, use_safetensors=True, trust_remote_code=False)
        kind = catalogue.kind_of_family(config["model_type"])
        return {"image": image_encoder, "audio": audio_encoder, "text": text_encoder}[kind](folder, name, choice, model, weights)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise EncoderError(f"encoder {name} cannot be loaded: {str(error).splitlines()[0]}") from error


def read_config(folder: Path) -> dict[str, Any]:
    content = read_json(folder / "config.json")
    if "model_type" not in content:
        raise EncoderError(f"{folder} is no transformers folder: it has no config.json with a model_type")
    if "auto_map" in content:
        raise EncoderError(
            f"{folder.name} wants to run code of its own (auto_map in config.json); only models that transformers knows are read"
        )
    try:
        AutoConfig.for_model(content["model_type"])
    except (ValueError, KeyError) as error:
        raise EncoderError(f"transformers does not know the family {content['model_type']!r} of {folder.name}") from error
    return content


def read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise EncoderError(f"{path} is no proper JSON: {error}") from error
    return content if isinstance(content, dict) else {}


def weights_of(folder: Path) -> str:
    """SHA-256 over the weight files and their configuration; raises EncoderError if there are no safetensors."""
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        others = (
            ", ".join(sorted(p.name for p in folder.iterdir() if p.suffix in (".bin", ".pt", ".pth", ".h5", ".msgpack"))) or "no weights"
        )
        raise EncoderError(
            f"{folder.name} has {others}, but no safetensors file; save it again with save_pretrained(safe_serialization=True)"
        )
    names = [p for p in (folder / "config.json", folder / "preprocessor_config.json", folder / "tokenizer.json") if p.is_file()]
    return hashlib.sha256("".join(sha256_of(path) for path in [*files, *names]).encode()).hexdigest()


def image_encoder(folder: Path, name: str, choice: Choice, model: PreTrainedModel, weights: str) -> Encoder:
    from .vision import HubVision

    found = read_json(folder / "preprocessor_config.json")
    size = found.get("size")
    preparation: dict[str, Any] = {
        "mean": [255 * v for v in found["image_mean"]] if "image_mean" in found else GREY,
        "std": [255 * v for v in found["image_std"]] if "image_std" in found else GREY,
        "px": size if isinstance(size, int) else (size or {}).get("height") or (size or {}).get("shortest_edge"),
    }
    return HubVision(name, name, choice, model, weights, preparation)


def audio_encoder(folder: Path, name: str, choice: Choice, model: PreTrainedModel, weights: str) -> Encoder:
    from .speech import WaveSpeech, WhisperSpeech

    if model.config.model_type == "whisper":
        return WhisperSpeech(name, choice, model.config, model.get_encoder, weights)
    if not hasattr(model.config, "feat_extract_norm"):
        raise EncoderError(f"{name}: the family {model.config.model_type} cannot be read yet; use Whisper, wav2vec 2.0, HuBERT or WavLM")
    normalise = bool(read_json(folder / "preprocessor_config.json").get("do_normalize", True))
    return WaveSpeech(name, choice, model, weights, normalise)


def text_encoder(folder: Path, name: str, choice: Choice, model: PreTrainedModel, weights: str) -> Encoder:
    from .language import Language, tokeniser_of

    return Language(name, choice, model.config, lambda: model, tokeniser_of(str(folder)), weights)
