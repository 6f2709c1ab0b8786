"""Pages of runs: the list, one run with its tabs, and what is done to it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django.views.decorators.vary import vary_on_headers

from apps.datasets.browsing.duck import CannotRead
from apps.experiments import hooks, queries, services
from apps.experiments.artifacts import embedding_map, nearest, predictions
from apps.experiments.models import Run
from apps.experiments.recipe.forms import RenameForm
from apps.experiments.recipe.recipe_settings import differences, settings_of
from apps.experiments.report import live_run
from apps.experiments.report.curves_tab import curves_tab
from apps.experiments.report.overview import page as overview_page
from apps.experiments.report.run_setup import environment, setup
from apps.experiments.words import method_name
from apps.jobs.models import Job
from apps.projects.models import Project
from apps.projects.pages import has_moved, project_page, refresh
from apps.projects.policies import can
from apps.ui.plots.data import as_csv
from fusion.schema.recipe import Recipe

PAGE = 48
LOG_LINES = 500
TABS = ("overview", "curves", "predictions", "map", "settings", "log", "discussion")


@project_page("view")
def listing(request: HttpRequest, project: Project) -> HttpResponse:
    runs = queries.run_list(project, request.GET.dict())
    page = Paginator(runs.runs, PAGE).get_page(request.GET.get("page"))
    leaders = queries.leaders(project)
    context = {
        "project": project,
        "list": runs,
        "page": page,
        "rows": [(run, leaders.get(run.number, "")) for run in page],
        "methods": [(code, method_name(code)) for code in runs.methods],
        "may_start": can(request.user, "contribute", project),
        "going": any(run.job.state in queries.GOING for run in page),
    }
    return render(request, "experiments/runs.html", context)


@project_page("view")
@vary_on_headers("HX-Request")
def run(request: HttpRequest, project: Project, number: int, tab: str = "overview") -> HttpResponse:
    if tab not in TABS:
        raise Http404
    run = queries.find(project, number)
    if has_moved(request, phase(run.job)):
        return refresh()
    context = head(request, project, run, tab) | TAB_CONTEXT[tab](request, run)
    return render(request, f"experiments/{template_of(run, tab)}.html", context)


def phase(job: Job) -> str:
    """The part of a job's state that the page's head depends on: from waiting to running only the
    parts that renew themselves change.
    """
    return job.state if job.is_over else "going"


def template_of(run: Run, tab: str) -> str:
    if tab != "overview":
        return tab
    return "result" if run.job.state == Job.State.FINISHED and run.result else "live"


def head(request: HttpRequest, project: Project, run: Run, tab: str) -> dict[str, Any]:
    """The context of everything over the tabs."""
    finished = run.job.state == Job.State.FINISHED
    topics = f"job:{run.job_id} run:{run.number}"
    return {
        "project": project,
        "run": run,
        "job": run.job,
        "tab": tab,
        "finished": finished,
        "clone": str(run.number),
        "samples": run.result["n_samples"] if run.result else None,
        "actions": hooks.actions_of(request, run) if finished else [],
        "notes": hooks.notes_of(request, run),
        "may_write": can(request.user, "contribute", project),
        "may_delete": run.job.is_over and services.may_delete(request.user, run),
        "rename": RenameForm(initial={"name": run.name, "question": run.question}),
        "comments": queries.comments_on_run(run),
        "region_url": f"{request.path}?state={phase(run.job)}",
        "topics": topics if run.job.is_over else f"{topics} connected",
    }


def overview(request: HttpRequest, run: Run) -> dict[str, Any]:
    context: dict[str, Any] = {"setup": setup(run)}
    if run.parent:
        context["differs"] = differences(run.parent.recipe, run.recipe)
    if template_of(run, "overview") == "result":
        return context | overview_page.sections(run, request.GET)
    return context | {"live": live_run.live(run)}


def curve_tab(request: HttpRequest, run: Run) -> dict[str, Any]:
    return {"curves": curves_tab(run, request.GET.get("round", ""))}


def prediction_tab(request: HttpRequest, run: Run) -> dict[str, Any]:
    table = predictions.table(run, request.GET.dict())
    return {"table": table, "labels": run.evaluation.labels if run.evaluation else []}


def map_tab(request: HttpRequest, run: Run) -> dict[str, Any]:
    params = request.GET.dict()
    return {
        "map": embedding_map.embedding_map(run, params),
        "nearest": nearest.nearest(run, params),
    }


def settings_tab(request: HttpRequest, run: Run) -> dict[str, Any]:
    return {
        "rows": settings_of(run.recipe),
        "yaml": Recipe.stored(run.recipe).to_yaml(),
        "environment": environment(run),
        "setup": setup(run),
    }


def log_tab(request: HttpRequest, run: Run) -> dict[str, Any]:
    return {
        "lines": queries.last_log_lines(run.job, LOG_LINES),
        "total": queries.count_log_lines(run.job),
    }


TAB_CONTEXT: dict[str, Callable[[HttpRequest, Run], dict[str, Any]]] = {
    "overview": overview,
    "curves": curve_tab,
    "predictions": prediction_tab,
    "map": map_tab,
    "settings": settings_tab,
    "log": log_tab,
    "discussion": lambda request, run: {},
}


@project_page("view")
def recipe(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """The recipe as a file, for `python -m fusion train FOLDER --recipe run-31.yaml`."""
    run = queries.find(project, number)
    response = HttpResponse(
        Recipe.stored(run.recipe).to_yaml(), content_type="application/yaml; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="run-{run.number}.yaml"'
    return response


@project_page("view")
def map_csv(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Every test sample that has a place on the map, as CSV."""
    run = queries.find(project, number)
    try:
        text = as_csv(embedding_map.as_table(embedding_map.rows_of(run)))
    except CannotRead as error:
        raise Http404(str(error)) from error
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="run-{run.number}-map.csv"'
    return response


@require_POST
@project_page("view", write="contribute")
def stop(request: HttpRequest, project: Project, number: int) -> HttpResponseBase:
    run = queries.find(project, number)
    try:
        services.stop_run(request.user, run)
        messages.success(request, _("Run %(n)d stops at its next step.") % {"n": number})
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
    return redirect(run)


@require_POST
@project_page("view", write="contribute")
def again(request: HttpRequest, project: Project, number: int) -> HttpResponseBase:
    run = queries.find(project, number)
    try:
        return redirect(services.retry(request.user, run))
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect(run)


@require_POST
@project_page("view", write="contribute")
def rename(request: HttpRequest, project: Project, number: int) -> HttpResponseBase:
    run = queries.find(project, number)
    form = RenameForm(request.POST)
    if not form.is_valid():
        context = (
            head(request, project, run, "overview") | overview(request, run) | {"rename": form}
        )
        return render(
            request, f"experiments/{template_of(run, 'overview')}.html", context, status=422
        )
    services.rename(request.user, run, form.cleaned_data["name"], form.cleaned_data["question"])
    messages.success(request, _("The run has its new name."))
    return redirect(run)


@require_POST
@project_page("view", write="contribute")
def delete(request: HttpRequest, project: Project, number: int) -> HttpResponseBase:
    run = queries.find(project, number)
    try:
        services.delete(request.user, run)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect(run)
    undo = reverse("experiments:restore", args=[project.slug, number])
    messages.success(request, _("Run %(n)d is deleted.") % {"n": number}, extra_tags=f"undo:{undo}")
    return redirect("experiments:runs", project.slug)


@require_POST
@project_page("view", write="contribute")
def restore(request: HttpRequest, project: Project, number: int) -> HttpResponseBase:
    run = queries.find(project, number, deleted=True)
    services.restore(request.user, run)
    return redirect(run)
