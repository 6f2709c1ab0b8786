"""How long a page of 1,000,000 samples takes: `python bench/browse.py [rows]`. Facets, combinations, histogram and rows, without the template.

Three data sets of that many rows are joined (that is done once a set of versions), then pages are asked with different filters.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilience.settings_test")
os.environ.setdefault("CONSILIENCE_HOME", tempfile.mkdtemp(prefix="consilience-bench-"))

QUERIES = {
    "no filter": "",
    "one value": "samples.label=three",
    "three filters": "samples.label=three&samples.label=five&recordings.audibility=poor&from:recordings.seconds=0.8",
    "combination": "has=Handwriting,Clues",
    "search": "q=word+77",
    "sorted, page 400": "sort=-recordings.seconds&page=400",
}
BAR_MS = 300


def columns(rows: int) -> dict[str, dict[str, tuple[str, Any]]]:
    import numpy as np

    dice = np.random.default_rng(1)
    keys = np.char.add("S", np.char.zfill(np.arange(rows).astype(str), 7))

    def pick(values: list[str], missing: float = 0.0) -> list[str | None]:
        chosen = np.array(values, dtype=object)[dice.integers(0, len(values), rows)]
        chosen[dice.random(rows) < missing] = None
        return chosen.tolist()

    media = [f"{n:064x}" for n in range(5000)]
    digits = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "zero"]
    words = [f"a sentence of some length that holds word {n} and a ____ to fill in" for n in range(20_000)]
    groups = [f"P{n}" for n in range(40)]
    seconds = dice.gamma(4, 0.15, rows).round(3)
    return {
        "handwriting": {
            "sample_id": ("id", keys.tolist()),
            "file": ("image", pick(media, 0.1)),
            "legibility": ("category", pick(["good", "poor"])),
        },
        "recordings": {
            "sample_id": ("id", keys.tolist()),
            "file": ("audio", pick(media, 0.1)),
            "seconds": ("number", seconds.tolist()),
            "audibility": ("category", pick(["good", "poor"])),
            "speaker": ("group", pick(groups)),
        },
        "clues": {"sample_id": ("id", keys.tolist()), "clue": ("text", pick(words, 0.1)), "corpus": ("category", pick(["a", "b", "c"]))},
        "samples": {"sample_id": ("id", keys.tolist()), "label": ("label", pick(digits))},
    }


def versions(rows: int, folder: Path) -> list[Any]:
    """Unsaved rows of the database over real files: only the reading is measured."""
    import pyarrow
    from pyarrow import parquet

    from apps.datasets.models import Blob, DataSet, Version
    from apps.projects.models import Discipline

    found = []
    for name, spec in columns(rows).items():
        table = pyarrow.table({column: values for column, (_kind, values) in spec.items()})
        parquet.write_table(table, folder / f"{name}.parquet", compression="zstd")
        described = [
            {"name": column, "kind": kind, "missing": 1, "distinct": len(set(values[:10_000]))} for column, (kind, values) in spec.items()
        ]
        dataset = DataSet(slug=name, name=name.capitalize(), kind="data", discipline=Discipline(code="XX", name="Bench"))
        blob = Blob(sha256=name)
        version = Version(
            dataset=dataset, table=blob, digest=name, key_column="sample_id", n_rows=rows, columns=described, statistics={}, report={}
        )
        found.append(version)
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="?", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    import django

    django.setup()
    from django.http import QueryDict

    from apps.datasets import browse, cards, joins
    from apps.datasets.frames import frame_of_versions
    from apps.projects.models import Project

    folder = Path(tempfile.mkdtemp(dir=os.environ["CONSILIENCE_HOME"]))
    joins.table_file = lambda version: str(folder / f"{version.table.sha256}.parquet")
    cards.media_of = lambda *_: {}
    made = versions(rows, folder)
    started = time.perf_counter()
    frame = frame_of_versions(made)
    print(f"load {os.getloadavg()[0]:.1f}; joining {len(made)} x {rows:,} rows once: {time.perf_counter() - started:.1f} s")
    project = Project(slug="bench")
    browse.browse(frame, QueryDict(""), project)
    for name, query in QUERIES.items():
        times = []
        for _turn in range(7):
            started = time.perf_counter()
            page = browse.browse(frame, QueryDict(query), project)
            times.append(1000 * (time.perf_counter() - started))
        print(f"{name:18} {statistics.median(times):6.0f} ms  (bar {BAR_MS})  {page.count:,} samples")
    started = time.perf_counter()
    browse.neighbours(frame, QueryDict("samples.label=three"), page.cards[0].key)
    browse.row_of(frame, page.cards[0].key)
    print(f"one sample         {1000 * (time.perf_counter() - started):6.0f} ms")


if __name__ == "__main__":
    main()
