"""Tuned weights on disk: one safetensors file for all encoders of a bundle."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fusion.core.files import BrokenFile, read_tensors, write_tensors
from fusion.encoders.adaptation import Tuned
from fusion.schema.recipe import EncoderChoice


def write_tuned(path: Path, tuned: Mapping[str, Mapping[int, Tuned]]) -> None:
    """Tensors `{place in the list of facts}.{name of the weight}`."""
    tensors: dict[str, Any] = {}
    facts: list[dict[str, Any]] = []
    for modality, changes in tuned.items():
        for number, change in changes.items():
            tensors |= {f"{len(facts)}.{name}": value for name, value in change.tensors.items()}
            facts.append(
                {
                    "modality": modality,
                    "encoder": number,
                    "choice": change.choice.model_dump(mode="json"),
                    "digest": change.digest,
                }
            )
    write_tensors(path, tensors, facts)


def read_tuned(path: Path) -> dict[str, dict[int, Tuned]]:
    """Raises BrokenFile for weights that are not those that were written."""
    tensors, facts = read_tensors(path)
    tuned: dict[str, dict[int, Tuned]] = {}
    for place, entry in enumerate(facts):
        own = {
            name.removeprefix(f"{place}."): value
            for name, value in tensors.items()
            if name.startswith(f"{place}.")
        }
        change = Tuned(EncoderChoice.model_validate(entry["choice"]), own)
        if change.digest != entry["digest"]:
            raise BrokenFile(
                f"{path.name} holds other weights for {entry['modality']} than it says."
            )
        tuned.setdefault(entry["modality"], {})[int(entry["encoder"])] = change
    return tuned
