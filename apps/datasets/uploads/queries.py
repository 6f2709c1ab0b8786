"""Read side of the pages of the upload wizard."""

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import User
from apps.datasets.models import DataSet, Upload, Version
from apps.datasets.queries import datasets_of
from apps.jobs.models import Job
from apps.projects.models import Discipline, Project

State = Upload.State

STAGES = {
    "unpack": gettext_lazy("Unpack"),
    "read": gettext_lazy("Read the table"),
    "inspect": gettext_lazy("Open every file"),
    "match": gettext_lazy("Match samples"),
    "store": gettext_lazy("Keep the files"),
    "write": gettext_lazy("Write the version"),
}


def stages_of(job: Job) -> list[dict[str, Any]]:
    """The stages of a job for `{% stagebar %}`."""
    current = job.stages.index(job.stage) if job.stage in job.stages else -1
    return [_stage(job, name, place, current) for place, name in enumerate(job.stages)]


def _stage(job: Job, name: str, place: int, current: int) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": STAGES.get(name, name), "state": "next", "detail": ""}
    if place < current or job.state == Job.State.FINISHED:
        seconds = job.stage_times.get(name)
        return shown | {
            "state": "done",
            "detail": _("%(n)s s") % {"n": f"{seconds:.1f}"} if seconds is not None else "",
        }
    if place == current:
        state = "failed" if job.state == Job.State.FAILED else "now"
        detail = (
            _("%(done)s of %(total)s") % {"done": f"{job.done:,}", "total": f"{job.total:,}"}
            if job.total
            else ""
        )
        return shown | {
            "state": state,
            "share": job.done / job.total if job.total else 0.0,
            "detail": detail,
        }
    return shown


def current_job(upload: Upload) -> Job | None:
    return (
        upload.import_job
        if upload.state in (State.IMPORTING, State.DONE) or upload.import_job_id
        else upload.check_job
    )


def page_of(upload: Upload) -> str:
    """The name of the page where this upload stands."""
    if upload.state == State.RECEIVING:
        return "datasets:upload_add"
    return (
        "datasets:upload_done"
        if upload.state in (State.DONE, State.IMPORTING)
        else "datasets:upload_check"
    )


def steps_of(upload: Upload, current: str) -> list[dict[str, Any]]:
    """The steps of this kind of upload, for `{% steps %}`: those behind the reader are links while
    it waits for the person.
    """
    names = [("add", _("Files")), ("check", _("Check"))]
    if upload.source != Upload.Source.STUDY:
        names.append(("columns", _("Columns")))
    names += [("about", _("About the data")), ("done", _("Import"))]
    place = [name for name, _label in names].index(current)
    steps = []
    for number, (name, label) in enumerate(names):
        state = "done" if number < place else "now" if number == place else "next"
        open_ = upload.state == State.READY and number < place and name != "add"
        href = (
            reverse(f"datasets:upload_{name}", args=[upload.project.slug, upload.pk])
            if open_
            else ""
        )
        steps.append({"label": label, "state": state, "href": href})
    return steps


def uploads_of(project: Project) -> QuerySet[Upload]:
    rows = Upload.objects.filter(project=project)
    return rows.select_related("project", "check_job", "import_job", "created_by")


def unfinished_uploads(project: Project, user: User) -> QuerySet[Upload]:
    """Return the person's uploads that are neither imported nor cancelled, at most five."""
    rows = uploads_of(project).exclude(state__in=(State.DONE, State.CANCELLED))
    return rows.filter(created_by=user)[:5]


def imported_versions(upload: Upload) -> QuerySet[Version]:
    rows = upload.versions.select_related("dataset__discipline")
    return rows.order_by("dataset__created_at", "pk")


def own_discipline(project: Project, user: User) -> Discipline | None:
    return project.disciplines.filter(members__user=user).first()


def dataset_of(upload: Upload) -> DataSet | None:
    slug = upload.options.get("dataset")
    return datasets_of(upload.project).filter(slug=slug).first() if slug else None


def totals(upload: Upload) -> dict[str, int]:
    tables = upload.report.get("tables", [])
    return {
        "tables": len(tables),
        "samples": max((table["samples"] for table in tables), default=0),
    }
