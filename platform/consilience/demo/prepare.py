"""Slow steps that need no database, done on the second core while the rest is set up: the demo's
files, their vectors, and the self-tests of the encoders.

Whoever needs one of both waits for its lock; where this never ran, the demo makes them itself.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from consilience.environment import HOME

from .ledger import FULL, ledger

FOLDER = HOME / "demo"


@contextmanager
def turn(name: str) -> Iterator[None]:
    """One process at a time; the lock goes with the process that holds it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main() -> None:
    with turn("vectors"):
        with turn("files"):
            folder = ledger(FOLDER, FULL)
        from fusion.core.progress import Progress
        from fusion.data.study import Study
        from fusion.data.study_columns import align
        from fusion.encoders.cache import Cache
        from fusion.encoders.embedding import embed

        embed(align(Study.load(folder)), None, Cache(HOME / "embeddings"), Progress())
    from fusion.encoders import catalogue, installed

    for entry in catalogue.entries(tiny=False):
        if entry.installed and entry.check is None:
            installed.check(entry)


if __name__ == "__main__":
    main()
