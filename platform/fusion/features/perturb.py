"""Inputs made worse by a known amount (fusion.schema.noise_levels), and their features. What a cell
becomes depends on its content and the level alone: the random numbers are seeded by its digest and
are the same at every level, so a worse level spoils what a milder one spoilt, and more.
"""

import hashlib
import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fusion.core.arrays import Ints
from fusion.core.progress import Progress
from fusion.data.alignment import Aligned, Cell, Modality
from fusion.encoders.base import Encoder
from fusion.encoders.cache import Cache
from fusion.encoders.embedding import Choices, Work, contents, embed_modality, load_all
from fusion.encoders.runtime import asked, in_precision
from fusion.schema.noise_levels import LEVELS, NoiseLevel

Features = NDArray[np.float32]
Key = tuple[str, str]
"""Modality, name of the level."""
Reading = tuple[str, str]
"""Modality, encoders."""

LARGEST_PX = 1024
"""Of the longer side; encoders read no more."""
SECONDS = 120.0
"""Of a recording; encoders read no more."""
RATE = 16_000
BY_TRAINING = ("table", "series")
"""Kinds whose noise is measured in what the training rows vary."""


@dataclass
class Noisy:
    """Features under noise. keys: every modality and level; x: by reading, those that are the same
    whatever the round, (n, dim) each.

    read: training rows -> by which encoders a round reads; encoders: of the modalities whose
    features differ by round. n_computed and n_cached: contents read by an encoder, or found in the
    cache.
    """

    aligned: Aligned
    read: Callable[[Ints], Choices]
    encoders: dict[Reading, list[Encoder]] = field(default_factory=dict)
    keys: list[Key] = field(default_factory=list)
    x: dict[tuple[Reading, str], Features] = field(default_factory=dict)
    precision: str | None = field(default_factory=asked.get)
    n_computed: int = 0
    n_cached: int = 0

    @classmethod
    def of(
        cls,
        aligned: Aligned,
        read: Callable[[Ints], Choices],
        rounds: Sequence[Ints],
        cache: Cache | None,
        progress: Progress,
    ) -> "Noisy":
        """Pictures, recordings and texts are read here: at most once a level, and never again while
        the cache keeps them.

        rounds: the training rows of each.
        """
        perturbation = cls(
            aligned,
            read,
            keys=[
                (name, level.name)
                for name, modality in aligned.modalities.items()
                for level in LEVELS[modality.kind]
            ],
        )
        for name, modality in aligned.modalities.items():
            for choices in map(read, rounds):
                if reading(name, choices) not in perturbation.encoders:
                    perturbation.encoders[reading(name, choices)] = load_all(
                        modality, choices.get(name), False
                    )
        perturbation.read_media(cache, progress)
        return perturbation

    def read_media(self, cache: Cache | None, progress: Progress) -> None:
        """Read every level of pictures, recordings and texts."""
        media = {
            read_as: modality
            for read_as in self.encoders
            if (modality := self.aligned.modalities[read_as[0]]).kind not in BY_TRAINING
        }
        cells = sum(
            len(contents(modality)) * len(self.encoders[read_as]) * len(LEVELS[modality.kind])
            for read_as, modality in media.items()
        )
        work = Work(progress, cells)
        for read_as, modality in media.items():
            for level in LEVELS[modality.kind]:
                with tempfile.TemporaryDirectory() as folder:
                    self.x[read_as, level.name] = self.embedded(
                        read_as, spoilt(modality, level, Path(folder)), cache, work
                    )
            del self.encoders[read_as]  # large, and done
        self.n_computed, self.n_cached = work.computed, work.cached

    def embedded(
        self, reading: Reading, modality: Modality, cache: Cache | None, work: Work
    ) -> Features:
        name = reading[0]
        inputs = replace(self.aligned, modalities={**self.aligned.modalities, name: modality})
        return np.concatenate(
            [
                embed_modality(inputs, name, encoder, cache, work)
                for encoder in self.encoders[reading]
            ],
            1,
        )

    def features(self, key: Key, train: Ints) -> Features:
        """(n, dim) of every sample, for a round that trains on these rows."""
        name, level = key
        read_as = reading(name, self.read(train))
        if (read_as, level) in self.x:
            return self.x[read_as, level]
        modality = self.aligned.modalities[name]
        strength = next(
            level_of_kind.strength
            for level_of_kind in LEVELS[modality.kind]
            if level_of_kind.name == level
        )
        cells = shaken(modality.cells, spread(modality, train), strength)
        with in_precision(self.precision):
            return self.embedded(read_as, replace(modality, cells=cells), None, Work(Progress(), 0))


def reading(name: str, choices: Choices) -> Reading:
    """A modality and what it is read with."""
    return name, str(choices.get(name))


def spoilt(modality: Modality, level: NoiseLevel, folder: Path) -> Modality:
    """A modality of pictures, recordings or texts at a level; files are made in `folder` when they
    are asked for.
    """
    if modality.kind == "text":
        return replace(
            modality,
            cells=[
                cell and Cell.text(fewer_words(str(cell.content), cell.digest, level.strength))
                for cell in modality.cells
            ],
        )
    cells = [
        cell and Cell(digest_of(cell.digest, modality.kind, level.name)) for cell in modality.cells
    ]
    origin = {new.digest: old.digest for new, old in zip(cells, modality.cells) if new and old}
    assert modality.media is not None
    spoil = {"image": blurred, "audio": drowned}[modality.kind]
    return replace(
        modality,
        cells=cells,
        media=partial(made, modality.media, origin, folder, spoil, level.strength),
    )


def made(
    media: Callable[[str], Path],
    origin: Mapping[str, str],
    folder: Path,
    spoil: Callable[[Path, str, float, Path], Path],
    strength: float,
    digest: str,
) -> Path:
    """The file of a noisy cell; the one before it goes, since an encoder has read it by then."""
    for old in folder.iterdir():
        with suppress(FileNotFoundError):
            old.unlink()
    return spoil(media(origin[digest]), origin[digest], strength, folder / digest)


def digest_of(digest: str, kind: str, level: str) -> str:
    return hashlib.sha256(f"{digest}|noise {kind}|{level}".encode()).hexdigest()


def dice(digest: str) -> np.random.Generator:
    return np.random.default_rng(int(digest[:16], 16))


def blurred(source: Path, digest: str, share: float, target: Path) -> Path:
    from PIL import ImageFilter

    from fusion.data.modalities import image

    with image.opened(source, source.stat().st_size) as picture:
        rgb = image.upright_rgb(picture)
    rgb.thumbnail((LARGEST_PX, LARGEST_PX))
    target = target.with_suffix(".png")
    rgb.filter(ImageFilter.GaussianBlur(share * min(rgb.size))).save(target, compress_level=1)
    return target


def drowned(source: Path, digest: str, decibel: float, target: Path) -> Path:
    """White noise whose power is that of the whole recording less so many decibel; silence stays
    silent.
    """
    import soundfile

    from fusion.data.modalities import audio

    sound = audio.decode(source, RATE, SECONDS)
    power = float(np.mean(np.square(sound, dtype=np.float64)))
    noise = dice(digest).standard_normal(len(sound)) * math.sqrt(power / 10 ** (decibel / 10))
    target = target.with_suffix(".wav")
    soundfile.write(target, (sound + noise).astype(np.float32), RATE, subtype="FLOAT")
    return target


def fewer_words(text: str, digest: str, share: float) -> str:
    """Each word (each character where there are no spaces) is dropped with this probability; one
    stays.
    """
    space = " " if len(text.split()) > 1 else ""
    words = text.split() if space else list(text)
    luck = dice(digest).random(len(words))
    return space.join(
        word for word, draw in zip(words, luck) if draw >= min(share, float(luck.max(initial=0)))
    )


def spread(modality: Modality, rows: Ints) -> NDArray[np.float64]:
    """Standard deviation over training rows: of each number of a table (k,), of all numbers of
    series together (1,).
    """
    cells = [
        cell.content
        for row in rows
        if (cell := modality.cells[row]) is not None and isinstance(cell.content, tuple)
    ]
    if not cells:
        return np.zeros(1)
    if modality.kind == "series":
        cells = [(number,) for cell in cells for number in cell]
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(np.nanstd(np.array(cells, dtype=np.float64), axis=0))


def shaken(
    cells: list[Cell | None], deviation: NDArray[np.float64], strength: float
) -> list[Cell | None]:
    """Gaussian noise on every number; a gap stays one."""

    def one(cell: Cell) -> Cell:
        numbers = np.array(cell.content, dtype=np.float64)
        return Cell.numbers(
            (
                numbers + strength * deviation * dice(cell.digest).standard_normal(len(numbers))
            ).tolist()
        )

    return [cell and one(cell) for cell in cells]
