"""Finished fits on disk, so that a run that was stopped or killed goes on where it was."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from shutil import rmtree
from typing import Any

from numpy.typing import NDArray

from fusion.core.files import BrokenFile, read_tensors, write_tensors
from fusion.training.loop import CHECKPOINT_SECONDS


class Store:
    """One folder for one run; `digest` names data, features and recipe, so no other run's fits are
    ever taken for this one's.
    """

    def __init__(
        self, folder: Path, digest: str, checkpoint_seconds: float = CHECKPOINT_SECONDS
    ) -> None:
        self.parent, self.folder = folder, folder / digest[:32]
        self.checkpoint_seconds = checkpoint_seconds

    def beside(self, digest: str) -> "Store":
        """Return the store of another run that belongs to this one; both are cleared together."""
        return Store(self.parent, digest, self.checkpoint_seconds)

    def path(self, unit: str) -> Path:
        """Units bear names of groups, which may hold anything; their digests are safe as file
        names.
        """
        return self.folder / f"{hashlib.sha256(unit.encode()).hexdigest()[:40]}.safetensors"

    def checkpoint(self, unit: str) -> Path:
        """Return the file of a unit that is under way; a damaged one is dropped, the fit then
        starts again.
        """
        path = self.path(unit).with_suffix(".checkpoint")
        if path.exists() and not readable(path):
            path.unlink()
        return path

    def get(self, unit: str) -> tuple[dict[str, NDArray[Any]], Any] | None:
        path = self.path(unit)
        return read_tensors(path) if path.exists() and readable(path) else None

    def put(self, unit: str, tensors: Mapping[str, NDArray[Any]], facts: Any) -> None:
        write_tensors(self.path(unit), tensors, facts)
        self.checkpoint(unit).unlink(missing_ok=True)

    def clear(self) -> None:
        """Drop everything; after the bundle is written nothing here is needed any more."""
        rmtree(self.parent, ignore_errors=True)


def readable(path: Path) -> bool:
    try:
        read_tensors(path)
    except BrokenFile:
        return False
    return True
