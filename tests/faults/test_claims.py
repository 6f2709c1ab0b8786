"""Four processes want the same jobs: each job goes to one of them, on both databases."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("claims.py")
JOBS = 200


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of an installation of its own."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "DJANGO_SETTINGS_MODULE"}
    }
    place = {**clean, "CONSILIENCE_HOME": str(tmp_path), "CONSILIENCE_WORKER": "1"}
    if request.param == "sqlite":
        yield place
    else:
        yield from on_postgresql(place)


def on_postgresql(place: dict[str, str]) -> Iterator[dict[str, str]]:
    import psycopg2

    url, name = os.environ.get("TEST_DATABASE_URL", ""), f"claims_{uuid.uuid4().hex[:8]}"
    try:
        server = psycopg2.connect(url) if url else None
    except psycopg2.OperationalError:
        server = None
    if server is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "No PostgreSQL: name one in TEST_DATABASE_URL."
        )
    server.autocommit = True
    server.cursor().execute(f"CREATE DATABASE {name}")
    yield {**place, "DATABASE_URL": f"{url.rsplit('/', 1)[0]}/{name}"}
    server.cursor().execute(f"DROP DATABASE {name} WITH (FORCE)")
    server.close()


def test_every_job_is_claimed_exactly_once(place: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity=0"], env=place, check=True
    )
    subprocess.run([sys.executable, str(SCRIPT), "make", str(JOBS)], env=place, check=True)
    racers = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), "claim"], env=place, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    claimed = [line for racer in racers for line in racer.communicate(timeout=120)[0].split()]
    assert all(racer.returncode == 0 for racer in racers)
    assert len(claimed) == len(set(claimed)) == JOBS
