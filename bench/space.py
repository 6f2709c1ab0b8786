"""The fused representation of a run's test samples: finding across modalities, the map, the file,
and what a page asks of it.
"""

import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from fusion.core.stopwatch import Stopwatch
from fusion.estimates.machine import forget_peak, peak_mb
from fusion.evaluation.embedding_map import places
from fusion.evaluation.retrieval import retrieval
from fusion.features.representation import Space
from fusion.pipeline.representation_file import write
from fusion.tasks.bootstrap import Resampler
from fusion.tasks.predictions import Scored

from .rows import Place, Row, fact, under

LABELS, WIDTH, ROUNDS, NAMES = 10, 64, 4, ("a", "b", "c")
SMALL, LARGE = (1_000, 5), (100_000, 60)
"""Samples, and the bar in seconds: those of the whole evaluation, which this is a part of."""
PEAK, PAGE_MS, TURNS = 1024, 1000, 5


def measure(place: Place) -> list[Row]:
    return [row for n, bar in ([SMALL] if place.small else [SMALL, LARGE]) for row in of(n, bar)]


def of(n: int, bar: float) -> list[Row]:
    space, scored = made(n)
    forget_peak()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "representation.parquet"
        watch = Stopwatch()
        resampler = Resampler(scored.cluster, 1000)
        retrieval(space, scored, resampler)
        found = watch.seconds
        at = places(space, scored)
        mapped = watch.seconds - found
        write(path, space, scored, {}, at)
        whole, peak = watch.seconds, peak_mb()
        asked, size = asked_ms(path, scored.keys[n // 2]), path.stat().st_size / 2**20
    return [
        under(f"representation of {n:,} x {len(NAMES)} x {WIDTH}", whole, bar, "s"),
        fact("  finding across modalities", found, "s"),
        fact("  the map", mapped, "s"),
        under("  its peak memory", peak, PEAK, "MB"),
        fact("  its file", size, "MB"),
        under("  the ten nearest of one sample", asked, PAGE_MS, "ms"),
    ]


def made(n: int) -> tuple[Space, Scored]:
    rng = np.random.default_rng(0)
    y = rng.integers(LABELS, size=n)
    hidden = 2 * rng.normal(size=(LABELS, WIDTH))[y] + rng.normal(size=(n, WIDTH))
    whole = hidden.astype(np.float32)
    alone = {name: (hidden + rng.normal(size=(n, WIDTH))).astype(np.float32) for name in NAMES}
    keys = [f"s{i:06d}" for i in range(n)]
    fold, labels = (
        np.array([f"r{k}" for k in range(ROUNDS)])[np.arange(n) % ROUNDS],
        [str(k) for k in range(LABELS)],
    )
    scored = Scored(
        keys,
        y,
        np.ones((n, len(NAMES)), bool),
        np.zeros((n, LABELS)),
        np.arange(n),
        fold,
        labels,
        list(NAMES),
    )
    return Space("gated", False, whole, alone), scored


def asked_ms(path: Path, key: str) -> float:
    """As the page of nearest samples asks; the median after the first."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilience.settings")
    import django

    django.setup()
    from apps.datasets.browsing.duck import ask_one
    from apps.experiments.artifacts.nearest import column, neighbours

    files, times = (str(path),), []
    for _turn in range(TURNS + 1):
        started = time.perf_counter()
        statement = f"SELECT key, fold, {column('a')} AS given FROM t0 WHERE key = ?"  # noqa: S608
        [sample] = ask_one(files, statement, [key])
        neighbours(files, column("b"), sample, False)
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times[1:])
