"""Versions of data sets for tests of what reads them: real Parquet files in the storage, real
pictures and recordings as blobs.
"""

import hashlib
import io
import random
import wave
from functools import cache
from typing import Any

import pyarrow
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image
from pyarrow import parquet

from apps.datasets.blobs import register_blobs
from apps.datasets.models import Blob, DataSet, Version
from apps.projects.models import Discipline

TYPES = {
    "number": pyarrow.float64(),
    "tags": pyarrow.list_(pyarrow.string()),
    "series": pyarrow.list_(pyarrow.float64()),
}


def stored(content: bytes, kind: str, media_type: str, **facts: Any) -> Blob:
    """In the storage, not yet in the database."""
    blob = Blob(
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        kind=kind,
        media_type=media_type,
        facts=facts,
    )
    if not default_storage.exists(blob.name):
        default_storage.save(blob.name, ContentFile(content))
    return blob


@cache
def make_image(seed: int, size: int = 28, flags: tuple[str, ...] = ()) -> Blob:
    dice = random.Random(seed)
    picture = Image.new("L", (size, size))
    x, y = size // 2, 4
    for _step in range(90):
        picture.putpixel((x, y), 255)
        x, y = (
            min(size - 3, max(3, x + dice.randint(-1, 1))),
            min(size - 3, max(3, y + dice.randint(-1, 1))),
        )
    file = io.BytesIO()
    picture.save(file, "PNG")
    return stored(file.getvalue(), "image", "image/png", width=size, height=size, flags=list(flags))


@cache
def make_sound(seed: int, seconds: float = 0.5, silent: bool = False) -> Blob:
    dice, file = random.Random(seed), io.BytesIO()
    samples = [0 if silent else dice.randint(-9000, 9000) for _n in range(int(8000 * seconds))]
    with wave.open(file, "wb") as out:
        out.setparams((1, 2, 8000, len(samples), "NONE", ""))
        out.writeframes(b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples))
    peaks = [2 if silent else dice.randint(20, 100) for _n in range(60)]
    return stored(
        file.getvalue(),
        "audio",
        "audio/wav",
        seconds=seconds,
        rate=8000,
        waveform=peaks,
        flags=["silent"] if silent else [],
    )


def make_version(
    discipline: Discipline,
    name: str,
    columns: dict[str, tuple[str, list[Any]]],
    kind: str = "data",
    number: int = 1,
    key: str = "sample_id",
    **fields: Any,
) -> Version:
    """`columns`: name -> (kind, values); the key column among them, first."""
    project = discipline.project
    names = {"slug": name, "name": name.capitalize(), "kind": kind, "licence": "CC0-1.0"}
    dataset = DataSet.objects.filter(project=project, slug=name).first() or DataSet.objects.create(
        project=project,
        discipline=discipline,
        description=f"What {discipline.name} knows.",
        **names,
    )
    arrays = {
        column: pyarrow.array(values, TYPES.get(of, pyarrow.string()))
        for column, (of, values) in columns.items()
    }
    file = io.BytesIO()
    parquet.write_table(pyarrow.table(arrays), file)
    table = stored(file.getvalue(), "table", "application/vnd.apache.parquet")
    table = register_blobs(project, [table])[table.sha256]
    schema = [describe(column, of, values) for column, (of, values) in columns.items()]
    rows = len(columns[key][1])
    return Version.objects.create(
        dataset=dataset,
        number=number,
        table=table,
        digest=table.sha256,
        key_column=key,
        n_rows=rows,
        columns=schema,
        **fields,
    )


def describe(name: str, kind: str, values: list[Any]) -> dict[str, Any]:
    there = [str(value) for value in values if value is not None]
    return {
        "name": name,
        "kind": kind,
        "unit": "",
        "description": "",
        "missing": len(values) - len(there),
        "distinct": len(set(there)),
    }


def copied(blob: Blob) -> Blob:
    """The cached ones stay without a primary key, for the next test's database."""
    return Blob(
        sha256=blob.sha256,
        size=blob.size,
        kind=blob.kind,
        media_type=blob.media_type,
        facts=blob.facts,
    )


DIGITS = ("one", "two", "three")


def make_study(vision: Discipline, speech: Discipline, n: int = 30) -> dict[str, Version]:
    """Pictures, recordings, texts and labels of n samples; every fifth lacks a picture, every
    seventh a recording, every ninth a text.
    """
    keys = [f"S{number:03}" for number in range(n)]
    labels = [DIGITS[number % 3] for number in range(n)]
    texts = [
        None if number % 9 == 8 else f"trifoliolate leaf {number}: having ____ leaflets"
        for number in range(n)
    ]
    codes = [float(DIGITS.index(label)) for label in labels]
    return {
        "handwriting": _handwriting(vision, keys),
        "recordings": _recordings(speech, keys),
        "clues": make_version(
            speech, "clues", {"sample_id": ("id", keys), "clue": ("text", texts)}
        ),
        "samples": make_version(
            vision,
            "samples",
            {"sample_id": ("id", keys), "label": ("label", labels), "code": ("number", codes)},
        ),
        "readings": _readings(speech, keys, labels),
    }


def _handwriting(discipline: Discipline, keys: list[str]) -> Version:
    numbers = range(len(keys))
    pictures = [None if number % 5 == 4 else make_image(number) for number in numbers]
    register_blobs(discipline.project, [copied(blob) for blob in pictures if blob])
    columns = {
        "sample_id": ("id", keys),
        "file": ("image", [blob and blob.sha256 for blob in pictures]),
        "legibility": ("category", ["poor" if number % 4 == 0 else "good" for number in numbers]),
        "writer": ("group", [f"W{number % 10}" for number in numbers]),
    }
    return make_version(discipline, "handwriting", columns)


def _recordings(discipline: Discipline, keys: list[str]) -> Version:
    numbers = range(len(keys))
    sounds = [
        None if number % 7 == 6 else make_sound(number, 0.2 + number / 100, silent=number == 3)
        for number in numbers
    ]
    register_blobs(discipline.project, [copied(blob) for blob in sounds if blob])
    columns = {
        "sample_id": ("id", keys),
        "file": ("audio", [blob and blob.sha256 for blob in sounds]),
        "seconds": ("number", [0.2 + number / 100 for number in numbers]),
        "speaker": ("group", [f"P{number % 4}" for number in numbers]),
    }
    silent = {"key": "S003", "column": "file", "file": "speech.csv", "row": 5}
    broken = {
        "key": "S006",
        "column": "file",
        "file": "speech.csv",
        "row": 8,
        "text": "ends in the middle of its data",
    }
    groups = [
        {"code": "silent", "count": 1, "examples": [silent]},
        {"code": "broken_file", "count": 1, "examples": [broken]},
    ]
    return make_version(discipline, "recordings", columns, report={"groups": groups})


def _readings(discipline: Discipline, keys: list[str], labels: list[str]) -> Version:
    """Three annotators; each says zero of every sixth sample, whatever it is."""
    said = [
        (key, who, label if (number + shift) % 6 else DIGITS[0])
        for number, (key, label) in enumerate(zip(keys, labels))
        for shift, who in enumerate(("Ann", "Bo", "Cai"))
    ]
    kinds = {"sample_id": "id", "annotator": "category", "label": "label"}
    columns = {
        name: (kind, list(values)) for (name, kind), values in zip(kinds.items(), zip(*said))
    }
    return make_version(discipline, "readings", columns, kind="annotation")
