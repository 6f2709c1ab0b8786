"""Time and queries of each page of a project with the study in it: one client on a kept connection,
the server as it is run.
"""

import http.client
import os
import statistics
import subprocess
import sys
import time

from .home import Filled, filled
from .rows import Place, Row
from .servers import environment, get, running
from .study import ROOT

MILLISECONDS, QUERIES, TURNS = 100, 25, 20


def measure(place: Place) -> list[Row]:
    home = filled(place)
    with running(home.home, "serve") as (_process, port):
        times = {name: median_ms(port, path, home.session) for name, path in home.pages.items()}
    counted = queries(home)
    return [row(name, times[name], counted[name]) for name in home.pages]


def row(name: str, milliseconds: float, queries: int) -> Row:
    met = milliseconds < MILLISECONDS and queries <= QUERIES
    return Row(
        name,
        f"{milliseconds:6.1f} ms, {queries:2d} queries",
        f"under {MILLISECONDS} ms, at most {QUERIES}",
        met,
    )


def median_ms(port: int, path: str, session: str) -> float:
    """Of 20 after the first; what the client takes is in it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    times = []
    for _turn in range(TURNS + 1):
        started = time.perf_counter()
        status, _body = get(connection, path, session)
        times.append(1000 * (time.perf_counter() - started))
        if status != 200:
            raise RuntimeError(f"{path} answered {status}")
    return statistics.median(times[1:])


def queries(home: Filled) -> dict[str, int]:
    """In a process of its own: Django can be set up in one home only."""
    command = [sys.executable, "-m", "bench.pages", home.session, *home.pages.values()]
    counted = subprocess.run(
        command, cwd=ROOT, env=environment(home.home), stdout=subprocess.PIPE, check=True, text=True
    )
    return dict(zip(home.pages, (int(part) for part in counted.stdout.split())))


def main(session: str, paths: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilience.settings")
    import django

    django.setup()
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(SERVER_NAME="127.0.0.1", raise_request_exception=True)
    client.cookies["session"] = session
    for path in paths:
        client.get(path)
        with CaptureQueriesContext(connection) as captured:
            client.get(path)
        print(len(captured))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
