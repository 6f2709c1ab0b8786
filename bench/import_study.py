"""Seconds and memory of a study's import until its versions can be browsed: `python bench/import_study.py FOLDER [--web]`.

--web goes the way of a browser: the folder as one zip, the check job, then the import job, in this process.
Prints one JSON line. The home folder is a temporary one.
"""

# ruff: noqa: E402  Django must be set up in its temporary home before anything of it is imported
import json
import os
import resource
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

os.environ["CONSILIENCE_HOME"] = tempfile.mkdtemp(prefix="consilience-bench-")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilience.settings_test")
os.environ.setdefault("CONSILIENCE_WORKER", "1")

import django

django.setup()

from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.management import call_command

from apps.accounts.models import User
from apps.datasets import upload_services
from apps.datasets.ingest.folder import import_folder
from apps.datasets.models import Upload, Version
from apps.datasets.receive import receive_file
from apps.jobs.work import perform
from apps.projects.models import Project
from apps.projects.services import create_project
from fusion.progress import Progress


def zipped(folder: Path) -> TemporaryUploadedFile:
    file = TemporaryUploadedFile("study.zip", "application/zip", 0, None)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder))
    file.flush()
    file.size = Path(file.temporary_file_path()).stat().st_size
    return file


def by_folder(project: Project, owner: User, folder: Path) -> Callable[[], object]:
    return lambda: import_folder(project, owner, folder, Progress())


def by_web(project: Project, owner: User, folder: Path) -> Callable[[], object]:
    upload = upload_services.begin_upload(owner, project, Upload.Source.STUDY)
    with zipped(folder) as file:
        receive_file(owner, upload, "study.zip", file)

    def run() -> None:
        perform(str(upload_services.start_check(owner, upload).pk))
        perform(str(upload_services.start_import(owner, upload).pk))
        upload.refresh_from_db()
        if upload.state != Upload.State.DONE:
            raise SystemExit(upload.check_job.error or upload.import_job.error)

    return run


def main() -> None:
    folder = Path(sys.argv[1])
    call_command("migrate", verbosity=0, skip_checks=True)
    owner = User.objects.create_user("bench@example.org", "a long password", name="Bench")
    project = create_project(owner, "Bench", "Measure the import.")
    run = (by_web if "--web" in sys.argv else by_folder)(project, owner, folder)
    started = time.monotonic()
    run()
    seconds = time.monotonic() - started
    rows = sum(Version.objects.values_list("n_rows", flat=True))
    worker, children = (resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    found = {"import_seconds": round(seconds, 1), "rows": rows, "worker_mb": round(worker), "largest_child_mb": round(children)}
    print(json.dumps(found | {"load": round(os.getloadavg()[0], 2)}))  # noqa: T201 (a command's answer)


if __name__ == "__main__":
    main()
