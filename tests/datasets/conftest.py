"""Small real files: pictures, recordings, tables, archives."""

import csv
import io
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from apps.datasets.models import Upload
from apps.datasets.uploads import services
from apps.datasets.uploads.receive import receive_file
from apps.jobs.work import perform


def picture(number: int, size: int = 20) -> bytes:
    out = io.BytesIO()
    Image.fromarray(
        np.random.default_rng(number).integers(0, 255, (size, size), dtype=np.uint8)
    ).save(out, "PNG")
    return out.getvalue()


def recording(number: int, seconds: float = 0.2, level: float = 0.3) -> bytes:
    out = io.BytesIO()
    samples = np.random.default_rng(number).normal(0, level, int(8000 * seconds)).clip(-0.9, 0.9)
    soundfile.write(out, samples, 8000, format="WAV")
    return out.getvalue()


def table(
    header: Iterable[str], *rows: Iterable[Any], separator: str = ",", encoding: str = "utf-8"
) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator)
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode(encoding)


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


STUDY = """
name: tiny
title: Tiny study
goal: See whether it works.
key: sample
disciplines:
  - code: VI
    name: Vision
    datasets:
      - {name: pictures, table: pictures.csv, licence: CC0-1.0, columns: {file: {kind: image}, writer: {kind: group}}}
  - code: SP
    name: Speech
    datasets:
      - {name: voices, table: voices.csv, columns: {file: {kind: audio}, digit: {kind: label}}}
alignment:
  label: voices.digit
  groups: [pictures.writer]
  modalities: {image: pictures.file, speech: voices.file}
  split: {policy: leave-one-group-out}
annotations:
  - {discipline: VI, table: said.csv, annotator: reader, label: digit}
"""


def study_files(n: int = 12) -> dict[str, bytes]:
    keys = [f"s{i:02d}" for i in range(n)]
    files = {"study.yaml": STUDY.encode()}
    files["pictures.csv"] = table(
        ["sample", "file", "writer"],
        *((k, f"images/{k}.png", f"w{i % 3}") for i, k in enumerate(keys)),
    )
    files["voices.csv"] = table(
        ["sample", "file", "digit"],
        *((k, f"sounds/{k}.wav", "one" if i % 2 else "two") for i, k in enumerate(keys)),
    )
    files["said.csv"] = table(
        ["sample", "reader", "digit"], *((k, who, "one") for k in keys[:4] for who in ("Ana", "Bo"))
    )
    for i, key in enumerate(keys):
        files[f"images/{key}.png"] = picture(i)
        files[f"sounds/{key}.wav"] = recording(i)
    return files


@pytest.fixture
def study_zip() -> bytes:
    return packed({f"tiny/{name}": content for name, content in study_files().items()})


@pytest.fixture
def study_dir(tmp_path: Path) -> Path:
    for name, content in study_files().items():
        path = tmp_path / "tiny" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "tiny"


@pytest.fixture
def bring(
    team: Any, django_capture_on_commit_callbacks: Callable[..., Any]
) -> Callable[..., Upload]:
    """Upload files as the contributor, check them, and import them unless told not to."""

    def bring(
        source: str,
        files: dict[str, bytes],
        imports: bool = True,
        dataset: Any = None,
        **options: Any,
    ) -> Upload:
        upload = services.begin_upload(team.contributor, team.project, source, dataset)
        for name, content in files.items():
            receive_file(team.contributor, upload, name, SimpleUploadedFile(name, content))
        perform(str(services.start_check(team.contributor, upload, **options).pk))
        upload.refresh_from_db()
        if imports:
            assert upload.state == Upload.State.READY, upload.check_job.error
            services.choose(team.contributor, upload, **{"discipline": team.vision.pk, **options})
            perform(str(services.start_import(team.contributor, upload).pk))
            upload.refresh_from_db()
        return upload

    return bring


@pytest.fixture
def as_(client: Client) -> Callable[[Any], Client]:
    def sign_in(user: Any) -> Client:
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def small() -> dict[str, bytes]:
    """A table of six samples with a zip of their pictures and recordings; D3's picture is cut, D4's
    recording silent, D6 a copy of D1.
    """
    images = {f"images/D{i}.png": picture(i) for i in range(1, 6)} | {"images/D6.png": picture(1)}
    sounds = {f"sounds/D{i}.wav": recording(i) for i in range(1, 6)} | {
        "sounds/D6.wav": recording(1)
    }
    images["images/D3.png"] = images["images/D3.png"][:100]
    sounds["sounds/D4.wav"] = recording(4, level=0)
    rows = [
        (f"D{i}", f"images/D{i}.png", f"sounds/D{i}.wav", 40 + i, "red" if i % 2 else "blue")
        for i in range(1, 6)
    ]
    rows.append(("D6", "images/D6.png", "sounds/D6.wav", 41, "red"))
    return {
        "people.csv": table(["id", "face", "voice", "age", "colour"], *rows),
        "media.zip": packed(images | sounds),
    }
