"""Tensors and JSON on disk: written whole or not at all, checked when read, never pickled."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save


class BrokenFile(Exception):
    """A stored file that does not hold what it should; the message says which and why."""


def write_bytes(path: Path, data: bytes | memoryview) -> None:
    """Atomic and durable: a reader sees the old file or the whole new one, also after a
    power cut.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_json(path: Path, data: Any) -> None:
    write_bytes(path, json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False).encode())


def read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BrokenFile(f"{path.name} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise BrokenFile(f"{path.name} is not valid JSON.") from error


def write_tensors(path: Path, tensors: Mapping[str, NDArray[Any]], facts: Any) -> None:
    """One file: tensors, and `facts` (anything JSON holds) in its header."""
    plain = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    write_bytes(path, save(plain, metadata={"facts": json.dumps(facts, allow_nan=False)}))


def read_tensors(path: Path) -> tuple[dict[str, NDArray[Any]], Any]:
    """The tensors and facts of a file. Raises BrokenFile when it is damaged, or a weight is not a
    finite number.
    """
    try:
        data = path.read_bytes()
        tensors = load(data)
        size = int.from_bytes(data[:8], "little")
        facts = json.loads(
            json.loads(data[8 : 8 + size]).get("__metadata__", {}).get("facts", "null")
        )
    except OSError as error:
        raise BrokenFile(f"{path.name} cannot be read: {error.strerror}.") from error
    except (SafetensorError, ValueError, KeyError) as error:
        raise BrokenFile(f"{path.name} is damaged: {error}.") from error
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise BrokenFile(f"{path.name} holds values that are not finite numbers in {name}.")
    return tensors, facts


def digest_of(data: Any) -> str:
    """SHA-256 of anything JSON holds, whatever the order of its names."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
