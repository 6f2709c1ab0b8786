"""What this machine was measured to do, and what a run will cost on it. Light: the web process
reads and reckons with it.

A run learns it by the way (`learnt`), `python -m fusion measure` in a short job; both are kept in
one JSON file.
"""

import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fusion.encoders import catalogue

FILE = "machine.json"
TINY = 1e-12
Positive = Annotated[float, Field(gt=0)]

UNKNOWN_CELL = 0.05
TYPICAL_STEP = 0.0008
"""Seconds of a core of our time, as all other defaults here: for a machine that has not been
measured.
"""


@cache
def has_bf16() -> bool:
    """Whether this processor multiplies bfloat16 by instructions of its own (Linux)."""
    with suppress(OSError):
        flags = set(Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split())
        return bool(flags & {"amx_bf16", "avx512_bf16", "bf16"})
    return False


@dataclass(frozen=True)
class Spent:
    """What one run took. cells: seconds by encoder, methods, steps, numbers, draws: see
    fusion.estimates.cost; the other figures are seconds.

    tunes: in which ways encoders were tuned; tuned: passes through each, see fusion.estimates.finetune_cost.
    """

    cells: dict[str, float]
    methods: str
    steps: float
    fit: float
    numbers: float
    prepare: float
    draws: float
    evaluate: float
    other: float
    base_mb: float
    tunes: str = ""
    tune: float = 0.0
    tuned: dict[str, float] = field(default_factory=dict)


class Machine(BaseModel):
    """seconds_a_cell: by encoder, without loading it. seconds_a_step: one batch through one
    network, "" for any method and by the joint methods of a run. tuning: what tuning takes against
    typical figures, likewise by the ways of a run. seconds_a_number: whitening and regressions.
    other: imports, reading and writing. base_mb: what the process takes beside the vectors.
    memory_mb: what the worker may take, None where that is not known.
    """

    model_config = ConfigDict(extra="ignore")

    seconds_a_cell: dict[str, Positive] = {}
    seconds_a_step: dict[str, Positive] = {}
    tuning: dict[str, Positive] = {}
    seconds_a_number: Positive = 4e-8
    seconds_a_draw: Positive = 6e-7
    other: Positive = 5.0
    base_mb: Positive = 650.0
    memory_mb: Positive | None = None
    runs: int = Field(default=0, ge=0)

    @classmethod
    def load(cls, home: Path) -> "Machine":
        """As stored; a machine of typical figures where there is no file or none that can be read."""
        try:
            return cls.model_validate_json((home / FILE).read_text(encoding="utf-8"))
        except (OSError, ValidationError):
            return cls()

    def save(self, home: Path) -> None:
        partial = home / f".{FILE}.{os.getpid()}"
        partial.write_text(json.dumps(self.model_dump(mode="json"), indent=1), encoding="utf-8")
        partial.replace(home / FILE)

    def cell(self, encoder: str) -> float:
        """Return the seconds of one cell: measured here, else typical ones of the catalogue."""
        entry = catalogue.get(encoder)
        typical = entry.seconds if entry and entry.seconds else UNKNOWN_CELL
        return self.seconds_a_cell.get(encoder) or typical

    def step(self, methods: str) -> float:
        return self.seconds_a_step.get(methods) or self.seconds_a_step.get("") or TYPICAL_STEP

    def tune(self, cells: dict[str, float], ways: str) -> float:
        """Seconds of so many passes through encoders that are tuned in these ways."""
        return self.reckoned(cells) * (self.tuning.get(ways) or self.tuning.get("") or 1.0)

    def reckoned(self, cells: dict[str, float]) -> float:
        return sum(n * self.cell(name) for name, n in cells.items())

    def learnt(self, spent: Spent) -> "Machine":
        """With what one more run took; half of what was known is remembered, so that one odd run
        misleads for a short time.
        """
        step = spent.fit / spent.steps
        steps = {name: mixed(self.seconds_a_step.get(name), step) for name in {"", spent.methods}}
        cells = {
            name: mixed(self.seconds_a_cell.get(name), value) for name, value in spent.cells.items()
        }
        reckoned = self.model_copy(update={"seconds_a_cell": self.seconds_a_cell | cells}).reckoned(
            spent.tuned
        )
        tuning = (
            {
                name: mixed(self.tuning.get(name), spent.tune / reckoned)
                for name in {"", spent.tunes}
            }
            if reckoned
            else {}
        )
        known = self.runs > 0
        return self.model_copy(
            update={
                "seconds_a_cell": self.seconds_a_cell | cells,
                "seconds_a_step": self.seconds_a_step | steps,
                "tuning": self.tuning | tuning,
                "seconds_a_number": mixed(
                    self.seconds_a_number if known else None, spent.prepare / spent.numbers
                ),
                "seconds_a_draw": mixed(
                    self.seconds_a_draw if known else None, spent.evaluate / spent.draws
                ),
                "other": mixed(self.other if known else None, spent.other),
                "base_mb": max(1.0, spent.base_mb, 0.9 * self.base_mb if known else 0.0),
                "memory_mb": memory_mb(),
                "runs": self.runs + 1,
            }
        )


def mixed(old: float | None, new: float) -> float:
    new = max(new, TINY)
    return (old * new) ** 0.5 if old else new


def memory_mb() -> float | None:
    """What this process may take: the container's limit where there is one, else the machine's
    memory.
    """
    found = []
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            found.append(int(Path(name).read_text()))
        except (OSError, ValueError):
            continue
    with suppress(ValueError, OSError, AttributeError):
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return min(found) / 2**20 if found else None


def forget_peak() -> None:
    """From here on `peak_mb` counts anew, where the system can do so (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak_mb() -> float:
    """The most memory that this process has held, in MB."""
    import resource
    import sys

    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
    except (OSError, StopIteration):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (2**20 if sys.platform == "darwin" else 1024)
