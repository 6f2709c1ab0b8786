"""The upload wizard: each step has its own address, and what was said on it is kept."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.datasets.forms import AboutForm, ColumnsForm, RolesForm, SourceForm, VersionNoteForm
from apps.datasets.models import DataSet, Upload
from apps.datasets.queries import datasets_of
from apps.datasets.uploads import services
from apps.datasets.uploads.handler import REFUSED
from apps.datasets.uploads.problems import groups_for
from apps.datasets.uploads.queries import (
    current_job,
    dataset_of,
    imported_versions,
    own_discipline,
    page_of,
    stages_of,
    steps_of,
    totals,
    unfinished_uploads,
    uploads_of,
)
from apps.datasets.uploads.receive import receive_file
from apps.projects.models import Project
from apps.projects.pages import has_moved, project_page, refresh

State = Upload.State


def upload_in(project: Project, pk: UUID) -> Upload:
    return get_object_or_404(uploads_of(project), pk=pk)


def shown(
    request: HttpRequest, upload: Upload, step: str, status: int = 200, **context: Any
) -> HttpResponse:
    if has_moved(request, upload.state):
        return refresh()
    more = {
        "project": upload.project,
        "upload": upload,
        "steps": steps_of(upload, step),
        "dataset": dataset_of(upload),
        **context,
    }
    return render(request, f"datasets/upload_{step}.html", more, status=status)


def here(upload: Upload, step: str = "") -> HttpResponse:
    name = f"datasets:upload_{step}" if step else page_of(upload)
    return redirect(name, upload.project.slug, upload.pk)


@project_page("contribute")
def new(request: HttpRequest, project: Project) -> HttpResponse:
    """Choose the kind of upload; with ?dataset= a new version of that data set."""
    slug = request.POST.get("dataset") or request.GET.get("dataset")
    dataset = get_object_or_404(datasets_of(project), slug=slug) if slug else None
    form = SourceForm(request.POST or None, initial={"source": "table"})
    if dataset:
        source = (
            Upload.Source.ANNOTATION
            if dataset.kind == DataSet.Kind.ANNOTATION
            else Upload.Source.TABLE
        )
        form = SourceForm({"source": source} if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        return here(
            services.begin_upload(request.user, project, form.cleaned_data["source"], dataset)
        )
    context = {
        "project": project,
        "form": form,
        "dataset": dataset,
        "open_uploads": unfinished_uploads(project, request.user),
        "options": source_options(),
    }
    return render(request, "datasets/new.html", context, status=422 if form.errors else 200)


def source_options() -> list[dict[str, Any]]:
    return [
        {
            "value": "table",
            "title": _("A table"),
            "text": _(
                "CSV or Parquet, one row a sample, with a zip of the images and recordings that "
                "it names."
            ),
        },
        {
            "value": "study",
            "title": _("A study folder"),
            "text": _(
                "A zip with a study.yaml: several data sets, disciplines and the alignment at once."
            ),
        },
        {
            "value": "annotation",
            "title": _("Annotations"),
            "text": _("A table of who gave which sample which label."),
        },
    ]


@project_page("contribute")
def upload(request: HttpRequest, project: Project, upload: UUID) -> HttpResponse:
    return here(upload_in(project, upload))


@project_page("contribute")
def add(request: HttpRequest, project: Project, upload: UUID) -> HttpResponse:
    """Files: added one or several at a time; then the check is started."""
    row = upload_in(project, upload)
    if row.state != State.RECEIVING:
        return here(row)
    problems: list[str] = []
    if request.method == "POST":
        problems = take_files(request, row)
        if not problems and "check" in request.POST:
            problems = attempt(services.start_check, request.user, row)
        if not problems:
            return here(row)
    return shown(request, row, "add", 422 if problems else 200, problems=problems)


def take_files(request: HttpRequest, upload: Upload) -> list[str]:
    """The form's last field comes after the files: where it is missing, the body broke off."""
    files = request.FILES.getlist("files")
    if REFUSED in request.META:
        return [
            _(
                "The files are larger than what fits in one upload, or the server's disk is full. "
                "Nothing was kept."
            )
        ]
    if "complete" not in request.POST:
        return [_("The files did not arrive whole. Upload them again.")]
    if not files and "check" not in request.POST:
        return [_("Choose at least one file.")]
    problems: list[str] = []
    for file in files:
        problems += attempt(receive_file, request.user, upload, file.name or "", file)
    return problems


def attempt(verb: Any, *args: Any, **kwargs: Any) -> list[str]:
    """The problems in words, none where it worked."""
    try:
        verb(*args, **kwargs)
    except ValidationError as error:
        return error.messages
    return []


@project_page("contribute")
@require_POST
def remove(request: HttpRequest, project: Project, upload: UUID) -> HttpResponse:
    row = upload_in(project, upload)
    tell(request, attempt(services.remove_file, request.user, row, request.POST.get("name", "")))
    return here(row)


def tell(request: HttpRequest, problems: list[str]) -> None:
    for problem in problems:
        messages.error(request, problem)


@project_page("contribute")
def check(request: HttpRequest, project: Project, upload: UUID) -> HttpResponse:
    """The running check, then its report; also where a failed import stands."""
    row = upload_in(project, upload)
    if row.state in (State.RECEIVING, State.DONE, State.IMPORTING):
        return here(row)
    job = current_job(row)
    return shown(
        request,
        row,
        "check",
        job=job,
        stages=stages_of(job) if job else [],
        groups=groups_for(row.report),
        totals=totals(row),
        going=row.state == State.CHECKING,
    )


@project_page("contribute")
def columns(request: HttpRequest, project: Project, upload: UUID) -> HttpResponse:
    """Key and kinds. Where the key, a medium or a role changed, everything is checked again."""
    row = upload_in(project, upload)
    if row.state != State.READY or row.source == Upload.Source.STUDY:
        return here(row)
    table = row.report["tables"][0]
    form = columns_form(row, table, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        choices = form.choices()
        again = needs_check(row, choices)
        problems = attempt(
            services.start_check if again else services.choose,
            request.user,
            row,
            **choices,
        )
        tell(request, problems)
        return here(row) if again or problems else here(row, "about")
    return shown(request, row, "columns", 422 if form.errors else 200, form=form, table=table)


def columns_form(upload: Upload, table: dict[str, Any], data: Any) -> ColumnsForm | RolesForm:
    if upload.source == Upload.Source.ANNOTATION:
        return RolesForm(table, upload.options, upload.report.get("label_sets", []), data)
    return ColumnsForm(table, upload.options, upload.report.get("groups", []), data)


def needs_check(upload: Upload, choices: dict[str, Any]) -> bool:
    return any(upload.options.get(name) != value for name, value in choices.items())


@project_page("contribute")
def about(request: HttpRequest, project: Project, upload: UUID) -> HttpResponse:
    """The last page before the import: name, discipline, licence; for a new version what changed;
    for a study what will be made.
    """
    row = upload_in(project, upload)
    if row.state != State.READY:
        return here(row)
    form = about_form(request, row)
    if request.method == "POST" and (form is None or form.is_valid()):
        choices = form.choices() if form else {}
        problems = attempt(services.choose, request.user, row, **choices) or attempt(
            services.start_import, request.user, row
        )
        tell(request, problems)
        return here(row)
    status = 422 if form is not None and form.errors else 200
    return shown(
        request,
        row,
        "about",
        status,
        form=form,
        totals=totals(row),
        groups=groups_for(row.report),
    )


def about_form(request: HttpRequest, upload: Upload) -> AboutForm | VersionNoteForm | None:
    data = request.POST if request.method == "POST" else None
    if upload.source == Upload.Source.STUDY:
        return None
    if upload.options.get("dataset"):
        return VersionNoteForm(data, initial={"note": upload.options.get("note", "")})
    own = own_discipline(upload.project, request.user)
    initial = {"discipline": own.pk if own else None} | {
        name: upload.options.get(name) for name in ("name", "description", "licence")
    }
    if upload.options.get("discipline"):
        initial["discipline"] = upload.options["discipline"]
    return AboutForm(upload.project, data, initial=initial)


@project_page("contribute")
def done(request: HttpRequest, project: Project, upload: UUID) -> HttpResponse:
    row = upload_in(project, upload)
    if row.state not in (State.IMPORTING, State.DONE):
        return here(row)
    job = row.import_job
    return shown(
        request,
        row,
        "done",
        job=job,
        stages=stages_of(job) if job else [],
        going=row.state == State.IMPORTING,
        versions=imported_versions(row),
        groups=groups_for(row.report),
    )


@project_page("contribute")
@require_POST
def cancel(request: HttpRequest, project: Project, upload: UUID) -> HttpResponse:
    row = upload_in(project, upload)
    if problems := attempt(services.cancel_upload, request.user, row):
        tell(request, problems)
        return here(row)
    messages.success(request, _("The upload was cancelled; its files are removed."))
    return redirect("datasets:list", project.slug)


@project_page("contribute")
@require_POST
def back(request: HttpRequest, project: Project, upload: UUID) -> HttpResponse:
    """Go back from a failure or a report to the files."""
    row = upload_in(project, upload)
    tell(request, attempt(services.go_back, request.user, row))
    return here(row)
