"""`manage.py import_study PROJECT FOLDER`: a study folder on this machine into a project, without a
browser.
"""

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.models import User
from apps.datasets.ingest.folder import Imported, import_folder
from apps.datasets.uploads.problems import PROBLEMS
from apps.jobs.work import Failure, perform
from apps.projects.models import Project
from apps.projects.services import create_project
from fusion.core.progress import Progress
from fusion.data.study import FILE, StudyError, read_spec


class Command(BaseCommand):
    help = (
        "Import a study folder (study.yaml and its files) into a project. The project is made "
        "where there is none of this address."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="address of the project, as in /p/<project>/")
        parser.add_argument("folder", type=Path, help="folder that holds study.yaml")
        parser.add_argument(
            "--owner",
            help="e-mail of the person in whose name it is imported; default: the project's owner",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        folder = options["folder"].resolve()
        try:
            project, owner = self.place(options["project"], folder, options["owner"])
            imported = import_folder(project, owner, folder, Printed(self))
        except (Failure, StudyError) as failure:
            raise CommandError(str(failure)) from failure
        self.tell(imported)
        self.align(imported)
        self.stdout.write(
            f"Imported in {time.monotonic() - started:.1f} s: /p/{project.slug}/data/"
        )

    def place(self, slug: str, folder: Path, email: str | None) -> tuple[Project, User]:
        owner = User.objects.filter(email=email.lower()).first() if email else None
        if email and owner is None:
            raise CommandError(f"There is nobody with the address {email} here.")
        project = Project.objects.filter(slug=slug).select_related("created_by").first()
        if project:
            return project, owner or project.created_by
        owner = (
            owner
            or User.objects.filter(is_superuser=True).order_by("pk").first()
            or User.objects.order_by("pk").first()
        )
        if owner is None:
            raise CommandError(
                "Nobody has an account here yet. Make one first, then name it with --owner."
            )
        spec = read_spec(folder / FILE)
        project = create_project(
            owner, spec.title or spec.name, spec.goal or spec.title or spec.name
        )
        if project.slug != slug:
            Project.objects.filter(pk=project.pk).update(slug=slug)
            project.slug = slug
        return project, owner

    def tell(self, imported: Imported) -> None:
        for version in imported.versions:
            self.stdout.write(
                f"  {version}: {version.n_rows:,} rows, {len(version.columns)} columns"
            )
        for group in imported.groups:
            self.stdout.write(f"  {PROBLEMS[group['code']].title % {'n': group['count']}}")

    def align(self, imported: Imported) -> None:
        """The alignment is frozen here and now: this machine may have no worker yet."""
        if isinstance(imported.alignment, str):
            self.stdout.write(f"  {imported.alignment}")
        elif imported.alignment:
            perform(str(imported.alignment.job_id))
            imported.alignment.refresh_from_db()
            self.stdout.write(
                f"  Alignment {imported.alignment.number}: {imported.alignment.get_state_display()}"
            )


class Printed(Progress):
    """Each stage on a line, with the seconds it took."""

    def __init__(self, command: BaseCommand) -> None:
        self.command = command
        self.since = time.monotonic()

    def stage(self, name: str) -> None:
        self.command.stdout.write(f"{name} ({time.monotonic() - self.since:.1f} s)")
