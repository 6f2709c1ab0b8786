"""A transformers folder with safetensors weights as an encoder, of any family in `families`.

No code of a folder is ever run, nothing is fetched, nothing but safetensors and JSON is read.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoModel, PreTrainedModel

from fusion.encoders import catalogue
from fusion.encoders.base import Choice, Encoder, EncoderError, sha256_of
from fusion.encoders.catalogue import WEIGHTS, Entry
from fusion.encoders.families import FAMILIES, Family
from fusion.encoders.record import read
from fusion.encoders.runtime import quiet

GREY = [127.5] * 3
UNUSED = ("pooler", "masked_spec_embed", "mask_token", "lm_head")
"""Weights that no vector depends on: a checkpoint may lack them. Whisper has a whole decoder more.
"""


def load(entry: Entry, choice: Choice) -> Encoder:
    """Load an installed encoder; raises EncoderError also where its files were changed since."""
    folder = catalogue.home() / entry.name
    record, digest = read(folder), digest_of(folder)
    if record and record.digest and record.digest != digest:
        raise EncoderError(
            f"the files of encoder {entry.name} were changed since it was added; "
            f"add it again, or check it: consilience encoder check"
        )
    return load_folder(folder, entry.name, choice, digest)


def load_path(choice: Choice) -> Encoder:
    """Load any folder, or a hub name that this person has downloaded; raises EncoderError."""
    folder = Path(choice.name)
    return load_folder(folder if folder.is_dir() else hub_folder(choice.name), folder.name, choice)


def hub_folder(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (OSError, HFValidationError) as error:
        raise EncoderError(
            f"there is no encoder {name} here: it is neither in the catalogue, nor a folder, "
            f"nor among the models that were downloaded to this machine. "
            f"Nothing is fetched from the hub; download it first and give the folder's path"
        ) from error


def load_folder(folder: Path, name: str, choice: Choice, digest: str | None = None) -> Encoder:
    """Load a folder; raises EncoderError for one of no known family, with code of its own, or
    without all of its weights as safetensors. digest: where it is known already.
    """
    family = family_of(folder)
    weights = digest or digest_of(folder)
    try:
        return READERS[family.reader](folder, name, choice, network_of(folder, name), weights)
    except (
        OSError,
        ValueError,
        KeyError,
        RuntimeError,
        AttributeError,
        TypeError,
        SafetensorError,
    ) as error:
        raise EncoderError(
            f"encoder {name} cannot be loaded: {str(error).splitlines()[0]}"
        ) from error


def network_of(folder: Path, name: str) -> PreTrainedModel:
    """Return the whole network in float32; raises EncoderError where weights are missing, which
    transformers would replace by random ones.
    """
    quiet()
    model, report = AutoModel.from_pretrained(
        str(folder),
        local_files_only=True,
        use_safetensors=True,
        trust_remote_code=False,
        dtype=torch.float32,
        output_loading_info=True,
    )
    unused = (*UNUSED, "decoder.") if model.config.model_type == "whisper" else UNUSED
    lost = sorted(key for key in report["missing_keys"] if not any(part in key for part in unused))
    lost += [mismatch[0] for mismatch in report["mismatched_keys"]]
    if lost:
        raise EncoderError(
            f"encoder {name} is not whole: {len(lost)} weights that its config.json promises "
            f"are missing or of another size, for instance {lost[0]}"
        )
    return model


def family_of(folder: Path) -> Family:
    """Return the family of a transformers folder; raises EncoderError for one that is not read."""
    content = read_json(folder / "config.json")
    if "model_type" not in content:
        raise EncoderError(
            f"{folder} is no transformers folder: it has no config.json with a model_type"
        )
    if any("auto_map" in read_json(path) for path in sorted(folder.glob("*.json"))):
        raise EncoderError(
            f"{folder.name} wants to run code of its own (auto_map); "
            f"only models that transformers knows are read"
        )
    family = FAMILIES.get(str(content["model_type"]))
    if family is None:
        raise EncoderError(
            f"{folder.name} is of the family {content['model_type']}, which cannot be read as an "
            f"encoder; known are {', '.join(sorted(FAMILIES))}"
        )
    return family


def read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise EncoderError(f"{path} is no proper JSON: {error}") from error
    return content if isinstance(content, dict) else {}


def weights_of(folder: Path) -> list[Path]:
    """Return the safetensors files that transformers reads; raises EncoderError without any."""
    index = read_json(folder / f"{WEIGHTS}.index.json").get("weight_map")
    names = sorted({str(name) for name in index.values()}) if isinstance(index, dict) else [WEIGHTS]
    missing = [name for name in names if Path(name).name != name or not (folder / name).is_file()]
    if missing:
        others = ", ".join(
            sorted(
                p.name
                for p in folder.iterdir()
                if p.suffix in (".bin", ".pt", ".pth", ".h5", ".msgpack")
            )
        )
        raise EncoderError(
            f"{folder.name} has {others or 'no weights'}, but no safetensors file {missing[0]}; "
            f"save it again with save_pretrained(safe_serialization=True)"
        )
    return [folder / name for name in names]


def digest_of(folder: Path) -> str:
    """Return the SHA-256 over the weight files and their configuration."""
    names = [
        p
        for p in (
            folder / "config.json",
            folder / "preprocessor_config.json",
            folder / "tokenizer.json",
        )
        if p.is_file()
    ]
    return hashlib.sha256(
        "".join(sha256_of(path) for path in [*weights_of(folder), *names]).encode()
    ).hexdigest()


def vision(
    folder: Path, name: str, choice: Choice, model: PreTrainedModel, weights: str
) -> Encoder:
    from fusion.encoders.adapters.vision import HubVision

    preprocessor = read_json(folder / "preprocessor_config.json")
    size = preprocessor.get("size")
    if preprocessor.get("do_normalize") is False:
        scaling = {"mean": [0.0] * 3, "std": [255.0] * 3}
    else:
        scaling = {
            name: [255 * value for value in preprocessor[f"image_{name}"]]
            if f"image_{name}" in preprocessor
            else GREY
            for name in ("mean", "std")
        }
    px = (
        size
        if isinstance(size, int)
        else (size or {}).get("height") or (size or {}).get("shortest_edge")
    )
    return HubVision(name, name, choice, model, weights, {**scaling, "px": px})


def whisper(
    folder: Path, name: str, choice: Choice, model: PreTrainedModel, weights: str
) -> Encoder:
    from fusion.encoders.adapters.speech import WhisperSpeech

    return WhisperSpeech(name, choice, model.config, model.get_encoder, weights)


def wave(folder: Path, name: str, choice: Choice, model: PreTrainedModel, weights: str) -> Encoder:
    from fusion.encoders.adapters.speech import WaveSpeech

    return WaveSpeech(
        name,
        choice,
        model,
        weights,
        bool(read_json(folder / "preprocessor_config.json").get("do_normalize", True)),
    )


def spectrogram(
    folder: Path, name: str, choice: Choice, model: PreTrainedModel, weights: str
) -> Encoder:
    from fusion.encoders.adapters.speech import SpectrogramSpeech

    preprocessor = read_json(folder / "preprocessor_config.json")
    return SpectrogramSpeech(
        name,
        choice,
        model,
        weights,
        {key: preprocessor[key] for key in ("mean", "std", "do_normalize") if key in preprocessor},
    )


def language(
    folder: Path, name: str, choice: Choice, model: PreTrainedModel, weights: str
) -> Encoder:
    from fusion.encoders.adapters.language import Language, most_tokens, tokeniser_of

    return Language(
        name,
        choice,
        model.config,
        lambda: model,
        tokeniser_of(str(folder), most_tokens(model.config)),
        weights,
    )


def series(
    folder: Path, name: str, choice: Choice, model: PreTrainedModel, weights: str
) -> Encoder:
    from fusion.encoders.adapters.series import PatchSeries

    return PatchSeries(name, choice, model, weights)


READERS: dict[str, Callable[[Path, str, Choice, PreTrainedModel, str], Encoder]] = {
    "tokens": language,
    "map": vision,
    "patches": vision,
    "whisper": whisper,
    "wave": wave,
    "spectrogram": spectrogram,
    "series": series,
}
"""`families.Family.reader` -> the function that makes the encoder."""
