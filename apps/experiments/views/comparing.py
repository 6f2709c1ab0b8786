"""The page that compares runs. Its address holds everything: ?run=31&run=28&reference=28."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.experiments import comparing, queries
from apps.projects.models import Project
from apps.projects.pages import project_page

OFFERED = 24


@project_page("view")
def compare(request: HttpRequest, project: Project) -> HttpResponse:
    runs, unfinished = comparing.chosen(project, request.GET)
    context = {
        "project": project,
        "unfinished": unfinished,
        "most": comparing.MOST,
        "many": len(runs) > comparing.MOST,
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
    found = comparing.compared(runs, request.GET.get("reference", ""))
    return render(
        request,
        "experiments/compare.html",
        context | {"found": found, "choose": f"?{request.GET.urlencode()}&choose="},
    )
