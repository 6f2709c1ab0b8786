"""The embedding cache: encoder fingerprint x content digest -> vector. Nothing is embedded twice.

Each fingerprint has a folder of shards that are written once: safetensors files of three tensors by
rising digest, `vectors` float32 (n, dim), `digests` uint8 (n, 32) and `checks` uint32 (n,), a CRC
of each vector. A writer renames a shard that is complete into its place, so several processes may
write at once, on several machines too, and a reader never sees half a file. Shards are mapped into
memory and searched by bisection: opening reads their headers only. Eight shards of like size become
one, as in a log-structured merge tree (O'Neil et al. 1996). A shard that is cut or changed is set
aside with a message, and its vectors are computed again.
"""

import fcntl
import json
import math
import os
import struct
import uuid
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

SUFFIX = ".safetensors"
HEADER_LIMIT = 10_000_000
SORTED = {"order": "digest"}
"""Metadata of a shard; shards of earlier versions are not sorted."""
MERGED_SHARDS = 8
"""Number of shards of like size (within the same factor) that are merged."""
MERGED_BYTES = 256 * 2**20
"""Size of a merged shard, at most: it is made in memory."""


class BadShard(Exception):
    """A shard that cannot be trusted."""


class Shard:
    """One file, mapped into memory.

    vectors: (n, dim) float32; digests: (n, 32) uint8; checks: (n,) uint32. names: (n,) digests as
    rising strings; order: (n,) the row of each name, None where the rows rise themselves.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                [length] = struct.unpack("<Q", file.read(8))
                if length > HEADER_LIMIT:
                    raise BadShard("its header is too long")
                header = json.loads(file.read(length))
            self.vectors, self.digests, self.checks = (
                self.mapped(header[name], 8 + length) for name in ("vectors", "digests", "checks")
            )
            self.names, self.order = strings(np.asarray(self.digests)), None
        except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
            raise BadShard(str(error)) from error
        if header.get("__metadata__") != SORTED:
            self.order = np.argsort(self.names, kind="stable")
            self.names = self.names[self.order]

    def __len__(self) -> int:
        return len(self.digests)

    @property
    def nbytes(self) -> int:
        return int(self.vectors.nbytes)

    def rows_of(self, names: np.ndarray) -> np.ndarray:
        """Return the row of each name, (k,); -1 for a name that the shard lacks."""
        positions = np.minimum(np.searchsorted(self.names, names), len(self) - 1)
        rows = positions if self.order is None else self.order[positions]
        return np.where(self.names[positions] == names, rows, -1)

    def read(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the vectors of these rows, (k, dim), and whether each is intact, bool (k,)."""
        vectors = np.asarray(self.vectors[rows])
        return vectors, checksums(vectors) == self.checks[rows]

    def read_all(self) -> tuple[np.ndarray, np.ndarray]:
        return self.read(np.arange(len(self)))

    def mapped(self, entry: dict[str, Any], start: int) -> np.ndarray:
        dtype = {"F32": np.float32, "U8": np.uint8, "U32": np.uint32}[entry["dtype"]]
        offset = start + entry["data_offsets"][0]
        return np.memmap(self.path, dtype, "r", offset=offset, shape=tuple(entry["shape"]))


def strings(digests: np.ndarray) -> np.ndarray:
    """Return digests, uint8 (n, 32), as strings of the same order, (n,)."""
    return digests.view("S32")[:, 0]


def bytes_of(digests: Sequence[str]) -> np.ndarray:
    """Return hexadecimal digests as uint8 (n, 32)."""
    return np.array(bytearray.fromhex("".join(digests)), np.uint8).reshape(-1, 32)


def checksums(vectors: np.ndarray) -> np.ndarray:
    """Return the CRC of each vector, uint32 (n,)."""
    return np.array([zlib.crc32(vector) for vector in vectors], np.uint32)


class VectorStore:
    """The vectors of one fingerprint; `log` receives a message for each shard set aside."""

    def __init__(self, folder: Path, dim: int, log: Callable[[str], None]) -> None:
        self.folder, self.dim, self.log = folder, dim, log
        self.shards: dict[str, Shard] = {}
        self.refresh()

    def refresh(self) -> None:
        """Open the shards that others have written or merged since."""
        complete = False
        while not complete:
            paths = sorted(self.folder.glob(f"*{SUFFIX}"))
            self.shards = {
                path.name: self.shards[path.name] for path in paths if path.name in self.shards
            }
            complete = all(path.name in self.shards or self.open(path) for path in paths)

    def open(self, path: Path) -> bool:
        """Return False where another process has just merged the shard or set it aside."""
        try:
            shard = Shard(path)
            if shard.vectors.shape != (len(shard), self.dim):
                width = shard.vectors.shape[1:]
                raise BadShard(f"its vectors have {width} numbers, not {self.dim}")
        except BadShard as error:
            if path.exists():
                self.set_aside(path, str(error))
                return True
            return False
        self.shards[path.name] = shard
        return True

    def set_aside(self, path: Path, reason: str) -> None:
        self.log(
            f"the embedding shard {path.name} is damaged ({reason}); what it held is computed again"
        )
        path.replace(path.with_suffix(".damaged"))

    def get(self, digests: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return vectors in the order of the digests, float32 (n, dim), and whether each is known,
        bool (n,); an unknown one is zero.
        """
        out, known = np.zeros((len(digests), self.dim), np.float32), np.zeros(len(digests), bool)
        names = strings(bytes_of(digests))
        for shard in sorted(self.shards.values(), key=len, reverse=True):
            unknown = np.flatnonzero(~known)
            rows = shard.rows_of(names[unknown])
            unknown, rows = unknown[rows >= 0], rows[rows >= 0]
            vectors, intact = shard.read(rows)
            out[unknown[intact]], known[unknown[intact]] = vectors[intact], True
            if not intact.all() and shard.path.exists():
                self.repair(shard)
        return out, known

    def repair(self, shard: Shard) -> None:
        """Set a changed shard aside and write its intact vectors to a new one."""
        vectors, intact = shard.read_all()
        digests = np.array(shard.digests)[intact]
        self.shards.pop(shard.path.name, None)
        changed = len(shard) - len(digests)
        self.set_aside(shard.path, f"{changed} of {len(shard)} vectors were changed")
        self.write(digests, vectors[intact])

    def put(self, digests: Sequence[str], vectors: np.ndarray) -> None:
        """Write finite vectors, (n, dim), as one new shard."""
        if not len(digests):
            return
        values = np.ascontiguousarray(vectors, dtype=np.float32)
        if values.shape != (len(digests), self.dim) or not np.isfinite(values).all():
            raise ValueError(
                f"{len(digests)} finite vectors of {self.dim} numbers were expected, "
                f"not {values.shape}"
            )
        self.write(bytes_of(digests), values)
        self.merge()

    def write(self, digests: np.ndarray, vectors: np.ndarray) -> None:
        """Write digests, uint8 (n, 32), and vectors, float32 (n, dim); a digest that occurs twice
        is written once.
        """
        from safetensors.numpy import save_file

        if not len(digests):
            return
        _, order = np.unique(strings(digests), return_index=True)
        vectors = vectors[order]
        tensors = {"vectors": vectors, "digests": digests[order], "checks": checksums(vectors)}
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{uuid.uuid4().hex}{SUFFIX}"
        partial = path.with_suffix(".tmp")
        save_file(tensors, partial, SORTED)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
        self.open(path)

    def merge(self) -> None:
        """Merge shards of like size, unless another process does so at present."""
        while shards := self.next_merge():
            with merge_lock(self.folder) as locked:
                if not locked:
                    return
                if not all(shard.path.exists() for shard in shards):
                    return self.refresh()
                contents = [shard.read_all() for shard in shards]
                for shard, (_, intact) in zip(shards, contents):
                    if not intact.all():
                        return self.repair(shard)
                self.write(
                    np.concatenate([shard.digests for shard in shards]),
                    np.concatenate([vectors for vectors, _ in contents]),
                )
                for shard in shards:
                    self.shards.pop(shard.path.name, None)
                    shard.path.unlink(missing_ok=True)

    def next_merge(self) -> list[Shard]:
        """Return the shards to merge next, the smallest sizes first; empty while each size has
        fewer than MERGED_SHARDS.
        """
        sizes: dict[int, list[Shard]] = {}
        for shard in sorted(self.shards.values(), key=lambda shard: shard.nbytes):
            if 2 * shard.nbytes <= MERGED_BYTES:
                sizes.setdefault(int(math.log(shard.nbytes, MERGED_SHARDS)), []).append(shard)
        full = next((shards for shards in sizes.values() if len(shards) >= MERGED_SHARDS), [])
        fits = np.cumsum([shard.nbytes for shard in full]) <= MERGED_BYTES
        return [shard for shard, fit in zip(full, fits) if fit]


@contextmanager
def merge_lock(folder: Path) -> Iterator[bool]:
    """Yield True while no other process merges the shards of this folder, False where one does."""
    with (folder / ".lock").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


class Cache:
    """A folder of embeddings, shared by every run that can reach it."""

    def __init__(self, folder: str | Path, log: Callable[[str], None] = lambda text: None) -> None:
        self.folder = Path(folder)
        self.log = log

    def store(self, fingerprint: str, dim: int) -> VectorStore:
        return VectorStore(self.folder / fingerprint[:2] / fingerprint, dim, self.log)
