"""Checked drafts become versions: bytes first, which can be repeated, then one transaction, which
cannot.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.datasets import blobs, services
from apps.datasets.models import Blob, DataSet, Version
from apps.jobs.work import Failure
from apps.projects.models import Discipline, Project
from apps.projects.policies import can
from fusion.core.progress import Progress

from .draft import Draft
from .media import Found, Inspections, derived
from .parquet import describe_columns, digest_over, write_table
from .plan import Plan
from .report import statistics, version_report


@dataclass
class Stored:
    """Blobs (not yet in the database) of all media, and the table file of each draft by
    its name.
    """

    media: dict[str, Blob] = field(default_factory=dict)
    tables: dict[str, Blob] = field(default_factory=dict)


def store(plan: Plan, inspections: Inspections, folder: Path, progress: Progress) -> Stored:
    """Bytes of good files, their copies, broken ones aside, then the tables. Everything is named by
    digest.
    """
    stored = Stored()
    wanted = {
        sha
        for draft in plan.drafts
        for column in draft.media().values()
        for sha in column.values
        if sha is not None
    }
    files = {
        inspected.sha256: inspected
        for inspected in inspections.known.values()
        if inspected.reason or inspected.sha256 in wanted
    }
    for number, inspected in enumerate(files.values(), 1):
        if inspected.reason:
            blobs.store_path(Path(inspected.path), blobs.quarantine_name(inspected.sha256))
        else:
            stored.media[inspected.sha256] = store_media(inspected, inspections)
        progress.step(number, len(files), "files")
        progress.check()
    for draft in plan.drafts:
        stored.tables[draft.name] = store_table(draft, folder)
    return stored


def store_media(inspected: Found, inspections: Inspections) -> Blob:
    blobs.store_path(Path(inspected.path), blobs.blob_name(inspected.sha256))
    for size in inspected.copies:
        blobs.store_path(
            derived(inspections.folder, inspected.sha256, size),
            blobs.blob_name(inspected.sha256, size),
        )
    return Blob(
        sha256=inspected.sha256,
        size=inspected.size,
        kind=inspected.kind,
        media_type=inspected.media_type,
        facts=inspected.blob_facts(),
    )


def store_table(draft: Draft, folder: Path) -> Blob:
    path = folder / "table.parquet"
    write_table(draft, path)
    sha256, size = blobs.digest_of(path), path.stat().st_size
    blobs.store_path(path, blobs.blob_name(sha256))
    path.unlink()
    facts = {"rows": len(draft.keys), "columns": len(draft.columns) + 1}
    return Blob(
        sha256=sha256,
        size=size,
        kind="table",
        media_type="application/vnd.apache.parquet",
        facts=facts,
    )


@dataclass
class Target:
    """The place of the versions. `dataset` is set where a version is added to it; else data sets
    are made, or found by name for a study.
    """

    project: Project
    actor: User | None
    dataset: DataSet | None = None
    discipline: Discipline | None = None
    note: str = ""
    title: str = ""


def commit(
    plan: Plan,
    stored: Stored,
    target: Target,
    fence: Callable[[], None],
    finish: Callable[[list[Version]], None],
) -> list[Version]:
    """All versions of a plan, or none. `fence` raises where another attempt has taken over;
    `finish` ends the upload and its job.
    """
    check_rights(plan, target)
    with transaction.atomic():
        fence()
        disciplines = disciplines_of(plan, target)
        rows = blobs.register_blobs(
            target.project, [*stored.media.values(), *stored.tables.values()]
        )
        versions = [
            write_version(draft, plan, target, disciplines, rows[stored.tables[draft.name].sha256])
            for draft in plan.drafts
        ]
        finish(versions)
    return versions


def new_disciplines(plan: Plan, project: Project) -> list[tuple[str, str]]:
    if not plan.spec:
        return []
    there = set(project.disciplines.values_list("code", flat=True))
    return [
        (d.code.upper()[:2], d.name)
        for d in plan.spec.disciplines
        if d.code.upper()[:2] not in there
    ]


def check_rights(plan: Plan, target: Target) -> None:
    missing = new_disciplines(plan, target.project)
    if missing and target.actor and not can(target.actor, "maintain", target.project):
        names = ", ".join(name for _code, name in missing)
        raise Failure(
            _(
                "The study brings disciplines that this project does not have: %(names)s. Ask a "
                "maintainer to add them."
            )
            % {"names": names}
        )


def disciplines_of(plan: Plan, target: Target) -> dict[str, Discipline]:
    from apps.projects.services import add_discipline

    for code, name in new_disciplines(plan, target.project):
        add_discipline(target.actor or target.project.created_by, target.project, code, name)
    return {discipline.code: discipline for discipline in target.project.disciplines.all()}


def write_version(
    draft: Draft, plan: Plan, target: Target, disciplines: dict[str, Discipline], table: Blob
) -> Version:
    dataset = target.dataset or place_of(draft, plan, target, disciplines)
    columns = describe_columns(draft)
    number = (dataset.versions.aggregate(last=Max("number"))["last"] or 0) + 1
    version = Version.objects.create(
        dataset=dataset,
        number=number,
        table=table,
        digest=digest_over(columns, table.sha256),
        key_column=draft.key,
        n_rows=len(draft.keys),
        columns=columns,
        report=version_report(draft, plan.findings),
        statistics=statistics(draft),
        note=target.note[:300],
        created_by=target.actor,
    )
    services.announce_version(target.project, target.actor, version)
    return version


def place_of(
    draft: Draft, plan: Plan, target: Target, disciplines: dict[str, Discipline]
) -> DataSet:
    """A study finds its data sets again by name; an upload of one table makes a new one."""
    kind = DataSet.Kind.ANNOTATION if draft.kind == "annotation" else DataSet.Kind.DATA
    if plan.spec and (
        dataset := DataSet.objects.filter(
            project=target.project, slug=draft.name, kind=kind, deleted_at=None
        ).first()
    ):
        return dataset
    discipline = (
        disciplines[draft.discipline.upper()[:2]] if draft.discipline else target.discipline
    )
    if discipline is None:
        raise Failure(_("Say to which discipline the data set belongs."))
    name = target.title or draft.title or draft.name
    return services.create_dataset(
        target.project,
        target.actor,
        name,
        discipline,
        kind,
        draft.name,
        draft.description,
        draft.licence,
    )
