"""The page that compares runs. Its address holds everything: ?run=31&run=28&reference=28."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.experiments import queries
from apps.experiments.report import run_comparison
from apps.projects.models import Project
from apps.projects.pages import project_page

OFFERED = 24


@project_page("view")
def compare(request: HttpRequest, project: Project) -> HttpResponse:
    runs, unfinished = run_comparison.chosen(project, request.GET)
    context = {
        "project": project,
        "unfinished": unfinished,
        "most": run_comparison.MOST,
        "many": len(runs) > run_comparison.MOST,
    }
    if len(runs) < 2 or context["many"] or "choose" in request.GET:
        numbers = {run.number for run in runs}
        offered = list(queries.finished(project).light()[:OFFERED])
        offered = [
            *offered,
            *(run for run in runs if run.number not in {one.number for one in offered}),
        ]
        return render(
            request,
            "experiments/compare_choose.html",
            context | {"offered": offered, "numbers": numbers},
        )
    found = run_comparison.compared(runs, request.GET.get("reference", ""))
    return render(
        request,
        "experiments/compare.html",
        context | {"found": found, "choose": f"?{request.GET.urlencode()}&choose="},
    )
