"""What the running product takes: all processes idle, the web process after many pages, and what it
must never have imported.
"""

import http.client
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .home import Filled, filled
from .rows import Place, Row, under
from .servers import consilience, environment, family, get, megabytes, running, until
from .study import ROOT

IDLE, SEQUENCE, CROWD = 250, 160, 190
CLIENTS, PAGES = 10, 100
PROCESSES = 7
"""Supervisor, web, two workers with a child each, scheduler."""
HEAVY = ("torch", "transformers", "sklearn", "scipy", "pyarrow")


def measure(place: Place) -> list[Row]:
    return [*idle(), *busy(filled(place))]


def idle() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="consilience-idle-") as folder:
        consilience(Path(folder), "setup")
        with running(Path(folder), "up") as (process, _port):
            until(lambda: len(family(process.pid)) >= PROCESSES, 30)
            time.sleep(3)
            shares = [megabytes(pid, "smaps_rollup", "Pss") for pid in family(process.pid)]
    return [under(f"idle product, {len(shares)} processes (PSS)", sum(shares), IDLE, "MB")]


def busy(home: Filled) -> list[Row]:
    paths = list(home.pages.values())
    with running(home.home, "up") as (process, port):
        web = family(process.pid)[1]
        read(port, home.session, paths, PAGES)
        sequence = megabytes(web, "status", "VmRSS")
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(lambda _: read(port, home.session, paths, PAGES // 2), range(CLIENTS)))
        crowd = megabytes(web, "status", "VmRSS")
        mapped = Path(f"/proc/{web}/maps").read_text()
    found = [name for name in HEAVY if f"/{name}/" in mapped]
    imported = imported_by_web(home)
    return [
        under(
            f"web process after {PAGES} pages, one after the other (RSS)", sequence, SEQUENCE, "MB"
        ),
        under(f"web process after {CLIENTS} clients at once (RSS)", crowd, CROWD, "MB"),
        Row("heavy libraries imported to serve every page", named(imported), "none", not imported),
        Row("heavy libraries mapped into the web process", named(found), "none", not found),
    ]


def named(names: list[str]) -> str:
    return ", ".join(names) or "none"


def read(port: int, session: str, paths: list[str], count: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    for turn in range(count):
        status, _body = get(connection, paths[turn % len(paths)], session)
        if status != 200:
            raise RuntimeError(f"{paths[turn % len(paths)]} answered {status}")


def imported_by_web(home: Filled) -> list[str]:
    """What has been imported when the server's application has served every page."""
    command = [sys.executable, "-m", "bench.memory", home.session, *home.pages.values()]
    served = subprocess.run(
        command, cwd=ROOT, env=environment(home.home), stdout=subprocess.PIPE, check=True, text=True
    )
    return served.stdout.split()


def main(session: str, paths: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilience.settings")
    from consilience.asgi import wsgi

    for path in paths:
        serve(wsgi, path, session)
    print(*(name for name in HEAVY if name in sys.modules))


def serve(application: Callable[..., Iterable[bytes]], path: str, session: str) -> None:
    status: list[str] = []
    request = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "HTTP_COOKIE": f"session={session}",
    }
    request |= {"wsgi.input": io.BytesIO(), "wsgi.url_scheme": "http", "wsgi.errors": sys.stderr}
    b"".join(application(request, lambda line, *_rest: status.append(line)))
    if not status[0].startswith("200"):
        raise RuntimeError(f"{path} answered {status[0]}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
