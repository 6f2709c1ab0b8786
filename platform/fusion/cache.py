"""The embedding cache: encoder fingerprint x content digest -> vector. Nothing is embedded twice.

One folder a fingerprint, in it append-only shards: safetensors files of three tensors, `vectors` float32 (n, dim), `digests`
uint8 (n, 32) and `checks` uint32 (n,), a CRC of each vector. A writer makes each shard beside and renames it, so several may write at
once and a reader never sees half a file. Vectors are memory-mapped. A shard that is cut or changed is set aside with a message, and
what it held is computed again.
"""

import json
import os
import struct
import uuid
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

SUFFIX = ".safetensors"
HEADER_LIMIT = 10_000_000


class BadShard(Exception):
    """A shard that cannot be trusted."""


class Shard:
    """One file, mapped into memory. vectors: (n, dim) float32, digests: (n, 32) uint8, checks: (n,) uint32."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                [length] = struct.unpack("<Q", file.read(8))
                if length > HEADER_LIMIT:
                    raise BadShard("its header is too long")
                header = json.loads(file.read(length))
            self.vectors, self.digests, self.checks = (self.mapped(header[name], 8 + length) for name in ("vectors", "digests", "checks"))
        except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
            raise BadShard(str(error)) from error

    def mapped(self, entry: dict[str, Any], start: int) -> np.ndarray:
        kind = {"F32": np.float32, "U8": np.uint8, "U32": np.uint32}[entry["dtype"]]
        return np.memmap(self.path, kind, "r", offset=start + entry["data_offsets"][0], shape=tuple(entry["shape"]))


class Space:
    """The vectors of one fingerprint. `log` hears of shards that were set aside."""

    def __init__(self, folder: Path, dim: int, log: Callable[[str], None]) -> None:
        self.folder, self.dim, self.log = folder, dim, log
        self.shards: dict[str, Shard] = {}
        self.places: dict[bytes, tuple[Shard, int]] = {}
        self.refresh()

    def refresh(self) -> None:
        """See the shards that others have written since."""
        for path in sorted(self.folder.glob(f"*{SUFFIX}")):
            if path.name not in self.shards:
                self.open(path)

    def open(self, path: Path) -> None:
        try:
            shard = Shard(path)
            if shard.vectors.shape != (len(shard.digests), self.dim):
                raise BadShard(f"its vectors have {shard.vectors.shape[1:]} numbers, not {self.dim}")
        except BadShard as bad:
            if path.exists():  # otherwise another process has just set it aside
                self.set_aside(path, str(bad))
            return
        self.shards[path.name] = shard
        for row, digest in enumerate(np.asarray(shard.digests)):
            self.places[digest.tobytes()] = (shard, row)

    def set_aside(self, path: Path, reason: str) -> None:
        self.log(f"the embedding shard {path.name} is damaged ({reason}); what it held is computed again")
        path.replace(path.with_suffix(".damaged"))

    def get(self, digests: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """float32 (n, dim) and bool (n,): the vectors in the order asked, zeros where there is none."""
        out = np.zeros((len(digests), self.dim), np.float32)
        found = np.zeros(len(digests), bool)
        for row, digest in enumerate(digests):
            place = self.places.get(bytes.fromhex(digest))
            if place is None:
                continue
            shard, at = place
            vector = shard.vectors[at]
            if zlib.crc32(vector.data) == shard.checks[at]:
                out[row], found[row] = vector, True
            elif shard.path.exists():
                self.drop(shard)
        return out, found

    def drop(self, shard: Shard) -> None:
        """Keep what is sound of a changed shard in a new one, and set the old one aside."""
        sound = [row for row in range(len(shard.digests)) if zlib.crc32(shard.vectors[row].tobytes()) == shard.checks[row]]
        kept = [bytes(shard.digests[row]).hex() for row in sound], np.array(shard.vectors[sound])
        self.forget(shard)
        self.set_aside(shard.path, f"{len(shard.digests) - len(sound)} of {len(shard.digests)} vectors were changed")
        self.put(*kept)

    def forget(self, shard: Shard) -> None:
        self.shards.pop(shard.path.name, None)
        self.places = {digest: place for digest, place in self.places.items() if place[0] is not shard}

    def put(self, digests: Sequence[str], vectors: np.ndarray) -> None:
        """vectors: (n, dim), finite. Written as one new shard."""
        from safetensors.numpy import save_file

        if not len(digests):
            return
        values = np.ascontiguousarray(vectors, dtype=np.float32)
        if values.shape != (len(digests), self.dim) or not np.isfinite(values).all():
            raise ValueError(f"{len(digests)} finite vectors of {self.dim} numbers were expected, not {values.shape}")
        tensors: dict[str, np.ndarray] = {
            "vectors": values,
            "digests": np.frombuffer(bytes.fromhex("".join(digests)), np.uint8).reshape(-1, 32).copy(),
            "checks": np.array([zlib.crc32(v.tobytes()) for v in values], np.uint32),
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{uuid.uuid4().hex}{SUFFIX}"
        beside = path.with_suffix(".tmp")
        save_file(tensors, beside)
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(path)
        self.open(path)

    def remove(self, digests: Iterable[str]) -> int:
        """Forget these contents for good: shards that hold them are written anew without them. Returns how many vectors went."""
        gone = {bytes.fromhex(digest) for digest in digests}
        removed = 0
        for shard in list(self.shards.values()):
            keep = [row for row, digest in enumerate(np.asarray(shard.digests)) if digest.tobytes() not in gone]
            if len(keep) == len(shard.digests):
                continue
            removed += len(shard.digests) - len(keep)
            kept = [bytes(shard.digests[row]).hex() for row in keep], np.array(shard.vectors[keep])
            self.forget(shard)
            self.put(*kept)
            shard.path.unlink(missing_ok=True)
        return removed


class Cache:
    """A folder of embeddings, shared by every run that can reach it."""

    def __init__(self, folder: str | Path, log: Callable[[str], None] = lambda text: None) -> None:
        self.folder = Path(folder)
        self.log = log

    def space(self, fingerprint: str, dim: int) -> Space:
        return Space(self.folder / fingerprint[:2] / fingerprint, dim, self.log)

    def remove(self, digests: Sequence[str]) -> int:
        """Purge contents from every encoder's vectors; returns how many vectors went."""
        spaces = (Space(folder, dim, self.log) for folder in self.folder.glob("??/*") if (dim := dim_of(folder)))
        return sum(space.remove(digests) for space in spaces)


def dim_of(folder: Path) -> int | None:
    """Length of the vectors in a folder of shards; None if no shard can be read."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            return int(Shard(path).vectors.shape[1])
        except BadShard:
            # the folder's Space sets it aside and says so
            continue
    return None
