"""`python -m bench [name ...]`: each measure in a process of its own, with the machine's load
before and after it.

--small     a cut of the demo study stands in for the real one: shows that a measure works, not what
it would find --folder    keep what the measures make in this folder and use it again (a temporary
one otherwise)
"""

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from .rows import Place, Row, as_table
from .servers import environment
from .study import ROOT, real_study

MEASURES = {
    "demo": "make demo from a fresh clone",
    "embedding": "reading by frozen encoders, and the cache of their vectors",
    "engine": "training on the study by command",
    "search": "the search recipe on the study by command",
    "generalise": "people it has not met, and inputs with noise",
    "evaluation": "evaluation alone, by command",
    "space": "the fused representation of the test samples",
    "estimate": "what a run takes against what was told before it",
    "import_study": "import of the study",
    "pages": "pages of the study's project",
    "browse": "samples of a large project",
    "memory": "processes and their memory",
}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names", nargs="*", choices=[[], *MEASURES], metavar="name", help=", ".join(MEASURES)
    )
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--inside", metavar="FILE", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        inside(options.names[0], Place(options.folder, options.small), options.inside)
        return
    with tempfile.TemporaryDirectory(prefix="consilience-bench-") as temporary:
        folder = (options.folder or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        say_where(options.small)
        for name in options.names or MEASURES:
            outside(name, Place(folder, options.small))


def say_where(small: bool) -> None:
    study = (
        "a cut of the demo study (--small)"
        if small
        else real_study() or "a cut of the demo study: spoken-digits is not on this machine"
    )
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; "
        f"study: {getattr(study, 'name', study)}"
    )


def outside(name: str, place: Place) -> None:
    before, started = os.getloadavg()[0], time.monotonic()
    answer = place.folder / f"{name}.json"
    answer.unlink(missing_ok=True)
    command = [
        sys.executable,
        "-m",
        "bench",
        name,
        "--folder",
        str(place.folder),
        "--inside",
        str(answer),
        *(["--small"] if place.small else []),
    ]
    ended = subprocess.run(
        command, cwd=ROOT, env=environment(place.folder / "home"), stdout=sys.stderr
    ).returncode
    load = (
        f"load {before:.1f} before, {os.getloadavg()[0]:.1f} after; took "
        f"{time.monotonic() - started:.0f} s"
    )
    print(f"\n== {name}: {MEASURES[name]} ({load})", flush=True)
    rows = [Row(**row) for row in json.loads(answer.read_text())] if answer.exists() else []
    print(
        as_table(rows) if not ended else f"failed (exit code {ended}); its last words are above",
        flush=True,
    )


def inside(name: str, place: Place, answer: Path) -> None:
    rows: list[Row] = importlib.import_module(f"bench.{name}").measure(place)
    answer.write_text(json.dumps([asdict(row) for row in rows]))


if __name__ == "__main__":
    main()
