"""Pages of runs: the list, one run with its tabs, and what is done to it."""

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
from apps.discussions.models import Comment, Thread
from apps.experiments import hooks, queries, services
from apps.experiments.artifacts import embedding_map, nearest, predictions
from apps.experiments.models import Run
from apps.experiments.recipe.forms import RenameForm
from apps.experiments.report import (
    concepts,
    disagreements,
    noise,
    progress,
    protocols,
    retrieval,
    rules,
    search,
    sections,
)
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
    found = queries.run_list(project, request.GET.dict())
    page = Paginator(found.runs, PAGE).get_page(request.GET.get("page"))
    leaders = queries.leaders(project)
    for one in page:
        dress(one, leaders)
    context = {
        "project": project, "list": found, "page": page, "methods": [(code, method_name(code)) for code in found.methods],
        "may_start": can(request.user, "contribute", project),
        "going": any(run.job.state in queries.GOING for run in page),
    }  # fmt: skip
    return render(request, "experiments/runs.html", context)


def dress(run: Run, leaders: dict[int, queries.Leader]) -> None:
    """What a row of the list shows beside the fields."""
    leader = leaders.get(run.alignment_id)
    run.leader = leader.words if leader and leader.number == run.number else ""
    run.method_label = method_name(run.method)
    run.kinds = [one["kind"] for one in run.modalities]


@project_page("view")
@vary_on_headers("HX-Request")
def run(request: HttpRequest, project: Project, number: int, tab: str = "overview") -> HttpResponse:
    if tab not in TABS:
        raise Http404
    found = queries.find(project, number)
    if has_moved(request, phase(found.job)):
        return refresh()
    context = head(request, project, found, tab) | TAB_CONTEXT[tab](request, found)
    return render(request, f"experiments/{template_of(found, tab)}.html", context)


def phase(job: Job) -> str:
    """What the page's head depends on: from waiting to running only the parts that renew themselves
    change.
    """
    return job.state if job.is_over else "going"


def template_of(found: Run, tab: str) -> str:
    if tab != "overview":
        return tab
    return "result" if found.job.state == Job.State.FINISHED and found.result else "live"


def head(request: HttpRequest, project: Project, found: Run, tab: str) -> dict[str, Any]:
    """What stands over every tab."""
    finished = found.job.state == Job.State.FINISHED
    threads = Thread.objects.filter(
        project=project, anchor_type=Thread.Anchor.RUN, anchor_id=str(found.number)
    )
    return {
        "project": project, "run": found, "job": found.job, "tab": tab, "finished": finished,
        "clone": str(found.number), "samples": found.result["n_samples"] if found.result else None,
        "actions": hooks.actions_of(request, found) if finished else [], "notes": hooks.notes_of(request, found),
        "may_write": can(request.user, "contribute", project),
        "may_delete": found.job.is_over and can(request.user, "contribute" if found.created_by_id == request.user.pk else "maintain", project),
        "rename": RenameForm(initial={"name": found.name, "question": found.question}),
        "comments": Comment.objects.filter(thread__in=threads, deleted_at=None).count(),
        "region_url": f"{request.path}?state={phase(found.job)}", "topics": f"job:{found.job_id} run:{found.number}{'' if found.job.is_over else ' connected'}",
    }  # fmt: skip


def overview(request: HttpRequest, found: Run) -> dict[str, Any]:
    context: dict[str, Any] = {"setup": sections.setup(found)}
    if found.parent:
        context["differs"] = sections.differences(found.parent.recipe, found.recipe)
    if template_of(found, "overview") == "result":
        outcome = sections.outcome(found)
        parts = {
            "talk": disagreements.talk(found, request.GET),
            "knowledge": rules.knowledge(found),
            "concepts": concepts.definitions(found),
            "protocols": protocols.protocols(found),
        }
        kinds = {one["name"]: one["kind"] for one in found.modalities}
        more = {
            "space": retrieval.found(outcome.result),
            "noise": noise.noise(outcome.result, kinds),
            "search": search.found(outcome.result, kinds),
        }
        return context | {"outcome": outcome} | more | parts
    return context | {"live": progress.live(found)}


def curve_tab(request: HttpRequest, found: Run) -> dict[str, Any]:
    return {"curves": sections.curve_tab(found, request.GET.get("round", ""))}


def prediction_tab(request: HttpRequest, found: Run) -> dict[str, Any]:
    result = found.evaluation
    return {
        "table": predictions.table(found, request.GET.dict()),
        "labels": result.labels if result else [],
    }


def map_tab(request: HttpRequest, found: Run) -> dict[str, Any]:
    params = request.GET.dict()
    return {"map": embedding_map.places(found, params), "nearest": nearest.nearest(found, params)}


def settings_tab(request: HttpRequest, found: Run) -> dict[str, Any]:
    return {
        "rows": sections.settings_rows(found),
        "yaml": Recipe.stored(found.recipe).to_yaml(),
        "environment": environment(found),
        "setup": sections.setup(found),
    }


def environment(found: Run) -> list[tuple[str, str]]:
    result = found.evaluation
    if result is None:
        return []
    facts = result.environment
    return [
        (name, str(value))
        for name, value in [*facts.get("versions", {}).items(), *facts.items()]
        if not isinstance(value, dict | list)
    ]


def log_tab(request: HttpRequest, found: Run) -> dict[str, Any]:
    return {"lines": progress.last_lines(found.job, LOG_LINES), "total": found.job.log.count()}


TAB_CONTEXT = {
    "overview": overview,
    "curves": curve_tab,
    "predictions": prediction_tab,
    "map": map_tab,
    "settings": settings_tab,
    "log": log_tab,
    "discussion": lambda request, found: {},
}


@project_page("view")
def recipe(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """The recipe as a file, for `python -m fusion train FOLDER --recipe run-31.yaml`."""
    found = queries.find(project, number)
    response = HttpResponse(
        Recipe.stored(found.recipe).to_yaml(), content_type="application/yaml; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="run-{found.number}.yaml"'
    return response


@project_page("view")
def map_csv(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Every test sample that has a place on the map."""
    found = queries.find(project, number)
    try:
        text = as_csv(embedding_map.as_table(embedding_map.rows_of(found)))
    except CannotRead as error:
        raise Http404(str(error)) from error
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="run-{found.number}-map.csv"'
    return response


@require_POST
@project_page("view", write="contribute")
def stop(request: HttpRequest, project: Project, number: int) -> HttpResponseBase:
    found = queries.find(project, number)
    try:
        services.stop_run(request.user, found)
        messages.success(request, _("Run %(n)d stops at its next step.") % {"n": number})
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
    return redirect(found)


@require_POST
@project_page("view", write="contribute")
def again(request: HttpRequest, project: Project, number: int) -> HttpResponseBase:
    found = queries.find(project, number)
    try:
        return redirect(services.retry(request.user, found))
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect(found)


@require_POST
@project_page("view", write="contribute")
def rename(request: HttpRequest, project: Project, number: int) -> HttpResponseBase:
    found = queries.find(project, number)
    form = RenameForm(request.POST)
    if not form.is_valid():
        context = (
            head(request, project, found, "overview") | overview(request, found) | {"rename": form}
        )
        return render(
            request, f"experiments/{template_of(found, 'overview')}.html", context, status=422
        )
    services.rename(request.user, found, form.cleaned_data["name"], form.cleaned_data["question"])
    messages.success(request, _("The run has its new name."))
    return redirect(found)


@require_POST
@project_page("view", write="contribute")
def delete(request: HttpRequest, project: Project, number: int) -> HttpResponseBase:
    found = queries.find(project, number)
    try:
        services.delete(request.user, found)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect(found)
    undo = reverse("experiments:restore", args=[project.slug, number])
    messages.success(request, _("Run %(n)d is deleted.") % {"n": number}, extra_tags=f"undo:{undo}")
    return redirect("experiments:runs", project.slug)


@require_POST
@project_page("view", write="contribute")
def restore(request: HttpRequest, project: Project, number: int) -> HttpResponseBase:
    found = queries.find(project, number, deleted=True)
    services.restore(request.user, found)
    return redirect(found)
