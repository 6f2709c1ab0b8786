"""A study folder that lies on this machine, imported without a browser: the same reading, checking
and writing.
"""

import shutil
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.accounts.models import User
from apps.datasets.models import Alignment, Version
from apps.projects.events import record
from apps.projects.models import Project
from fusion.core.progress import Progress
from fusion.data.tables.media_files import MediaFiles

from .alignment import draft_alignment
from .duplicates import flag_duplicates
from .findings import as_json
from .media import Inspections, look_at
from .plan import plan_for_folder
from .store import Target, commit, store


@dataclass
class Imported:
    """An imported study; `alignment` is words where it could not be made, None where study.yaml
    asks for none.
    """

    versions: list[Version]
    groups: list[dict[str, Any]]
    alignment: Alignment | str | None = None


def import_folder(project: Project, actor: User, folder: Path, progress: Progress) -> Imported:
    """Raises apps.jobs.work.Failure in words; then nothing of the project has changed."""
    place = Path(tempfile.mkdtemp(dir=settings.FILE_UPLOAD_TEMP_DIR))
    try:
        progress.stage("read")
        plan = plan_for_folder(folder, MediaFiles(folder=folder), progress.check)
        imported = Imported([], [])
        with Inspections(place) as inspections:
            progress.stage("inspect")
            look_at(plan.drafts, inspections, plan.findings, progress)
            flag_duplicates(plan.drafts, plan.findings)
            imported.groups = as_json(plan.findings)
            progress.stage("store")
            stored = store(plan, inspections, place, progress)
        progress.stage("write")
        finish = partial(end, plan.spec, project, actor, imported)
        imported.versions = commit(
            plan, stored, Target(project, actor), fence=no_fence, finish=finish
        )
        return imported
    finally:
        shutil.rmtree(place, ignore_errors=True)


def no_fence() -> None:
    """A command has no other attempt."""


def end(
    spec: Any, project: Project, actor: User, imported: Imported, versions: list[Version]
) -> None:
    if spec.alignment:
        imported.alignment = draft_alignment(spec, project, actor, versions)
    record(
        project,
        actor,
        "study.imported",
        "project",
        project.slug,
        spec.title or spec.name,
        versions=len(versions),
    )
