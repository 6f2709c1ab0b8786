"""The supervisor of one machine: it brings back what dies, refuses what cannot work, and stops in
time.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the supervisor forks")


def command(home: Path, *arguments: str) -> subprocess.Popen:
    clean = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"}
    }
    place = {**clean, "CONSILIENCE_HOME": str(home), "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}"}
    return subprocess.Popen(
        [sys.executable, "-m", "consilience.command", *arguments],
        env=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def answers(port: int) -> bool:
    """Whether the web process serves: a stranger on the live route is told to sign in."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/live/", timeout=3)
    except urllib.error.HTTPError as error:
        return error.code == 401
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
    raise AssertionError("a stranger got a stream")


def wait(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def children(pid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def family(pid: int) -> list[int]:
    return [pid, *(member for child in children(pid) for member in family(child))]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("up")
    process = command(home, "setup")
    assert process.wait(60) == 0, process.stdout.read()
    return home


@pytest.fixture
def running(home: Path) -> Iterator[tuple[subprocess.Popen, int]]:
    port = free_port()
    process = command(home, "up", "--port", str(port))
    try:
        wait(lambda: answers(port) or process.poll() is not None)
        assert process.poll() is None, process.stdout.read()
        yield process, port
    finally:
        process.terminate()
        process.wait(10)


def test_every_process_that_is_killed_comes_back(running: tuple[subprocess.Popen, int]) -> None:
    process, port = running
    wait(lambda: len(children(process.pid)) == 4)
    before = children(process.pid)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait(lambda: len(set(children(process.pid)) - set(before)) == 4)
    wait(lambda: answers(port))


def test_it_stops_by_itself_and_leaves_nothing_behind(
    running: tuple[subprocess.Popen, int],
) -> None:
    process, port = running
    wait(lambda: len(family(process.pid)) == 7)
    everybody = family(process.pid)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    wait(lambda: not any(Path(f"/proc/{pid}").exists() for pid in everybody[1:]))
    assert not answers(port)


def test_a_second_one_on_the_same_home_is_refused(
    running: tuple[subprocess.Popen, int], home: Path
) -> None:
    second = command(home, "up", "--port", str(free_port()))
    assert second.wait(20) == 1
    assert f"process {running[0].pid}" in second.stdout.read()


def test_a_port_that_is_taken_is_named_with_a_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        process = command(tmp_path, "up", "--port", str(port))
        assert process.wait(20) == 1
    assert f"--port {port + 1}" in process.stdout.read()


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="PSS is read from /proc")
def test_the_idle_product_comes_to_rest_under_250_mb(
    running: tuple[subprocess.Popen, int],
) -> None:
    process, _port = running
    wait(lambda: len(family(process.pid)) == 7)
    wait(lambda: 0 < sum(map(proportional_kb, family(process.pid))) / 1024 < 250)


def proportional_kb(pid: int) -> int:
    """Return the memory of a process with its share of shared pages, in kB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
