"""A study folder into an empty installation, by the same code as the page: seconds until its
versions can be browsed, and memory.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .rows import Place, Row, fact, under
from .servers import consilience, environment
from .study import ROOT, study_of

SECONDS, MEGABYTES = 20, 600


def measure(place: Place) -> list[Row]:
    study = study_of(place)
    with tempfile.TemporaryDirectory(prefix="consilience-import-") as folder:
        home = Path(folder)
        consilience(home, "setup")
        child = subprocess.run(
            [sys.executable, "-m", "bench.import_study", str(study)],
            cwd=ROOT,
            env=environment(home, CONSILIENCE_WORKER="1"),
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
    seconds, rows, worker_mb, child_mb = (float(part) for part in child.stdout.split()[-4:])
    return [
        Row("study", f"{study.name}, {rows:,.0f} rows"),
        under("import until browsable", seconds, SECONDS, "s"),
        under("memory of the importing process, peak", worker_mb, MEGABYTES, "MB"),
        fact("memory of the largest process that decodes files, peak", child_mb, "MB"),
    ]


def main(study: Path) -> None:
    """In a fresh home and a process of its own: seconds, rows, MB of this process, MB of its
    largest child.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilience.settings")
    import django

    django.setup()
    from apps.accounts.services import create_user
    from apps.datasets.ingest.folder import import_folder
    from apps.projects.services import create_project
    from fusion.core.progress import Progress

    owner = create_user("bench@example.org", "Bench", "a long password of no use")
    project = create_project(owner, "Bench", "Measure the import.")
    started = time.monotonic()
    imported = import_folder(project, owner, study, Progress())
    seconds = time.monotonic() - started
    rows = sum(version.n_rows for version in imported.versions)
    own, child = (
        resource.getrusage(who).ru_maxrss / 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(f"{seconds:.2f} {rows} {own:.0f} {child:.0f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
