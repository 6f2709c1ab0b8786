"""A bundle as a folder: safetensors, JSON and Parquet, never pickle.

bundle.json             recipe, labels, modalities, fingerprints of encoders, digests of files
model.safetensors       the networks and the whitening of their inputs
tuned.safetensors       where encoders were tuned: the weights that changed, of LoRA the adapters
result.json             the evaluation (fusion.schema.result)
predictions.parquet     out-of-fold predictions
representation.parquet  out-of-fold fused representation
recipe.yaml             the recipe, to start from
card.md                 what it is, how good it is and how to use it, to read
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fusion.core.files import (
    BrokenFile,
    digest_of,
    file_digest,
    read_json,
    read_tensors,
    write_bytes,
    write_json,
    write_tensors,
)
from fusion.methods.ensemble import Pool
from fusion.pipeline.bundle import Bundle, BundleError
from fusion.pipeline.card import card
from fusion.schema.recipe import Recipe, RecipeError
from fusion.schema.result import EvaluationResult
from fusion.tasks import task_of
from fusion.training.finetune.files import read_tuned, write_tuned
from fusion.training.models import Model

FORMAT = 1


MANIFEST = "bundle.json"


TUNED = "tuned.safetensors"


def save(bundle: Bundle, folder: Path, files: Sequence[str] = ()) -> str:
    """Writes the bundle; `files` are others already in the folder that belong to it. Returns its
    digest.

    The manifest goes last: a folder without one is no bundle, however the writing ended.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)
    tensors = {
        f"{number}.{name}": value
        for number, model in enumerate(bundle.models.values())
        for name, value in model.tensors().items()
    }
    write_tensors(
        folder / "model.safetensors",
        tensors,
        {"models": [model.facts() for model in bundle.models.values()]},
    )
    write_bytes(folder / "recipe.yaml", bundle.recipe.to_yaml().encode())
    names = ["model.safetensors", "recipe.yaml", *files]
    if bundle.tuned:
        write_tuned(folder / TUNED, bundle.tuned)
        names.append(TUNED)
    if bundle.result is not None:
        write_json(folder / "result.json", bundle.result.model_dump(mode="json"))
        write_bytes(
            folder / "card.md", card(bundle.recipe, bundle.encoders, bundle.result).encode()
        )
        names += ["result.json", "card.md"]
    facts = manifest_of(bundle) | {
        "files": {name: file_digest(folder / name) for name in sorted(names)}
    }
    digest = digest_of(facts)
    write_json(folder / MANIFEST, facts | {"digest": digest})
    return digest


def manifest_of(bundle: Bundle) -> dict[str, Any]:
    """Return what the manifest says of a bundle, without its files."""
    return {
        "format": FORMAT,
        "recipe": bundle.recipe.model_dump(mode="json"),
        "method": bundle.recipe.method,
        "labels": bundle.labels,
        "modalities": bundle.modalities,
        "kinds": bundle.kinds,
        "fields": bundle.fields,
        "encoders": bundle.encoders,
        "models": list(bundle.models),
        "best_single": bundle.best_single,
        "choices": bundle.choices,
        "ensemble": vars(bundle.pool) if bundle.pool else None,
        "trained_on": sorted(bundle.trained_on),
    }


def load(folder: str | Path) -> Bundle:
    """A checked bundle. Raises BundleError when a file is missing, changed, damaged, of another
    format (`check`), or does not fit its description; also when its model was trained with layers
    or places added up by learned weights, which was removed (`training.models.Model.of`).
    """
    folder = Path(folder)
    if not (folder / MANIFEST).is_file():
        raise BundleError(f"{folder} holds no {MANIFEST}: it is not a finished bundle.")
    try:
        facts = read_json(folder / MANIFEST)
        check(folder, facts)
        return read(folder, facts)
    except (BrokenFile, RecipeError) as error:
        raise BundleError(f"{folder} is not a sound bundle: {error}") from error
    except (
        KeyError,
        TypeError,
        ValueError,
        IndexError,
        AttributeError,
        RuntimeError,
        ValidationError,
    ) as error:
        raise BundleError(
            f"{folder} is not a sound bundle: its parts do not fit together "
            f"({type(error).__name__}: {error})."
        ) from error


def check(folder: Path, facts: dict[str, Any]) -> None:
    if facts.get("format") != FORMAT:
        raise BundleError(
            f"{folder} has the format {facts.get('format')}; this version reads format {FORMAT}."
        )
    if digest_of({name: value for name, value in facts.items() if name != "digest"}) != facts.get(
        "digest"
    ):
        raise BundleError(
            f"{folder} was changed after it was written: {MANIFEST} does not match its own digest."
        )
    for name, digest in facts["files"].items():
        if Path(name).name != name or not (folder / name).is_file():
            raise BundleError(f"{folder} lacks its file {name}.")
        if file_digest(folder / name) != digest:
            raise BundleError(
                f"{folder} was changed after it was written: {name} does not match its digest."
            )


def read(folder: Path, facts: dict[str, Any]) -> Bundle:
    tensors, inside = read_tensors(folder / "model.safetensors")
    models: dict[str, Model] = {}
    for number, (name, described) in enumerate(zip(facts["models"], inside["models"], strict=True)):
        prefix = f"{number}."
        own = {
            key.removeprefix(prefix): value
            for key, value in tensors.items()
            if key.startswith(prefix)
        }
        models[name] = Model.of(own, described)
        if models[name].shape.name != name or models[name].shape.modalities != facts["modalities"]:
            raise BrokenFile(
                f"model.safetensors describes another model than {MANIFEST} in place {number}."
            )
        check_width(models[name], facts["encoders"])
    pool = pool_of(facts.get("ensemble"), models)
    known = [*models, "late", *(["ensemble"] if pool else [])]
    missing = [name for name in [*facts["modalities"], facts["method"]] if name not in known]
    if missing or any(
        task_of(model.shape.task, facts["labels"]).width != len(model.log_prior)
        for model in models.values()
    ):
        raise BrokenFile(f"{MANIFEST} names models or labels that model.safetensors does not hold.")
    result = read_json(folder / "result.json") if "result.json" in facts["files"] else None
    return Bundle(
        recipe=Recipe.parse(facts["recipe"]),
        labels=facts["labels"],
        modalities=facts["modalities"],
        kinds=facts["kinds"],
        fields=facts.get("fields", {}),
        encoders=facts["encoders"],
        models=models,
        best_single=facts["best_single"],
        trained_on=facts["trained_on"],
        choices=facts["choices"],
        pool=pool,
        result=None if result is None else EvaluationResult.model_validate(result),
        tuned=read_tuned(folder / TUNED) if TUNED in facts["files"] else {},
    )


def pool_of(facts: dict[str, Any] | None, models: Mapping[str, Model]) -> Pool | None:
    """Weights of methods that are there, which sum to 1, and a temperature that is a positive
    number.
    """
    if facts is None:
        return None
    pool = Pool(**facts)
    weights = list(pool.weights.values())
    if (
        set(pool.weights) - {*models, "late"}
        or min(weights) < 0
        or abs(sum(weights) - 1) > 1e-6
        or not 0 < pool.temperature < float("inf")
    ):
        raise BrokenFile(
            f"the weights of the ensemble do not sum to 1, or {MANIFEST} names methods that are "
            "not there."
        )
    return pool


def check_width(model: Model, encoders: dict[str, list[dict[str, Any]]]) -> None:
    """A model reads as many numbers as its encoders write, and divides by a temperature that is a
    positive number.
    """
    for name, whitening in model.whitening.items():
        if whitening.reads != sum(part["dim"] for part in encoders[name]):
            raise BrokenFile(
                f"model.safetensors reads {whitening.reads} numbers of {name}, its encoders write "
                "another number."
            )
    if not 0 < float(model.temperature) < float("inf"):
        raise BrokenFile(
            f"the temperature of {model.shape.name} is {model.temperature}, not a positive number."
        )
