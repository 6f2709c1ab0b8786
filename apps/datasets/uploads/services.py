"""The verbs of an upload: begin, receive, check, choose, import, cancel. One transaction each;
bytes are on the disk before the row says so.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.datasets.models import DataSet, Upload, Version
from apps.datasets.uploads.upload_folder import workspace_of
from apps.discussions.models import Notification
from apps.discussions.services import notify
from apps.jobs.models import Job
from apps.jobs.services import request_stop, submit
from apps.projects.events import record
from apps.projects.models import Event, Project
from apps.projects.policies import require

CHECK_STAGES = ["unpack", "read", "inspect", "match"]
IMPORT_STAGES = ["store", "write"]
MAX_FILES = 50
OF_THE_FILES = (
    "table",
    "key",
    "kinds",
    "decimals",
    "join_capitals",
    "annotator",
    "label",
    "label_set",
)
State = Upload.State


def begin_upload(
    actor: User, project: Project, source: str, dataset: DataSet | None = None
) -> Upload:
    """`dataset`: the files become its next version."""
    require(actor, "contribute", project)
    options = first_options(dataset) if dataset else {}
    return Upload.objects.create(project=project, source=source, options=options, created_by=actor)


def first_options(dataset: DataSet) -> dict[str, Any]:
    """A new version has the kinds of the last one, where its columns are the same."""
    last = dataset.versions.first()
    kinds = (
        {column["name"]: column["kind"] for column in last.columns if not column.get("key")}
        if last
        else {}
    )
    return {"dataset": dataset.slug, "slug": dataset.slug, "kinds": kinds}


@transaction.atomic
def add_file(actor: User, upload: Upload, name: str, number: int, size: int) -> None:
    """A part lies on the disk whole; a file of the same name takes the place of the earlier one."""
    require(actor, "contribute", upload.project)
    locked = Upload.objects.select_for_update().get(pk=upload.pk)
    _need(locked, State.RECEIVING)
    others = [file for file in locked.files if file["name"] != name]
    if len(others) >= MAX_FILES:
        raise ValidationError(
            _("An upload has at most %(n)d files. Pack media into a zip.") % {"n": MAX_FILES}
        )
    locked.files = [*others, {"name": name, "size": size, "part": number}]
    locked.save(update_fields=["files"])
    upload.files = locked.files


@transaction.atomic
def remove_file(actor: User, upload: Upload, name: str) -> None:
    require(actor, "contribute", upload.project)
    locked = Upload.objects.select_for_update().get(pk=upload.pk)
    _need(locked, State.RECEIVING)
    locked.files = [file for file in locked.files if file["name"] != name]
    locked.save(update_fields=["files"])
    upload.files = locked.files


def _need(upload: Upload, *states: str) -> None:
    if upload.state not in states:
        raise ValidationError(
            _("This upload has moved on in another window. Reload the page to see where it is.")
        )


@transaction.atomic
def start_check(actor: User, upload: Upload, **options: Any) -> Job:
    """Queue the check; `options` are the person's new choices, for instance another key column."""
    require(actor, "contribute", upload.project)
    locked = Upload.objects.select_for_update().get(pk=upload.pk)
    _need(locked, State.RECEIVING, State.READY, State.FAILED)
    if not locked.files:
        raise ValidationError(_("Add at least one file first."))
    job = submit(upload.project, actor, "check", {"upload": str(upload.pk)}, CHECK_STAGES)
    locked.check_job, locked.state, locked.report = job, State.CHECKING, {}
    locked.options = {**locked.options, **options}
    locked.save()
    upload.refresh_from_db()
    return job


@transaction.atomic
def choose(actor: User, upload: Upload, **options: Any) -> None:
    """Keep what the person said on a page of the wizard."""
    require(actor, "contribute", upload.project)
    locked = Upload.objects.select_for_update().get(pk=upload.pk)
    _need(locked, State.READY)
    locked.options = {**locked.options, **options}
    locked.save(update_fields=["options"])
    upload.options = locked.options


@transaction.atomic
def start_import(actor: User, upload: Upload) -> Job:
    require(actor, "contribute", upload.project)
    locked = Upload.objects.select_for_update().get(pk=upload.pk)
    _need(locked, State.READY)
    job = submit(upload.project, actor, "import", {"upload": str(upload.pk)}, IMPORT_STAGES)
    locked.import_job, locked.state = job, State.IMPORTING
    locked.save(update_fields=["import_job", "state"])
    upload.refresh_from_db()
    return job


@transaction.atomic
def go_back(actor: User, upload: Upload) -> None:
    """Go back, after a failure, to the report where there is one, else to the files."""
    require(actor, "contribute", upload.project)
    locked = Upload.objects.select_for_update().get(pk=upload.pk)
    _need(locked, State.FAILED, State.READY)
    locked.state = (
        State.READY if locked.report and locked.state == State.FAILED else State.RECEIVING
    )
    if locked.state == State.RECEIVING:
        forget_guesses(locked)
    locked.save(update_fields=["state", "options"])
    upload.state, upload.options = locked.state, locked.options


def forget_guesses(upload: Upload) -> None:
    """Other files may have other columns: what was said of the old ones does not hold."""
    options = {name: value for name, value in upload.options.items() if name not in OF_THE_FILES}
    dataset = (
        DataSet.objects.filter(project=upload.project, slug=options.get("dataset")).first()
        if options.get("dataset")
        else None
    )
    upload.options = options | (first_options(dataset) if dataset else {})


@transaction.atomic
def cancel_upload(actor: User, upload: Upload) -> None:
    """Cancel an upload at any time before it is done. The files go when nothing works on them any
    more.
    """
    require(actor, "contribute", upload.project)
    locked = Upload.objects.select_for_update().get(pk=upload.pk)
    _need(locked, State.RECEIVING, State.CHECKING, State.READY, State.IMPORTING, State.FAILED)
    for job in (locked.check_job, locked.import_job):
        if job and not job.is_over:
            request_stop(actor, job)
    locked.refresh_from_db()
    locked.state = State.CANCELLED
    locked.save(update_fields=["state"])
    upload.state = State.CANCELLED
    running = Job.objects.filter(
        pk__in=[locked.check_job_id, locked.import_job_id], state=Job.State.RUNNING
    ).exists()
    if not running:
        transaction.on_commit(workspace_of(upload.pk).remove, robust=True)


def upload_of(job: Job) -> Upload:
    return Upload.objects.select_related("project", "created_by").get(pk=job.payload["upload"])


def finish_check(job: Job, report: dict[str, Any], **options: Any) -> None:
    """Record the report; the caller's transaction ends the check."""
    upload = upload_of(job)
    rows = Upload.objects.filter(pk=upload.pk, state=State.CHECKING)
    rows.update(state=State.READY, report=report, options={**upload.options, **options})


def finish_import(upload: Upload, versions: list[Version], words: str = "") -> None:
    """Record the import; the caller's transaction writes the versions. `words`: what could not be
    made.
    """
    upload.versions.set(versions)
    Upload.objects.filter(pk=upload.pk).update(
        state=State.DONE, options={**upload.options, "words": words}
    )
    first = versions[0]
    label = (
        str(first.dataset)
        if len(versions) == 1
        else upload.report.get("title") or str(first.dataset)
    )
    event = record(
        upload.project,
        None,
        "upload.imported",
        "upload",
        upload.pk,
        label,
        versions=len(versions),
        rows=first.n_rows,
    )
    _tell(upload, event)
    transaction.on_commit(workspace_of(upload.pk).remove, robust=True)


def _tell(upload: Upload, event: Event) -> None:
    if upload.created_by:
        notify(event, [upload.created_by], Notification.Reason.DATA)


def upload_failed(job: Job) -> None:
    """Mark the upload as failed; the caller's transaction ends the job."""
    upload = upload_of(job)
    if (
        Upload.objects.filter(pk=upload.pk)
        .exclude(state=State.CANCELLED)
        .update(state=State.FAILED)
    ):
        names = ", ".join(file["name"] for file in upload.files[:3])
        _tell(
            upload,
            record(
                upload.project, None, "upload.failed", "upload", upload.pk, names, error=job.error
            ),
        )


def upload_stopped(job: Job) -> None:
    """Stopped by `cancel_upload` or on the jobs page."""
    Upload.objects.filter(pk=job.payload["upload"]).update(state=State.CANCELLED)
    transaction.on_commit(workspace_of(job.payload["upload"]).remove, robust=True)
