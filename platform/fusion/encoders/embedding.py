"""Compute one feature vector a sample and modality of an alignment, by frozen encoders and the
embedding cache.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fusion.core.progress import Progress
from fusion.core.stopwatch import CELL, Stopwatch
from fusion.data.alignment import Aligned, Modality
from fusion.data.modalities import BrokenFile
from fusion.encoders import catalogue, load
from fusion.encoders.base import Block, Choice, Encoder, EncoderError
from fusion.encoders.cache import Cache, VectorStore

MEASURED_CELLS = 16
"""Number of cells from which the speed of an encoder is measured."""

Choices = Mapping[str, "str | Choice | Sequence[str | Choice]"]


@dataclass(frozen=True)
class Part:
    """One encoder's share of a modality's features: columns start to start + dim. blocks: its
    positions (fusion.features.tokens).
    """

    name: str
    fingerprint: str
    start: int
    dim: int
    blocks: list[Block] = field(default_factory=list)


@dataclass
class Features:
    """x: modality -> float32 (n, dim), one row a sample in the alignment's order, zeros where the
    modality is missing.

    mask: bool (n, M), columns in the order of `names`. Numbers of a table may be NaN where a single
    one is missing. parts: what each modality's columns are. n_computed and n_cached count contents,
    not samples.
    """

    x: dict[str, np.ndarray]
    mask: np.ndarray
    names: list[str]
    parts: dict[str, list[Part]] = field(default_factory=dict)
    seconds: float = 0.0
    n_computed: int = 0
    n_cached: int = 0
    seconds_a_cell: dict[str, float] = field(default_factory=dict)
    """Encoder -> seconds, where it read enough cells; its loading and first batch do not count."""

    @property
    def seconds_of_cells(self) -> dict[str, float]:
        """The same in the form of a result."""
        return {f"{CELL}{name}": round(seconds, 6) for name, seconds in self.seconds_a_cell.items()}


def embed(
    aligned: Aligned,
    choices: Choices | None,
    cache: Cache | None,
    progress: Progress,
    folders: bool = False,
) -> Features:
    """Return the features of every modality of the alignment.

    choices: modality -> encoder name, `recipe.EncoderChoice`, or a list of them (their vectors
    stand side by side); a modality that is not named gets the default of its kind. cache None keeps
    nothing. Raises EncoderError, and BrokenFile for a file that changed since.
    """
    names = list(aligned.modalities)
    check_names(choices or {}, names)
    encoders = {
        name: load_all(aligned.modalities[name], (choices or {}).get(name), folders)
        for name in names
    }
    return embed_with(encoders, aligned, cache, progress)


def embed_with(
    encoders: Mapping[str, Sequence[Encoder]],
    aligned: Aligned,
    cache: Cache | None,
    progress: Progress,
) -> Features:
    """Embed with loaded encoders: modality -> encoders whose vectors stand side by side."""
    begun = time.perf_counter()
    names = list(aligned.modalities)
    work = Work(
        progress,
        sum(len(contents(aligned.modalities[name])) * len(encoders[name]) for name in names),
    )
    features = Features(
        {}, np.stack([aligned.modalities[name].present() for name in names], 1), names
    )
    for name in names:
        parts, start = [], 0
        for encoder in encoders[name]:
            block = embed_modality(aligned, name, encoder, cache, work)
            blocks = getattr(encoder, "blocks", None) or [Block(1, block.shape[1])]
            features.parts.setdefault(name, []).append(
                Part(encoder.name, encoder.fingerprint, start, block.shape[1], blocks)
            )
            start += block.shape[1]
            parts.append(block)
        features.x[name] = np.concatenate(parts, 1)
    features.n_computed, features.n_cached = work.computed, work.cached
    features.seconds_a_cell = work.speed.seconds_a_cell
    features.seconds = time.perf_counter() - begun
    return features


@dataclass
class Speed:
    """Cells and seconds by encoder, of decoding and of encoding."""

    decoded: dict[str, tuple[int, float]] = field(default_factory=dict)
    encoded: dict[str, tuple[int, float]] = field(default_factory=dict)

    def add(
        self, kind: dict[str, tuple[int, float]], encoder: str, cells: int, watch: Stopwatch
    ) -> None:
        n, seconds = kind.get(encoder, (0, 0.0))
        kind[encoder] = n + cells, seconds + watch.seconds

    @property
    def seconds_a_cell(self) -> dict[str, float]:
        seconds_a_cell = {}
        for name, (n, seconds) in self.encoded.items():
            if n >= MEASURED_CELLS:
                n_decoded, seconds_decoded = self.decoded[name]
                seconds_a_cell[name] = seconds / n + seconds_decoded / n_decoded
        return seconds_a_cell


class Work:
    """Counts contents over all modalities and reports the progress."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.progress, self.total = progress, total
        self.computed = self.cached = 0
        self.speed = Speed()

    def add(self, computed: int = 0, cached: int = 0) -> None:
        self.computed += computed
        self.cached += cached
        self.progress.step(self.computed + self.cached, self.total, "items")
        self.progress.check()


def check_names(choices: Choices, names: list[str]) -> None:
    unknown = sorted(set(choices) - set(names))
    if unknown:
        raise EncoderError(
            f"an encoder is chosen for {unknown[0]}, but the modalities are {', '.join(names)}"
        )


def load_all(modality: Modality, chosen: Any, folders: bool) -> list[Encoder]:
    """Return the encoders of one modality; raises EncoderError if one reads another kind."""
    wanted = [chosen] if chosen is not None and not isinstance(chosen, list | tuple) else chosen
    encoders = [load(choice, folders) for choice in wanted or catalogue.default(modality.kind)]
    for encoder in encoders:
        if encoder.kind != modality.kind:
            raise EncoderError(f"encoder {encoder.name} reads {encoder.kind}, not {modality.kind}")
    return encoders


def contents(modality: Modality) -> dict[str, int]:
    """Return a row for each distinct content: digest -> row."""
    first: dict[str, int] = {}
    for row, cell in enumerate(modality.cells):
        if cell is not None:
            first.setdefault(cell.digest, row)
    return first


def embed_modality(
    aligned: Aligned, name: str, encoder: Encoder, cache: Cache | None, work: Work
) -> np.ndarray:
    """Return a vector a sample, float32 (n, dim); zeros where the modality is missing."""
    modality = aligned.modalities[name]
    rows = contents(modality)
    digests = list(rows)
    store = (
        cache.store(encoder.fingerprint, encoder.dim)
        if cache is not None and encoder.kind not in ("table", "series")
        else None
    )
    vectors, known = (
        store.get(digests)
        if store is not None
        else (np.zeros((len(digests), encoder.dim), np.float32), np.zeros(len(digests), bool))
    )
    work.add(cached=int(known.sum()))
    positions = {digest: position for position, digest in enumerate(digests)}
    missing = [digest for digest, is_known in zip(digests, known) if not is_known]
    if missing:
        cached = f", {known.sum():,} are known" if known.any() else ""
        work.progress.log(
            f"{name}: {encoder.name} reads {len(missing):,} of {len(digests):,}{cached}"
        )
        windows = compute(aligned, name, encoder, missing, rows, store, work)
        vectors = filled(vectors, windows, positions)
    out = np.zeros((len(aligned), vectors.shape[1]), np.float32)
    for row, cell in enumerate(modality.cells):
        if cell is not None:
            out[row] = vectors[positions[cell.digest]]
    return out


def filled(
    vectors: np.ndarray, windows: Iterator[tuple[list[str], np.ndarray]], positions: dict[str, int]
) -> np.ndarray:
    for digests, block in windows:
        # a table's number of columns is known with its first rows
        if vectors.shape[1] != block.shape[1]:
            vectors = np.zeros((len(vectors), block.shape[1]), np.float32)
        vectors[[positions[digest] for digest in digests]] = block
    return vectors


def compute(
    aligned: Aligned,
    name: str,
    encoder: Encoder,
    missing: list[str],
    rows: dict[str, int],
    store: VectorStore | None,
    work: Work,
) -> Iterator[tuple[list[str], np.ndarray]]:
    """Yield the digests and vectors of a window, float32 (k, dim); each window is in the cache
    before the next one begins.
    """
    for begin in range(0, len(missing), encoder.window):
        window = missing[begin : begin + encoder.window]
        watch = Stopwatch()
        prepared = {digest: prepare(aligned, name, encoder, rows[digest]) for digest in window}
        work.speed.add(work.speed.decoded, encoder.name, len(window), watch)
        done: list[str] = []
        parts: list[np.ndarray] = []
        for batch in batches(encoder, prepared):
            watch = Stopwatch()
            parts.append(encoder.encode([prepared[digest] for digest in batch]))
            if begin or done:
                work.speed.add(work.speed.encoded, encoder.name, len(batch), watch)
            done += batch
            work.add(computed=len(batch))
        block = np.concatenate(parts).astype(np.float32)
        if store is not None:
            store.put(done, block)
        yield done, block


def prepare(aligned: Aligned, name: str, encoder: Encoder, row: int) -> Any:
    try:
        return encoder.prepare(aligned.modalities[name].content(row))
    except BrokenFile as broken:
        raise BrokenFile(
            f"{name} of sample {aligned.keys[row]} {broken.reason}; "
            f"it was sound when the alignment was made"
        ) from broken


def batches(encoder: Encoder, prepared: Mapping[str, Any]) -> Iterator[list[str]]:
    """Yield digests that are cheap to encode together: texts of like length, recordings of the
    same padded length.
    """
    order = sorted(prepared, key=lambda digest: (encoder.bucket(prepared[digest]), digest))
    batch: list[str] = []
    for digest in order:
        apart = (
            encoder.kind == "audio"
            and batch
            and encoder.bucket(prepared[batch[0]]) != encoder.bucket(prepared[digest])
        )
        if len(batch) == encoder.batch or apart:
            yield batch
            batch = []
        batch.append(digest)
    if batch:
        yield batch
