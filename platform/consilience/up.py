"""`consilience up`: web, workers and scheduler of one machine under one supervisor.

The parent loads Django once and forks, so the processes share its memory. What dies is started
again; Ctrl-C or TERM ends all within five seconds: TERM first, and after 3.5 s SIGKILL to whatever
is left (a worker's leases are ended at the next start).
"""

import argparse
import ctypes
import fcntl
import gc
import logging
import os
import signal
import socket
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn

GRACE_SECONDS = 3.5
STABLE_SECONDS = 30
LONGEST_PAUSE = 10.0
SWEEP_SECONDS = 3
M_ARENA_MAX = -8
"""Of glibc's malloc.h."""
WORKER_OPTIONS = (
    "--concurrency=1",
    "--without-gossip",
    "--without-mingle",
    "--without-heartbeat",
    "--loglevel=WARNING",
)


class StartRefused(Exception):
    """The reason why it cannot start, in words."""


@dataclass
class Child:
    """One supervised process, and when it may be started again."""

    name: str
    work: Callable[[], None]
    pid: int = 0
    started: float = 0.0
    due: float = 0.0
    deaths: int = 0

    def start(self) -> None:
        self.started = time.monotonic()
        self.pid = os.fork()
        if not self.pid:
            _become(self)

    def bury(self, status: int) -> None:
        """Its group may hold a pool process that outlived it; the next start waits longer the
        oftener it died.
        """
        _kill_group(self.pid, signal.SIGKILL)
        lived = time.monotonic() - self.started
        self.deaths = 1 if lived > STABLE_SECONDS else self.deaths + 1
        pause = min(LONGEST_PAUSE, 0.25 * 2**self.deaths) if self.deaths > 1 else 0.0
        self.pid, self.due = 0, time.monotonic() + pause
        _say(
            f"{self.name} ended ({_reason(status)}); starting it "
            f"again{f' in {pause:.1f} s' if pause else ''}"
        )


class Supervisor:
    def __init__(self, children: list[Child]) -> None:
        self.children = children
        self.stopping = False

    def run(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop)
        while not self.stopping:
            now = time.monotonic()
            for child in self.children:
                if not child.pid and child.due <= now:
                    child.start()
            time.sleep(0.2)
            self._reap()
        self.end()

    def _stop(self, *_: object) -> None:
        self.stopping = True

    def _reap(self) -> None:
        for child in self.children:
            if child.pid:
                pid, status = os.waitpid(child.pid, os.WNOHANG)
                if pid and not self.stopping:
                    child.bury(status)
                elif pid:
                    child.pid = 0

    def end(self) -> None:
        groups = [child.pid for child in self.children if child.pid]
        for pid in groups:
            _kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while any(child.pid for child in self.children) and time.monotonic() < deadline:
            time.sleep(0.05)
            self._reap()
        for pid in groups:
            _kill_group(pid, signal.SIGKILL)


def _become(child: Child) -> NoReturn:
    """Be this process from here on, in a session of its own: Ctrl-C reaches the supervisor alone,
    which ends all in order.
    """
    code = 1
    try:
        os.setsid()
        _die_with_parent()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        child.work()
        code = 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _die_with_parent() -> None:
    """End, on Linux, with the supervisor when that is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _kill(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _kill_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _reason(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"killed by signal {os.WTERMSIG(status)}"
    return f"exit code {os.waitstatus_to_exitcode(status)}"


def _say(text: str) -> None:
    print(text, flush=True)


def web(listener: socket.socket) -> None:
    import uvicorn

    glibc(
        "mallopt", M_ARENA_MAX, 1
    )  # threads that take turns at Python gain nothing from an arena each
    config = uvicorn.Config(
        "consilience.asgi:application",
        log_level="warning",
        timeout_graceful_shutdown=3,
        server_header=False,
        date_header=False,
        ws="none",
    )
    uvicorn.Server(config).run(sockets=[listener])


def glibc(name: str, *values: int) -> None:
    """A function of glibc's malloc.h; nothing where the C library is another."""
    function = getattr(ctypes.CDLL(None), name, None)
    if function:
        function(*values)


def worker(queue: str) -> None:
    """A worker of one queue. Its commits need not reach the disk one by one: what is lost at a
    power cut is done again.
    """
    from django.conf import settings

    from .celery import app
    from .environment import database

    quick = database(settings.DATABASE_URL, durable=False)
    settings.DATABASES["default"]["OPTIONS"].update(quick.get("OPTIONS", {}))
    warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")
    app.worker_main(
        [
            "--quiet",
            "worker",
            "--queues",
            queue,
            "--hostname",
            f"{queue}@{socket.gethostname()}",
            *WORKER_OPTIONS,
        ]
    )


def scheduler() -> None:
    """Brings lost jobs back and clears ended sessions. A loop, not a Celery task, which would wait
    behind the training.
    """
    from django.core.management import call_command
    from django.db import Error, close_old_connections

    from apps.jobs.services import sweep

    logger, cleared = logging.getLogger(__name__), 0.0
    while True:
        close_old_connections()
        try:
            sweep()
            if time.monotonic() - cleared > 3_600:
                call_command("clearsessions")
                cleared = time.monotonic()
        except (Error, OSError):  # the database or the broker is away for a moment
            logger.exception("The sweep failed; trying again")
        time.sleep(SWEEP_SECONDS)


def load() -> None:
    """Everything that a child would import, once, before the forks."""
    import django

    django.setup()
    import celery.apps.worker
    import celery.concurrency.prefork
    import celery.worker.consumer  # noqa: F401
    import uvicorn.lifespan.on
    import uvicorn.protocols.http.auto  # noqa: F401
    from django.conf import settings
    from django.urls import get_resolver

    from . import asgi, broker  # noqa: F401

    if settings.REDIS_URL:
        import kombu.transport.redis  # noqa: F401
    get_resolver().url_patterns  # noqa: B018  reading it imports every app's views


def tidy() -> None:
    """Free at once what this machine's workers held before."""
    from django.db import connections

    from apps.jobs.services import end_leases_of_host

    freed = end_leases_of_host()
    if freed:
        _say(f"{freed} unfinished jobs go on from where they were")
    connections.close_all()


def lock(home: Path) -> IO[str]:
    """Held while any process of this home lives; two supervisors on one home would end each other's
    leases.
    """
    home.mkdir(parents=True, exist_ok=True)
    file = (home / "up.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        raise StartRefused(
            f"Consilience runs already on {home} (process {file.read().strip() or 'unknown'}). "
            "Stop that one first."
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # TCP by name: without it asyncio leaves Nagle on, and every page on a kept connection waits 40
    # ms
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        raise StartRefused(
            f"Port {port} of {host} cannot be used ({error.strerror}). Choose another one, for "
            f"instance --port {port + 1}."
        ) from error
    listener.listen(256)
    return listener


def run(host: str, port: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilience.settings")
    os.environ.setdefault(
        "CONSILIENCE_SITE_URL",
        f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}",  # noqa: S104
    )
    os.environ["CONSILIENCE_BIND"] = host
    os.environ["CELERY_SKIP_CHECKS"] = (
        "1"  # the checks load every template and cost 40 MB in each worker
    )
    os.environ.setdefault("OMP_NUM_THREADS", os.environ.get("CONSILIENCE_TORCH_THREADS", "1"))
    from .environment import HOME

    home_lock = lock(HOME)
    listener = listen(host, port)
    load()
    tidy()
    gc.collect()
    glibc("malloc_trim", 0)
    gc.freeze()
    children = [
        Child("web", lambda: web(listener)),
        Child("worker for imports", lambda: worker("default")),
        Child("worker for training", lambda: worker("cpu")),
        Child("scheduler", scheduler),
    ]
    _say(f"Consilience answers at {os.environ['CONSILIENCE_SITE_URL']}/   (Ctrl-C stops it)")
    Supervisor(children).run()
    home_lock.close()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="consilience up", description="Run web, workers and scheduler on this machine."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args(arguments)
    try:
        run(options.host, options.port)
    except StartRefused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0
