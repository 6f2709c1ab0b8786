"""The demo study "Ledger digits": which digit was entered in the ledger? Written as a study folder,
from PyPI packages alone.

The images are real handwriting (scikit-learn's copy of the UCI optical digits), the voices
synthetic, remarks and balance readings made up here, and so is the pairing: by label only, so
nothing but the label joins one sample's modalities.
"""

import csv
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import yaml

from .remarks import ASIDES, CLERKS, FACTS, PROPERTIES, WORDS
from .study import ANNOTATORS, study
from .voices import RATE, SPELLINGS, Dictation, can_speak

if TYPE_CHECKING:
    import PIL.Image

SEED = 7
STATIONS, FORMS = 6, 12
FULL = 1_080
FORM_STARTS = (0, 130, 256, 386, 516, 646, 776, 905, 1029, 1157, 1287, 1415)
"""Where the printed order 0 to 9 begins anew in the digits: one filled-in form each."""
FORM_LENGTH = 114
DAMAGED, MISSING = 0.55, 0.12
MISREAD = {0: 6, 1: 7, 2: 3, 3: 8, 4: 9, 5: 6, 6: 0, 7: 1, 8: 3, 9: 4}
VERSION = "2"


@dataclass
class LedgerEntry:
    """One sample: a digit of one form, and which teams hold something about it."""

    number: int
    form: int
    source: int
    digit: int
    present: np.ndarray

    @property
    def key(self) -> str:
        return f"L{self.number + 1:05d}"

    @property
    def station(self) -> int:
        return self.form // 2

    def stream(self, cell: int) -> np.random.Generator:
        """A random stream of its own for every cell: a change in one modality moves no other."""
        return np.random.default_rng((SEED, self.number, cell))


@dataclass
class Tables:
    entries: list[tuple] = field(default_factory=list)
    image: list[tuple] = field(default_factory=list)
    speech: list[tuple] = field(default_factory=list)
    text: list[tuple] = field(default_factory=list)
    scale: list[tuple] = field(default_factory=list)
    labels: list[tuple] = field(default_factory=list)


def ledger(home: Path, samples: int = FULL) -> Path:
    """The study folder under `home`, made when it is not there yet. A broken-off making leaves
    nothing that counts as made.
    """
    folder = home / f"ledger-digits-{samples}-v{VERSION}"
    if not folder.exists():
        making = folder.with_suffix(".making")
        shutil.rmtree(making, ignore_errors=True)
        generate(making, samples)
        making.rename(folder)
    return folder


def generate(folder: Path, samples: int = FULL) -> None:
    """Write study.yaml, tables and media. `samples` is rounded to whole forms; below FULL it is a
    cut with all stations in it.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    (folder / "images").mkdir(parents=True)
    dictation = Dictation() if can_speak() else None
    if dictation:
        (folder / "speech").mkdir()
    balances = _balances()
    tables = Tables()
    for entry in plan(digits.target, max(1, round(samples / FORMS))):
        tables.entries.append(
            (
                entry.key,
                WORDS[entry.digit],
                f"station-{entry.station + 1}",
                f"form-{entry.form + 1:02d}",
            )
        )
        if entry.present[0]:
            _write_image(folder, entry, digits.images[entry.source], tables)
        if entry.present[1] and dictation:
            _write_speech(folder, entry, dictation, tables)
        if entry.present[2]:
            tables.text.append((entry.key, remark(entry.digit, entry.station, entry.stream(2))))
        if entry.present[3]:
            tables.scale.append((entry.key, *_weigh(entry, balances)))
    _write_tables(folder, tables, speech=dictation is not None)


def plan(targets: np.ndarray, per_form: int) -> list[LedgerEntry]:
    """The entries in the order of the ledger: `per_form` of each form, and for each which teams
    hold data (one at the least).
    """
    random = np.random.default_rng(SEED)
    places = [
        (form, start + int(step))
        for form, start in enumerate(FORM_STARTS)
        for step in random.permutation(FORM_LENGTH)[:per_form]
    ]
    random.shuffle(places)
    entries = []
    for number, (form, source) in enumerate(places):
        present = random.random(4) >= MISSING
        if not present.any():
            present[random.integers(4)] = True
        entries.append(LedgerEntry(number, int(form), int(source), int(targets[source]), present))
    return entries


def remark(digit: int, station: int, random: np.random.Generator) -> str:
    """One to three sentences: a fact, or one or two properties in the words of a clerk, often the
    station's own.
    """
    chance = random.random()
    if chance < 0.35:
        hints = [f"Here: {FACTS[digit][random.integers(len(FACTS[digit]))]}."]
    else:
        true = [name for name, holds in PROPERTIES.items() if holds(digit)]
        names = random.choice(true, 1 if chance < 0.55 else 2, replace=False)
        hints = [_phrase(name, station, random) for name in names]
    aside = ASIDES[random.integers(len(ASIDES))]
    parts = [aside, *hints] if random.random() < 0.5 else [*hints, aside]
    return " ".join(part for part in parts if part)


def _phrase(name: str, station: int, random: np.random.Generator) -> str:
    clerk = CLERKS[station if random.random() < 0.5 else random.integers(len(CLERKS))]
    return clerk[name][random.integers(len(clerk[name]))]


def _write_image(folder: Path, entry: LedgerEntry, pixels: np.ndarray, tables: Tables) -> None:
    random = entry.stream(0)
    stained = random.random() < DAMAGED
    path = f"images/{entry.key}.png"
    draw(pixels, stained, random).save(folder / path)
    tables.image.append((entry.key, path, "stained" if stained else "clear"))
    for reader, name in enumerate(ANNOTATORS):
        tables.labels.append((entry.key, name, WORDS[read(entry, stained, reader)]))


def draw(pixels: np.ndarray, stained: bool, random: np.random.Generator) -> "PIL.Image.Image":
    """(8, 8) ink of 0 to 16 -> a 32 x 32 grey picture, ink on paper; a stained one was coarsened
    and blotted first.
    """
    from PIL import Image

    picture = Image.fromarray((pixels * (255 / 16)).astype(np.uint8))
    if stained:
        coarse = picture.resize((5, 5), Image.Resampling.BILINEAR).resize(
            (8, 8), Image.Resampling.BICUBIC
        )
        ink, (row, column) = np.array(coarse), random.integers(0, 5, 2)
        ink[row : row + 4, column : column + 4] = 0
        picture = Image.fromarray(ink)
    large = np.asarray(picture.resize((32, 32), Image.Resampling.BICUBIC)).astype(float)
    noise = random.normal(0, 45 if stained else 6, large.shape)
    return Image.fromarray((255 - np.clip(large + noise, 0, 255)).astype(np.uint8))


def read(entry: LedgerEntry, stained: bool, reader: int) -> int:
    """Return the digit that one annotator reads: nearly always right on a clear one, at times the
    look-alike on a stained one.
    """
    wrong = entry.stream(10 + reader).random() < ((0.14, 0.2)[reader] if stained else 0.005)
    return MISREAD[entry.digit] if wrong else entry.digit


def _write_speech(folder: Path, entry: LedgerEntry, dictation: Dictation, tables: Tables) -> None:
    import soundfile

    random = entry.stream(1)
    noisy = random.random() < DAMAGED
    clip = dictation.entry(tuple(SPELLINGS)[entry.station], entry.digit, noisy, random)
    path = f"speech/{entry.key}.wav"
    soundfile.write(folder / path, clip, RATE, subtype="PCM_16")
    tables.speech.append(
        (entry.key, path, round(len(clip) / RATE, 3), "noisy" if noisy else "clear")
    )


def _balances() -> list[tuple[float, float]]:
    """Gain and offset of each station's balance: what makes a reading mean something else at
    another station.
    """
    random = np.random.default_rng((SEED, 99))
    return [(float(random.normal(1, 0.12)), float(random.normal(0, 0.6))) for _ in range(STATIONS)]


def _weigh(entry: LedgerEntry, balances: Sequence[tuple[float, float]]) -> tuple[float, ...]:
    random, (gain, offset) = entry.stream(3), balances[entry.station]
    readings = [
        round(float(gain * entry.digit + offset + random.normal(0, 1.4)), 2) for _ in range(3)
    ]
    return (*readings, round(float(random.normal(18, 4)), 1))


def _write_tables(folder: Path, tables: Tables, speech: bool) -> None:
    _write_csv(folder / "entries.csv", ("sample_id", "digit", "station", "form"), tables.entries)
    _write_csv(folder / "vision_team.csv", ("sample_id", "file", "quality"), tables.image)
    if speech:
        _write_csv(
            folder / "speech_team.csv", ("sample_id", "file", "seconds", "quality"), tables.speech
        )
    _write_csv(folder / "language_team.csv", ("sample_id", "remark"), tables.text)
    _write_csv(
        folder / "instruments_team.csv",
        ("sample_id", "reading_1", "reading_2", "reading_3", "celsius"),
        tables.scale,
    )
    _write_csv(folder / "labels.csv", ("sample_id", "annotator", "digit"), tables.labels)
    text = yaml.safe_dump(study(speech), sort_keys=False, allow_unicode=True, width=120)
    (folder / "study.yaml").write_text(text, encoding="utf-8")


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[tuple]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
