"""The page that compares runs. Its address holds everything: ?run=31&run=28&reference=28."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.experiments import queries
from apps.experiments.report import run_comparison
from apps.projects.models import Project
from apps.projects.pages import project_page


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
        context |= {
            "offered": queries.newest_finished(project, runs),
            "numbers": {run.number for run in runs},
        }
        return render(request, "experiments/compare_choose.html", context)
    context |= {
        "comparison": run_comparison.compared(runs, request.GET.get("reference", "")),
        "choose": f"?{request.GET.urlencode()}&choose=",
    }
    return render(request, "experiments/compare.html", context)
