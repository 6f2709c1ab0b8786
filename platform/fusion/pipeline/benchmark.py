"""A short job that measures this machine: every installed encoder on made-up cells, and a small
training on made-up numbers.
"""

import tempfile
import time
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from fusion.core.progress import Progress
from fusion.core.stopwatch import CELL
from fusion.data.alignment import Aligned, Cell, Modality, Split
from fusion.encoders import catalogue
from fusion.encoders.base import EncoderError
from fusion.encoders.embedding import embed
from fusion.estimates import cost
from fusion.estimates.machine import Machine, forget_peak, peak_mb
from fusion.pipeline.run import train
from fusion.schema.recipe import Evaluation, Recipe, Training

CELLS, SAMPLES, WIDTH, CLASSES, SITES = 48, 480, 600, 10, 4
WORDS = (
    "a",
    "leaf",
    "of",
    "three",
    "parts",
    "stands",
    "by",
    "the",
    "water",
    "and",
    "turns",
    "with",
    "light",
)
RATE = 16_000
RECIPE = Recipe(
    compare=["concat", "gated"],
    training=Training(seeds=[0], epochs=8, patience=8, inner_folds=2),
    evaluation=Evaluation(draws=500),
)


def measure(machine: Machine, progress: Progress) -> Machine:
    """`machine` with what was measured now; takes about ten seconds a core of our time with the
    packaged encoders.
    """
    begun = time.process_time()
    forget_peak()
    seconds_a_cell = encoders(progress)
    embedded = time.process_time() - begun
    with tempfile.TemporaryDirectory() as out:
        result = train(numbers(), RECIPE, Path(out), None, progress)
    inputs = tuple(cost.Input(name, SAMPLES, ("numbers",), WIDTH) for name in "abc")
    seconds = result.seconds | {f"{CELL}{name}": value for name, value in seconds_a_cell.items()}
    whole = time.process_time() - embedded
    return machine.learnt(
        cost.spent(cost.Shape(SAMPLES, SITES, inputs), RECIPE, seconds, whole, peak_mb())
    )


def encoders(progress: Progress) -> dict[str, float]:
    """Seconds a cell; an encoder that cannot be loaded is told of and left out."""
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for entry in catalogue.entries(tiny=False):
            if entry.installed and entry.kind in CONTENT:
                try:
                    features = embed(
                        cells(entry.kind, Path(folder)), {"x": [entry.name]}, None, progress
                    )
                except EncoderError as error:
                    progress.log(str(error))
                else:
                    seconds |= features.seconds_a_cell
    return seconds


def cells(kind: str, folder: Path) -> Aligned:
    """CELLS different ones of this kind."""
    dice = np.random.default_rng(0)
    made: list[Cell | None] = [
        CONTENT[kind](dice, folder / f"{kind}{number}") for number in range(CELLS)
    ]
    keys = [f"M{number:03}" for number in range(CELLS)]
    return Aligned(
        keys=keys,
        labels=["one"] * CELLS,
        modalities={"x": Modality(kind, made, media=lambda digest: folder / digest)},
    )


def picture(dice: np.random.Generator, path: Path) -> Cell:
    Image.fromarray(dice.integers(0, 255, (96, 96, 3), dtype=np.uint8)).save(path, "PNG")
    return Cell(path.name)


def recording(dice: np.random.Generator, path: Path) -> Cell:
    """A second of noise at 16 kHz."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, RATE, "NONE", ""))
        file.writeframes(dice.integers(-9_000, 9_000, RATE, dtype=np.int16).tobytes())
    return Cell(path.name)


def sentence(dice: np.random.Generator, path: Path) -> Cell:
    return Cell.text(" ".join(dice.choice(WORDS, 20)) + f" {path.name}")


def row(dice: np.random.Generator, path: Path) -> Cell:
    return Cell.numbers(dice.normal(size=32).tolist())


CONTENT: dict[str, Callable[[np.random.Generator, Path], Cell]] = {
    "image": picture,
    "audio": recording,
    "text": sentence,
    "table": row,
    "series": row,
}


def numbers() -> Aligned:
    """Three tables that tell something of a label of ten, from four sites."""
    dice = np.random.default_rng(0)
    y = np.arange(SAMPLES) % CLASSES
    tables = {}
    for name in "abc":
        centres = dice.normal(size=(CLASSES, WIDTH))
        rows = 0.2 * centres[y] + dice.normal(size=(SAMPLES, WIDTH))
        tables[name] = Modality(
            "table",
            [Cell.numbers(row.tolist()) for row in rows],
            fields=[f"{name}{i}" for i in range(WIDTH)],
        )
    return Aligned(
        keys=[f"M{number:04}" for number in range(SAMPLES)],
        labels=[f"label {k}" for k in y],
        modalities=tables,
        groups={"made.site": [f"S{number * SITES // SAMPLES}" for number in range(SAMPLES)]},
        split=Split(policy="leave-one-group-out"),
    )
