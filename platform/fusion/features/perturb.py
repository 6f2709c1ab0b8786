"""Inputs under noise of known levels (fusion.schema.noise_levels), and their features. A noisy cell
depends on its content and the level alone: the random numbers are seeded by its digest and are the
same at every level, so a stronger level changes what a weaker one changed, and more.
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
from fusion.encoders.runtime import chosen_precision, in_precision
from fusion.schema.noise_levels import LEVELS, NoiseLevel

Features = NDArray[np.float32]
Key = tuple[str, str]
"""Modality, name of the level."""
Reading = tuple[str, str]
"""Modality, encoders."""

LARGEST_PX = 1024
"""Longer side of a picture; encoders read no more."""
SECONDS = 120.0
"""Length of a recording; encoders read no more."""
RATE = 16_000
BY_TRAINING = ("table", "series")
"""Kinds whose noise is relative to the variation of the training rows."""


@dataclass
class Noisy:
    """Features under noise.

    keys: every modality and level; x: features that are the same in every fold, by reading and
    level, (n, dim) each. read: training rows -> the encoders of a fold; encoders: of the modalities
    whose features differ by fold. n_computed and n_cached: contents read by an encoder, or by the
    cache.
    """

    aligned: Aligned
    read: Callable[[Ints], Choices]
    encoders: dict[Reading, list[Encoder]] = field(default_factory=dict)
    keys: list[Key] = field(default_factory=list)
    x: dict[tuple[Reading, str], Features] = field(default_factory=dict)
    precision: str | None = field(default_factory=chosen_precision.get)
    n_computed: int = 0
    n_cached: int = 0

    @classmethod
    def of(
        cls,
        aligned: Aligned,
        read: Callable[[Ints], Choices],
        folds: Sequence[Ints],
        cache: Cache | None,
        progress: Progress,
    ) -> "Noisy":
        """Read pictures, recordings and texts: at most once a level, and never again while the
        cache holds them.

        folds: the training rows of each.
        """
        keys = [
            (name, level.name)
            for name, modality in aligned.modalities.items()
            for level in LEVELS[modality.kind]
        ]
        noisy = cls(aligned, read, keys=keys)
        for name, modality in aligned.modalities.items():
            for choices in map(read, folds):
                key = reading(name, choices)
                if key not in noisy.encoders:
                    noisy.encoders[key] = load_all(modality, choices.get(name), False)
        noisy.embed_media(cache, progress)
        return noisy

    def embed_media(self, cache: Cache | None, progress: Progress) -> None:
        """Embed every level of the modalities whose noise does not depend on the training rows."""
        media = {
            key: modality
            for key in self.encoders
            if (modality := self.aligned.modalities[key[0]]).kind not in BY_TRAINING
        }
        n_contents = sum(
            len(contents(modality)) * len(self.encoders[key]) * len(LEVELS[modality.kind])
            for key, modality in media.items()
        )
        work = Work(progress, n_contents)
        for key, modality in media.items():
            for level in LEVELS[modality.kind]:
                with tempfile.TemporaryDirectory() as folder:
                    noisy = perturbed(modality, level, Path(folder))
                    self.x[key, level.name] = self.embedded(key, noisy, cache, work)
            del self.encoders[key]  # large, and done
        self.n_computed, self.n_cached = work.computed, work.cached

    def embedded(
        self, key: Reading, modality: Modality, cache: Cache | None, work: Work
    ) -> Features:
        name = key[0]
        inputs = replace(self.aligned, modalities={**self.aligned.modalities, name: modality})
        return np.concatenate(
            [embed_modality(inputs, name, encoder, cache, work) for encoder in self.encoders[key]],
            1,
        )

    def features(self, key: Key, train: Ints) -> Features:
        """Return the features of every sample, (n, dim), for a fold with these training rows."""
        name, level_name = key
        encoders = reading(name, self.read(train))
        if (encoders, level_name) in self.x:
            return self.x[encoders, level_name]
        modality = self.aligned.modalities[name]
        strengths = {level.name: level.strength for level in LEVELS[modality.kind]}
        cells = with_noise(modality.cells, spread(modality, train), strengths[level_name])
        with in_precision(self.precision):
            return self.embedded(
                encoders, replace(modality, cells=cells), None, Work(Progress(), 0)
            )


def reading(name: str, choices: Choices) -> Reading:
    """Return a modality with the encoders that read it."""
    return name, str(choices.get(name))


def perturbed(modality: Modality, level: NoiseLevel, folder: Path) -> Modality:
    """Return a modality of pictures, recordings or texts at a level; files are made in `folder`
    when an encoder reads them.
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
    perturb = {"image": blurred, "audio": with_white_noise}[modality.kind]
    return replace(
        modality,
        cells=cells,
        media=partial(made, modality.media, origin, folder, perturb, level.strength),
    )


def made(
    media: Callable[[str], Path],
    origin: Mapping[str, str],
    folder: Path,
    perturb: Callable[[Path, str, float, Path], Path],
    strength: float,
    digest: str,
) -> Path:
    """Return the file of a noisy cell; the previous one goes, since an encoder has read it."""
    for old in folder.iterdir():
        with suppress(FileNotFoundError):
            old.unlink()
    return perturb(media(origin[digest]), origin[digest], strength, folder / digest)


def digest_of(digest: str, kind: str, level: str) -> str:
    return hashlib.sha256(f"{digest}|noise {kind}|{level}".encode()).hexdigest()


def generator_of(digest: str) -> np.random.Generator:
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


def with_white_noise(source: Path, digest: str, decibel: float, target: Path) -> Path:
    """Add white noise whose power is that of the whole recording less so many decibel; silence
    stays silent.
    """
    import soundfile

    from fusion.data.modalities import audio

    sound = audio.decode(source, RATE, SECONDS)
    power = float(np.mean(np.square(sound, dtype=np.float64)))
    noise = generator_of(digest).standard_normal(len(sound)) * math.sqrt(
        power / 10 ** (decibel / 10)
    )
    target = target.with_suffix(".wav")
    soundfile.write(target, (sound + noise).astype(np.float32), RATE, subtype="FLOAT")
    return target


def fewer_words(text: str, digest: str, share: float) -> str:
    """Drop each word (each character where there are no spaces) with this probability, except
    one.
    """
    space = " " if len(text.split()) > 1 else ""
    words = text.split() if space else list(text)
    draws = generator_of(digest).random(len(words))
    limit = min(share, float(draws.max(initial=0)))
    return space.join(word for word, draw in zip(words, draws) if draw >= limit)


def spread(modality: Modality, rows: Ints) -> NDArray[np.float64]:
    """Return the standard deviation over training rows: of each number of a table, (k,), or of all
    numbers of series together, (1,).
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


def with_noise(
    cells: list[Cell | None], deviation: NDArray[np.float64], strength: float
) -> list[Cell | None]:
    """Add Gaussian noise to every number; a gap stays one."""

    def noisy(cell: Cell) -> Cell:
        numbers = np.array(cell.content, dtype=np.float64)
        noise = generator_of(cell.digest).standard_normal(len(numbers))
        return Cell.numbers((numbers + strength * deviation * noise).tolist())

    return [cell and noisy(cell) for cell in cells]
