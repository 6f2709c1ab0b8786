"""Seconds of a run's stages: by the clock, and as if nothing else had run."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from fusion.core.progress import Progress

CELL, CPU = "cell:", "cpu:"
"""Prefixes of seconds: of one cell by an encoder, and of a stage as if nothing else had run."""


class Stopwatch:
    """Seconds since it was made, as if nothing else had run: waiting for other processes does not
    count where one thread works.
    """

    def __init__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    @property
    def seconds(self) -> float:
        return min(time.perf_counter() - self.wall, time.process_time() - self.cpu)


@dataclass
class Clock:
    """Wall-clock seconds of each stage, and under `cpu:STAGE` as if nothing else had run."""

    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self.progress.stage(name)
        self.progress.check()
        begun, watch = time.perf_counter(), Stopwatch()
        yield
        self.seconds |= {
            name: round(time.perf_counter() - begun, 3),
            f"{CPU}{name}": round(watch.seconds, 3),
        }
