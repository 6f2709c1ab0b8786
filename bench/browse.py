"""A project of 1,000,000 samples in four data sets: the server's time for its pages, with filters,
search and sorting.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from .pages import median_ms
from .rows import Place, Row, fact, under
from .servers import consilience, environment, megabytes, running
from .study import ROOT

ROWS, FEW = 1_000_000, 50_000
MILLISECONDS = 300
Table = dict[str, tuple[str, list[Any]]]
"""Column -> its kind and its values, the key first."""

PAGES = {
    "data set, no filter": "data/recordings/",
    "data set, two values": "data/recordings/?audibility=poor&speaker=P7",
    "samples, no filter": "samples/",
    "samples, one value": "samples/?samples.label=three",
    "samples, three filters": "samples/?samples.label=three&samples.label=five"
    "&recordings.audibility=poor"
    "&from:recordings.seconds=0.8",
    "samples, with two inputs and no third": "samples/?has=Handwriting,Clues",
    "samples, search for words": "samples/?q=word+77",
    "samples, sorted, page 400": "samples/?sort=-recordings.seconds&page=400",
    "one sample": "samples/S0000077/",
}


def measure(place: Place) -> list[Row]:
    rows = FEW if place.small else ROWS
    with tempfile.TemporaryDirectory(prefix="consilience-browse-") as folder:
        home = Path(folder)
        consilience(home, "setup")
        command = [sys.executable, "-m", "bench.browse", str(rows)]
        made = subprocess.run(
            command, cwd=ROOT, env=environment(home), stdout=subprocess.PIPE, check=True, text=True
        )
        session, seconds = made.stdout.split()[-2:]
        with running(home, "serve") as (process, port):
            times = {
                name: median_ms(port, f"/p/large/{path}", session) for name, path in PAGES.items()
            }
            memory = megabytes(process.pid, "status", "VmRSS")
    pages = [under(name, milliseconds, MILLISECONDS, "ms") for name, milliseconds in times.items()]
    return [
        Row("samples", f"{rows:,} in four data sets"),
        fact("joining them, once", float(seconds), "s"),
        *pages,
        fact("web process afterwards (RSS)", memory, "MB"),
    ]


def main(rows: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilience.settings")
    import django

    django.setup()
    from django.test import Client

    from apps.accounts.services import create_user
    from apps.datasets.browsing.frames import frame_of_versions
    from apps.projects.services import create_project

    owner = create_user("bench@example.org", "Bench", "a long password of no use")
    project = create_project(
        owner, "Large", "Find one sample among many.", [{"code": "VI", "name": "Vision"}]
    )
    versions = [make_version(project, name, table) for name, table in tables(rows).items()]
    started = time.monotonic()
    frame_of_versions(versions)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(owner)
    print(client.cookies["session"].value, time.monotonic() - started)


def make_version(project: Any, name: str, table: Table) -> Any:
    """A version over a Parquet file as an import would have written it; its media are digests of
    nothing.
    """
    import pyarrow
    from pyarrow import parquet

    from apps.datasets.blobs import blob_name, digest_of, register_blobs, staging_folder, store_path
    from apps.datasets.models import Blob, DataSet, Version

    path = staging_folder() / f"{name}.parquet"
    parquet.write_table(
        pyarrow.table({column: values for column, (_kind, values) in table.items()}),
        path,
        row_group_size=50_000,
        compression="zstd",
    )
    digest = digest_of(path)
    store_path(path, blob_name(digest))
    blob = Blob(
        sha256=digest,
        size=path.stat().st_size,
        kind="table",
        media_type="application/vnd.apache.parquet",
    )
    dataset = DataSet.objects.create(
        project=project, discipline=project.disciplines.get(), slug=name, name=name.capitalize()
    )
    described = [
        {"name": column, "kind": kind, "missing": 0, "distinct": len(set(values))}
        for column, (kind, values) in table.items()
    ]
    fields = {
        "number": 1,
        "table": register_blobs(project, [blob])[digest],
        "digest": digest,
        "key_column": "sample_id",
    }
    return Version.objects.create(
        dataset=dataset, n_rows=len(table["sample_id"][1]), columns=described, **fields
    )


def tables(rows: int) -> dict[str, Table]:
    import numpy as np

    dice = np.random.default_rng(1)
    keys = ("id", np.char.add("S", np.char.zfill(np.arange(rows).astype(str), 7)).tolist())

    def pick(values: list[str], missing: float = 0.0) -> list[str | None]:
        chosen = np.array(values, dtype=object)[dice.integers(0, len(values), rows)]
        chosen[dice.random(rows) < missing] = None
        return chosen.tolist()

    media = [f"{number:064x}" for number in range(5_000)]
    sentences = [
        f"a sentence of some length that holds word {number} and a ____ to fill in"
        for number in range(20_000)
    ]
    digits = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    quality = ["good", "poor"]
    return {
        "handwriting": {
            "sample_id": keys,
            "file": ("image", pick(media, 0.1)),
            "legibility": ("category", pick(quality)),
        },
        "recordings": {
            "sample_id": keys,
            "file": ("audio", pick(media, 0.1)),
            "seconds": ("number", dice.gamma(4, 0.15, rows).round(3).tolist()),
            "audibility": ("category", pick(quality)),
            "speaker": ("group", pick([f"P{number}" for number in range(40)])),
        },
        "clues": {
            "sample_id": keys,
            "clue": ("text", pick(sentences, 0.1)),
            "corpus": ("category", pick(["a", "b", "c"])),
        },
        "samples": {"sample_id": keys, "label": ("label", pick(digits))},
    }


if __name__ == "__main__":
    main(int(sys.argv[1]))
