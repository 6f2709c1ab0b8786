import re
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from apps.discussions.faces import faces
from apps.projects.models import Project
from apps.projects.pages import project_page
from apps.projects.policies import can
from apps.projects.queries import events
from apps.reviews import queries as reviews
from apps.ui.glossary import TERMS

from . import overview as overview_parts
from . import queries


def home(request: HttpRequest) -> HttpResponse:
    user = request.user
    context = {
        "reviews": reviews.waiting_for(user),
        "talk": queries.talk_waiting(user),
        "uploads": queries.uploads_waiting(user),
        "jobs": queries.running(user),
        "recent": queries.recent(user),
        "projects": queries.projects_of(user),
    }
    context["waiting"] = len(context["reviews"]) + len(context["talk"]) + len(context["uploads"])
    return render(request, "workspace/home.html", context)


@project_page()
def overview(request: HttpRequest, project: Project) -> HttpResponse:
    review = reviews.current(project)
    people = faces(project)
    gate = reviews.gate(review, people) if review else None
    runs = queries.finished_runs(project)
    leader = queries.best_run(runs)
    context: dict[str, Any] = {
        "project": project,
        "review": review,
        "gate": gate,
        "map": overview_parts.map_of(
            queries.consilience_map(project, gate), request.user, bool(review)
        ),
        "leader": leader,
        "joining": overview_parts.joining(leader),
        "progress": overview_parts.progress(runs, leader),
        "weakest": overview_parts.weakest(leader),
        "models": queries.models_in_use(project),
        "activity": queries.activity(events(request.user, project)[:12]),
        "faces": list(people.values()),
        "contribute": can(request.user, "contribute", project),
    }
    return render(request, "workspace/overview.html", context)


@project_page()
def activity(request: HttpRequest, project: Project) -> HttpResponse:
    page = Paginator(events(request.user, project), 48).get_page(request.GET.get("page"))
    context = {"project": project, "page": page, "activity": queries.activity(page)}
    return render(request, "workspace/activity.html", context)


def search(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("q", "").strip()[:100]
    if jump := _jump(request, text):
        return redirect(jump)
    groups = (
        [group for group in queries.search(request.user, text) if group["rows"]] if text else []
    )
    return render(request, "workspace/search.html", {"q": text, "groups": groups})


def _jump(request: HttpRequest, text: str) -> str | None:
    """`run 31` opens the run where only one project has it."""
    match = re.fullmatch(r"run\s*#?(\d{1,8})", text, re.IGNORECASE)
    runs = queries.runs_numbered(request.user, int(match[1])) if match else []
    return runs[0].get_absolute_url() if len(runs) == 1 else None


def help_page(request: HttpRequest) -> HttpResponse:
    return render(request, "workspace/help.html", {"terms": TERMS})
