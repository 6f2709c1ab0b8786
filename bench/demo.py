"""A fresh clone, `make demo` until the sign-in page answers, Ctrl-C, and the second start. Nothing
is taken from a package cache.
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from .rows import Place, Row, fact, under
from .servers import environment, free_port, status_of, until
from .study import ROOT

STEP = re.compile(r"^\[\d/\d\] (.+?): .*\((\d+\.\d) s\)$")
FIRST, SECOND, STOP = 120, 5, 5


def measure(place: Place) -> list[Row]:
    folder = Path(tempfile.mkdtemp(prefix="consilience-demo-"))
    try:
        subprocess.run(["git", "clone", "--quiet", ROOT, folder / "consilience"], check=True)
        first, steps, stop = start(folder)
        second, _, _ = start(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    rows = [under("make demo, fresh clone, until the page answers", first, FIRST, "s")]
    rows += [fact(f"  {name}", seconds, "s") for name, seconds in steps]
    return [
        *rows,
        under("Ctrl-C until all has ended", stop, STOP, "s"),
        under("second start", second, SECOND, "s"),
    ]


def start(folder: Path) -> tuple[float, list[tuple[str, float]], float]:
    """Seconds until it answers, the steps with theirs, seconds until it has ended."""
    port, output = free_port(), folder / "output.txt"
    caches = {
        "PIP_NO_CACHE_DIR": "1",
        "XDG_CACHE_HOME": str(folder / "cache"),
        "npm_config_cache": str(folder / "npm"),
    }
    clean = environment(folder / "none", **caches)
    for name in ("CONSILIENCE_HOME", "PYTHONPATH", "VIRTUAL_ENV", "OMP_NUM_THREADS"):
        clean.pop(name, None)
    begun = time.monotonic()
    with output.open("w") as file:
        command = ["make", "demo", f"PORT={port}"]
        process = subprocess.Popen(
            command, cwd=folder / "consilience", env=clean, stdout=file, start_new_session=True
        )
        until(lambda: status_of(port, "/accounts/login/") == 200, 1800, process)
        seconds = time.monotonic() - begun
        time.sleep(3)  # a person looks before stopping it
        return seconds, steps_of(output), stopped(process)


def steps_of(output: Path) -> list[tuple[str, float]]:
    found = (STEP.match(line) for line in output.read_text().splitlines())
    return [(match[1], float(match[2])) for match in found if match]


def stopped(process: subprocess.Popen[bytes]) -> float:
    begun = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    process.wait(30)
    return time.monotonic() - begun
