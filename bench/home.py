"""A home with the study in it, a finished run, a review and a discussion: what pages are measured
on. Made once a call.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .rows import Place
from .servers import consilience, environment
from .study import ROOT, study_of

ABOUT = "bench.json"


@dataclass(frozen=True)
class Filled:
    home: Path
    session: str
    pages: dict[str, str]


def filled(place: Place) -> Filled:
    home = place.folder / "home"
    if not (home / ABOUT).exists():
        shutil.rmtree(home, ignore_errors=True)  # one that was left half filled
        consilience(home, "setup")
        share_embeddings(place.folder / "embeddings", home)
        more = environment(home, CONSILIENCE_WORKER="1")
        subprocess.run(
            [sys.executable, "-m", "bench.home", str(study_of(place)), str(home)],
            cwd=ROOT,
            env=more,
            check=True,
        )
    about = json.loads((home / ABOUT).read_text())
    return Filled(home, about["session"], about["pages"])


def share_embeddings(folder: Path, home: Path) -> None:
    """What the engine's measure has embedded already is not embedded again."""
    folder.mkdir(exist_ok=True)
    if not (home / "embeddings").exists():
        (home / "embeddings").symlink_to(folder)


def main(study: Path, home: Path) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilience.settings")
    import django

    django.setup()
    from django.test import Client

    from apps.accounts.services import create_user
    from apps.projects.services import create_project

    owner = create_user("bench@example.org", "Bench Owner", "a long password of no use")
    project = create_project(owner, "Bench", "Recognise a digit, also when a modality is missing.")
    pages = work(owner, project, study)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(owner)
    (home / ABOUT).write_text(
        json.dumps({"session": client.cookies["session"].value, "pages": pages})
    )


def work(owner: object, project: object, study: Path) -> dict[str, str]:
    """The main job, done in this process; returns the pages that show it."""
    from django.urls import reverse

    from apps.datasets.ingest.folder import import_folder
    from apps.discussions.models import Thread
    from apps.discussions.services import open_thread
    from apps.experiments.models import Run
    from apps.experiments.services import start_run
    from apps.jobs.work import perform
    from apps.registry.services import register_run
    from apps.reviews.services import propose
    from fusion.core.progress import Progress
    from fusion.schema.recipe import presets

    imported = import_folder(project, owner, study, Progress())
    alignment = project.alignments.get()
    perform(str(alignment.job_id))
    alignment.refresh_from_db()
    run = start_run(owner, project, alignment, presets()["quick"], "Does joining help?")
    perform(str(run.job_id))
    run = Run.objects.select_related("job", "project").get(pk=run.pk)
    version = register_run(
        owner,
        run,
        "Reader",
        "Tells the digit.",
        {"meant_for": "Measuring.", "not_for": "Anything else.", "limits": "None known."},
    )
    review = propose(
        owner,
        version,
        "It is better than one modality.",
        dict.fromkeys(project.disciplines.all(), owner),
    )
    odd = run.evaluation.disagreements[0]
    open_thread(owner, project, Thread.Anchor.SAMPLE, odd.key, odd.key, "What is this?")
    open_thread(
        owner, project, Thread.Anchor.RUN, str(run.number), run.title, "Look at the calibration."
    )
    widest = max(
        imported.versions,
        key=lambda one: one.n_rows * ("image" in {column["kind"] for column in one.columns}),
    )
    names = {
        "home": ("home",),
        "project": ("projects:overview", project.slug),
        "data sets": ("datasets:list", project.slug),
        "data set": ("datasets:dataset", project.slug, widest.dataset.slug),
        "samples": ("workspace:samples", project.slug),
        "one sample": ("workspace:sample", project.slug, odd.key),
        "alignment": ("datasets:alignment", project.slug, alignment.number),
        "runs": ("experiments:runs", project.slug),
        "run": ("experiments:run", project.slug, run.number),
        "model version": ("registry:version", project.slug, version.model.slug, version.number),
        "review": ("reviews:review", project.slug, review.number),
    }
    return {name: reverse(route, args=arguments) for name, (route, *arguments) in names.items()}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
