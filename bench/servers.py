"""Processes of the product, started in a home of their own, and what they take."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .study import ROOT

OUTSIDE = (
    "DATABASE_URL",
    "REDIS_URL",
    "STORAGE_URL",
    "DJANGO_SETTINGS_MODULE",
    "CONSILIENCE_HOME",
    "CONSILIENCE_WORKER",
    "VENV",
    "MAKEFLAGS",
)


def environment(home: Path, **more: str) -> dict[str, str]:
    """The embedded default in this home, whatever the caller's shell says."""
    clean = {name: value for name, value in os.environ.items() if name not in OUTSIDE}
    paths = {"CONSILIENCE_HOME": str(home), "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}"}
    return clean | paths | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"} | more


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def consilience(home: Path, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "consilience.command", *arguments],
        env=environment(home),
        cwd=ROOT,
        check=True,
    )


@dataclass(frozen=True)
class Ended:
    """A command that has ended: its JSON object, seconds, seconds of CPU, MB at the most."""

    result: dict[str, Any]
    wall: float
    cpu: float
    peak_mb: float


def fusion(home: Path, *words: str) -> Ended:
    """`python -m fusion WORDS` in a process of its own."""
    begun = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "fusion", *words],
        cwd=ROOT,
        env=environment(home),
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"fusion {words[0]} ended with exit code {process.returncode}.")
    wall = time.monotonic() - begun
    return Ended(
        json.loads(output.splitlines()[-1]),
        wall,
        used.ru_utime + used.ru_stime,
        used.ru_maxrss / 1024,
    )


@contextmanager
def running(home: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """`consilience ARGUMENTS --port ...` on a free port, answering; stopped at the end."""
    port = free_port()
    command = [sys.executable, "-m", "consilience.command", *arguments, "--port", str(port)]
    process = subprocess.Popen(command, env=environment(home), cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        until(lambda: status_of(port, "/accounts/login/") == 200, 60, process)
        yield process, port
    finally:
        process.terminate()
        process.wait(15)


def until(
    condition: Callable[[], bool], seconds: float, process: subprocess.Popen[bytes] | None = None
) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if process and process.poll() is not None:
            raise RuntimeError(f"It ended with exit code {process.returncode} before it answered.")
        if time.monotonic() > deadline:
            raise TimeoutError(f"Nothing answered within {seconds:.0f} s.")
        time.sleep(0.05)


def status_of(port: int, path: str) -> int | None:
    try:
        return get(http.client.HTTPConnection("127.0.0.1", port, timeout=5), path, "")[0]
    except (OSError, http.client.HTTPException):
        return None


def get(connection: http.client.HTTPConnection, path: str, session: str) -> tuple[int, bytes]:
    connection.request("GET", path, headers={"Cookie": f"session={session}"} if session else {})
    response = connection.getresponse()
    return response.status, response.read()


def family(pid: int) -> list[int]:
    """The process and all that descend from it, itself first."""
    parents: dict[int, list[int]] = {}
    for place in Path("/proc").iterdir():
        if place.name.isdigit() and (parent := parent_of(place)) is not None:
            parents.setdefault(parent, []).append(int(place.name))
    found = [pid]
    for member in found:
        found += sorted(parents.get(member, []))
    return found


def parent_of(place: Path) -> int | None:
    try:
        return int((place / "stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None


def megabytes(pid: int, file: str, name: str) -> float:
    """A figure of /proc in MB: `status` has VmRSS and VmHWM (its peak), `smaps_rollup` has Pss."""
    lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024
