"""The embedding cache: encoder fingerprint x content digest -> vector. Nothing is embedded twice.

One folder a fingerprint, in it shards that are written once: safetensors files of three tensors by
rising digest, `vectors` float32 (n, dim), `digests` uint8 (n, 32) and `checks` uint32 (n,), a CRC
of each vector. A writer makes each shard beside and renames it, so several may write at once and a
reader never sees half a file. All is memory-mapped and searched by bisection: opening reads headers
only. Eight shards of like size become one, as in a log-structured merge tree (O'Neil et al. 1996).
A shard that is cut or changed is set aside with a message, and what it held is computed again.
"""

import fcntl
import json
import math
import os
import struct
import uuid
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

SUFFIX = ".safetensors"
HEADER_LIMIT = 10_000_000
SORTED = {"order": "digest"}
"""Metadata of a shard; those of earlier versions are in the order of their making."""
ALIKE = 8
"""So many shards of like size (within the same factor) are merged."""
MERGED_BYTES = 256 * 2**20
"""Of a shard that was merged, at most: it is made in memory."""


class BadShard(Exception):
    """A shard that cannot be trusted."""


class Shard:
    """One file, mapped into memory. vectors: (n, dim) float32, digests: (n, 32) uint8, checks: (n,)
    uint32.

    names: (n,) the digests as strings, rising; order: (n,) their rows, None where these rise
    themselves.
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

    def find(self, names: np.ndarray) -> np.ndarray:
        """(k,) rows, -1 for what is not here."""
        place = np.minimum(np.searchsorted(self.names, names), len(self) - 1)
        rows = place if self.order is None else self.order[place]
        return np.where(self.names[place] == names, rows, -1)

    def sound(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """vectors (k, dim) of these rows, and bool (k,): whether each is what was written."""
        vectors = np.asarray(self.vectors[rows])
        return vectors, np.array(
            [zlib.crc32(vector) for vector in vectors], np.uint32
        ) == self.checks[rows]

    def mapped(self, entry: dict[str, Any], start: int) -> np.ndarray:
        kind = {"F32": np.float32, "U8": np.uint8, "U32": np.uint32}[entry["dtype"]]
        return np.memmap(
            self.path,
            kind,
            "r",
            offset=start + entry["data_offsets"][0],
            shape=tuple(entry["shape"]),
        )


def strings(digests: np.ndarray) -> np.ndarray:
    """(n, 32) uint8 -> (n,), which compare as the digests do."""
    return digests.view("S32")[:, 0]


def bytes_of(digests: Sequence[str]) -> np.ndarray:
    """(n, 32) uint8"""
    return np.array(bytearray.fromhex("".join(digests)), np.uint8).reshape(-1, 32)


class Space:
    """The vectors of one fingerprint. `log` hears of shards that were set aside."""

    def __init__(self, folder: Path, dim: int, log: Callable[[str], None]) -> None:
        self.folder, self.dim, self.log = folder, dim, log
        self.shards: dict[str, Shard] = {}
        self.refresh()

    def refresh(self) -> None:
        """See what others have written or merged since."""
        gone = True
        while gone:
            there = sorted(self.folder.glob(f"*{SUFFIX}"))
            self.shards = {
                path.name: self.shards[path.name] for path in there if path.name in self.shards
            }
            opened = [path.name in self.shards or self.open(path) for path in there]
            gone = not all(opened)

    def open(self, path: Path) -> bool:
        """False where another process has just merged it or set it aside."""
        try:
            shard = Shard(path)
            if shard.vectors.shape != (len(shard), self.dim):
                raise BadShard(
                    f"its vectors have {shard.vectors.shape[1:]} numbers, not {self.dim}"
                )
        except BadShard as bad:
            if path.exists():
                self.set_aside(path, str(bad))
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
        """float32 (n, dim) and bool (n,): the vectors in the order asked, zeros where there is
        none.
        """
        out, found = np.zeros((len(digests), self.dim), np.float32), np.zeros(len(digests), bool)
        names = strings(bytes_of(digests))
        for shard in sorted(self.shards.values(), key=len, reverse=True):
            wanted = np.flatnonzero(~found)
            rows = shard.find(names[wanted])
            wanted, rows = wanted[rows >= 0], rows[rows >= 0]
            vectors, sound = shard.sound(rows)
            out[wanted[sound]], found[wanted[sound]] = vectors[sound], True
            if not sound.all() and shard.path.exists():
                self.drop(shard)
        return out, found

    def drop(self, shard: Shard) -> None:
        """Keep what is sound of a changed shard in a new one, and set the old one aside."""
        vectors, sound = shard.sound(np.arange(len(shard)))
        digests = np.array(shard.digests)[sound]
        self.shards.pop(shard.path.name, None)
        self.set_aside(
            shard.path, f"{len(shard) - len(digests)} of {len(shard)} vectors were changed"
        )
        self.write(digests, vectors[sound])

    def put(self, digests: Sequence[str], vectors: np.ndarray) -> None:
        """vectors: (n, dim), finite. Written as one new shard."""
        if not len(digests):
            return
        values = np.ascontiguousarray(vectors, dtype=np.float32)
        if values.shape != (len(digests), self.dim) or not np.isfinite(values).all():
            raise ValueError(
                f"{len(digests)} finite vectors of {self.dim} numbers were expected, not {values.shape}"
            )
        self.write(bytes_of(digests), values)
        self.merge()

    def write(self, digests: np.ndarray, vectors: np.ndarray) -> None:
        """digests: (n, 32) uint8, of which each is kept once; vectors: (n, dim) float32."""
        from safetensors.numpy import save_file

        if not len(digests):
            return
        _, order = np.unique(strings(digests), return_index=True)
        values = vectors[order]
        tensors = {
            "vectors": values,
            "digests": digests[order],
            "checks": np.array([zlib.crc32(one) for one in values], np.uint32),
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{uuid.uuid4().hex}{SUFFIX}"
        beside = path.with_suffix(".tmp")
        save_file(tensors, beside, SORTED)
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(path)
        self.open(path)

    def merge(self) -> None:
        """Shards of like size into one, unless somebody else rewrites shards just now."""
        while few := self.alike():
            with alone(self.folder, wait=False) as free:
                if not free:
                    return
                if not all(shard.path.exists() for shard in few):
                    return self.refresh()
                parts = [shard.sound(np.arange(len(shard))) for shard in few]
                if bad := [shard for shard, (_, sound) in zip(few, parts) if not sound.all()]:
                    return self.drop(bad[0])
                self.write(
                    np.concatenate([shard.digests for shard in few]),
                    np.concatenate([vectors for vectors, _ in parts]),
                )
                self.forget(few)

    def forget(self, shards: Iterable[Shard]) -> None:
        """What they held is elsewhere, or to be nowhere."""
        for shard in shards:
            self.shards.pop(shard.path.name, None)
            shard.path.unlink(missing_ok=True)

    def alike(self) -> list[Shard]:
        """Those that are merged next, the smallest sizes first; none while each size has fewer than
        ALIKE.
        """
        sizes: dict[int, list[Shard]] = {}
        for shard in sorted(self.shards.values(), key=lambda shard: shard.nbytes):
            if 2 * shard.nbytes <= MERGED_BYTES:
                sizes.setdefault(int(math.log(shard.nbytes, ALIKE)), []).append(shard)
        full = next((shards for shards in sizes.values() if len(shards) >= ALIKE), [])
        fit = np.cumsum([shard.nbytes for shard in full]) <= MERGED_BYTES
        return [shard for shard, fits in zip(full, fit) if fits]

    def remove(self, digests: Iterable[str]) -> int:
        """Forget these contents for good: shards that hold them are written anew without them.
        Returns how many vectors went.
        """
        gone, removed = strings(bytes_of(list(digests))), 0
        with alone(self.folder):
            self.refresh()
            for shard in list(self.shards.values()):
                keep = ~np.isin(strings(np.asarray(shard.digests)), gone)
                if keep.all():
                    continue
                removed += int((~keep).sum())
                self.write(np.asarray(shard.digests)[keep], np.asarray(shard.vectors)[keep])
                self.forget([shard])
        return removed


@contextmanager
def alone(folder: Path, wait: bool = True) -> Iterator[bool]:
    """True while no other process rewrites the shards of this folder; without `wait` False where
    one does.
    """
    with (folder / ".lock").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True


class Cache:
    """A folder of embeddings, shared by every run that can reach it."""

    def __init__(self, folder: str | Path, log: Callable[[str], None] = lambda text: None) -> None:
        self.folder = Path(folder)
        self.log = log

    def space(self, fingerprint: str, dim: int) -> Space:
        return Space(self.folder / fingerprint[:2] / fingerprint, dim, self.log)

    def remove(self, digests: Sequence[str]) -> int:
        """Purge contents from every encoder's vectors; returns how many vectors went."""
        spaces = (
            Space(folder, dim, self.log)
            for folder in self.folder.glob("??/*")
            if (dim := dim_of(folder))
        )
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
