"""The two jobs of an upload: check, which shows what is there, and import, which writes it."""

import json
from functools import partial
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from apps.datasets.models import DataSet, Upload, Version
from apps.datasets.uploads.services import finish_check, finish_import, upload_of
from apps.datasets.uploads.upload_folder import UploadFolder, workspace_of
from apps.jobs import leases
from apps.jobs.models import Job
from apps.jobs.work import Failure, Work
from apps.projects.models import Discipline
from fusion.data.tables.media_files import MediaFiles

from .alignment import draft_alignment
from .draft import Draft
from .duplicates import flag_duplicates
from .keys import Known, known_of
from .media import Inspections, look_at
from .plan import Plan, plan_for_folder, plan_for_table
from .report import check_report
from .store import Target, commit, store
from .unpack import Refused, Unpacked, is_zip, unpack

STUDY_FILE = "study.yaml"


def check(work: Work) -> None:
    """Unpack, read, inspect, match; ends in the report that the person confirms. Nothing of the
    project changes.
    """
    upload = upload_of(work.job)
    place = workspace_of(upload.pk).make()
    work.stage("unpack")
    unpacked = unpack_all(upload, place, work)
    (place.folder / "files.json").write_text(
        json.dumps({"files": list(unpacked.files), "refused": unpacked.refused})
    )
    work.stage("read")
    known = known_of(upload.project)
    plan = plan_of(upload, place, unpacked, known, work)
    work.stage("inspect")
    inspect_plan(plan, place, work)
    work.stage("match")
    report = check_report(plan, known)
    with transaction.atomic():
        leases.close(work.job, Job.State.FINISHED)
        finish_check(work.job, report, **choices_of(plan, upload))


def unpack_all(upload: Upload, place: UploadFolder, work: Work) -> Unpacked:
    folder, unpacked = place.empty_files(), Unpacked()
    for file in upload.files:
        part = place.part(file["part"])
        if not part.is_file() or part.stat().st_size != file["size"]:
            raise Failure(
                _("%(name)s did not arrive whole. Upload it again.") % {"name": file["name"]}
            )
        if is_zip(part) and not file["name"].lower().endswith((".xlsx", ".ods")):
            try:
                unpack(part, folder, unpacked, partial(tell, work))
            except Refused as refused:
                raise Failure(
                    _("The archive %(name)s %(reason)s.")
                    % {"name": file["name"], "reason": refused}
                ) from refused
        else:
            unpacked.files[file["name"]] = part
    return unpacked


def tell(work: Work, done: int, total: int) -> None:
    work.step(done, total, "files")
    work.check()


def plan_of(
    upload: Upload, place: UploadFolder, unpacked: Unpacked, known: Known, work: Work
) -> Plan:
    if upload.source == Upload.Source.STUDY:
        folder = study_folder(place.files, unpacked)
        inner = {
            str(path.relative_to(folder)): path
            for path in unpacked.files.values()
            if path.is_relative_to(folder)
        }
        plan = plan_for_folder(folder, MediaFiles(inner), work.check)
        plan.n_files = len(unpacked.files)
    else:
        plan = plan_for_table(
            unpacked.files, upload.options, known, upload.source == Upload.Source.ANNOTATION
        )
    for name, reason in unpacked.refused:
        plan.findings.add(
            "refused_file", plan.drafts[0].file if plan.drafts else "", name=name, text=reason
        )
    return plan


def study_folder(files: Path, unpacked: Unpacked) -> Path:
    """The folder of study.yaml: the top of the archive, or one folder of it."""
    files_of_study = [
        path
        for path in unpacked.files.values()
        if path.name == STUDY_FILE and path.is_relative_to(files)
    ]
    if not files_of_study:
        raise Failure(
            _(
                "There is no study.yaml in the archive. Pack the whole folder that holds it, or "
                "choose another kind of upload."
            )
        )
    if len(files_of_study) > 1:
        raise Failure(
            _("There is more than one study.yaml in the archive. Upload one study at a time.")
        )
    return files_of_study[0].parent


def inspect_plan(plan: Plan, place: UploadFolder, work: Any) -> None:
    with Inspections(place.folder) as inspections:
        look_at(plan.drafts, inspections, plan.findings, work)
    flag_duplicates(plan.drafts, plan.findings)


def choices_of(plan: Plan, upload: Upload) -> dict[str, Any]:
    """The guesses of the check, which become the person's first choices."""
    if plan.spec:
        return {}
    draft = plan.drafts[0]
    roles = {role: name for role, name in draft.roles.items() if role != "all"}
    guessed = {"table": draft.file, "key": draft.key, **roles}
    if draft.kind == "data":
        guessed["kinds"] = {name: column.kind for name, column in draft.columns.items()}
    return {**guessed, "name": upload.options.get("name") or draft_title(draft)}


def draft_title(draft: Draft) -> str:
    return Path(draft.file).stem.replace("_", " ").replace("-", " ").strip().capitalize()


def import_(work: Work) -> None:
    """Store the bytes, write the versions: one transaction, in which the upload is done and the job
    closed.
    """
    upload = upload_of(work.job)
    place = workspace_of(upload.pk)
    work.stage("store")
    listed = json.loads((place.folder / "files.json").read_text())
    parts = {file["name"]: place.part(file["part"]) for file in upload.files}
    paths = {name: parts.get(name) or place.files / name for name in listed["files"]}
    unpacked = Unpacked(paths, [(name, reason) for name, reason in listed["refused"]])
    plan = plan_of(upload, place, unpacked, known_of(upload.project), work)
    with Inspections(place.folder) as inspections:
        look_at(plan.drafts, inspections, plan.findings, work)
        flag_duplicates(plan.drafts, plan.findings)
        stored = store(plan, inspections, place.folder, work)
    work.stage("write")
    commit(
        plan,
        stored,
        target_of(upload),
        partial(leases.hold, work.job),
        partial(finish, work.job, plan, upload),
    )


def finish(job: Job, plan: Plan, upload: Upload, versions: list[Version]) -> None:
    """The last part of the transaction: alignment, upload, event, job."""
    words = ""
    if plan.spec and plan.spec.alignment and upload.created_by:
        made = draft_alignment(plan.spec, upload.project, upload.created_by, versions)
        words = made if isinstance(made, str) else ""
    finish_import(upload, versions, words)
    leases.close(job, Job.State.FINISHED)


def target_of(upload: Upload) -> Target:
    options = upload.options
    dataset = (
        DataSet.objects.get(project=upload.project, slug=options["dataset"])
        if options.get("dataset")
        else None
    )
    discipline = Discipline.objects.filter(
        project=upload.project, pk=options.get("discipline")
    ).first()
    return Target(
        upload.project,
        upload.created_by,
        dataset,
        discipline,
        options.get("note", ""),
        options.get("name", ""),
    )
