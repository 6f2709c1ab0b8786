"""Evaluation alone, of a model trained elsewhere: 10 labels, 1,000 draws, every sample a cluster of
its own, which costs most.
"""

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .rows import Place, Row, fact, under
from .servers import fusion

LABELS, SITES = 10, 6
SMALL, LARGE = (1_000, 5), (100_000, 60)
"""Samples, and the bar in seconds."""
PEAK = 1024
REPEATS = 3


def measure(place: Place) -> list[Row]:
    sizes = [SMALL] if place.small else [SMALL, LARGE]
    return [row for n, bar in sizes for row in judged(n, bar, place)]


def judged(n: int, bar: float, place: Place) -> list[Row]:
    """One command from its start to its end, the median of three."""
    with tempfile.TemporaryDirectory() as folder:
        paths = write(Path(folder), n)
        taken = sorted(run(paths, place) for _ in range(REPEATS))
    (seconds, cpu, _), peak = taken[REPEATS // 2], max(one[2] for one in taken)
    what = f"python -m fusion evaluate, {n:,} x {LABELS} x 1,000 draws"
    return [
        under(what, seconds, bar, "s"),
        fact("  its seconds of CPU", cpu, "s"),
        under("  its peak memory", peak, PEAK, "MB"),
    ]


def write(folder: Path, n: int) -> tuple[Path, Path]:
    rng = np.random.default_rng(0)
    y = rng.integers(LABELS, size=n)
    p = rng.dirichlet(np.ones(LABELS), size=n) * 0.6 + 0.4 * np.eye(LABELS)[y]
    keys = [f"s{i:06d}" for i in range(n)]
    predictions = {"key": keys} | {f"probability:{k}": p[:, k] for k in range(LABELS)}
    truth = {
        "key": keys,
        "label": [str(k) for k in y],
        "site": [f"site {k}" for k in rng.integers(SITES, size=n)],
    }
    paths = folder / "predictions.parquet", folder / "truth.parquet"
    for path, columns in zip(paths, (predictions, truth)):
        pq.write_table(pa.table(columns), path)
    return paths


def run(paths: tuple[Path, Path], place: Place) -> tuple[float, float, float]:
    """Seconds, seconds of CPU, MB."""
    ended = fusion(
        place.folder / "home", "evaluate", "--predictions", str(paths[0]), "--truth", str(paths[1])
    )
    if ended.result["clusters"]["draws"] != 1000:
        raise RuntimeError("fusion evaluate did not draw 1,000 times.")
    return ended.wall, ended.cpu, ended.peak_mb
