"""All samples of a project, joined on their key; and one sample with everything that all
disciplines say of it.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from apps.datasets.browsing.duck import CannotRead
from apps.datasets.browsing.filters import address, tidy
from apps.datasets.browsing.sample_list import browse
from apps.datasets.views.browse import with_address
from apps.projects.models import Project
from apps.projects.pages import project_page
from apps.projects.policies import can
from apps.workspace.sample_page import predictions_about, sample_of, source_of


@project_page()
def samples(request: HttpRequest, project: Project) -> HttpResponse:
    request.GET = tidy(request.GET)
    source = source_of(project, request.GET)
    base = reverse("workspace:samples", args=[project.slug])
    context = {
        "project": project,
        "source": source,
        "base": base,
        "broken": source.count("broken_file"),
        "silent": source.count("silent"),
        "may_write": can(request.user, "contribute", project),
    }
    if source.versions:
        try:
            page = browse(source.frame, request.GET, project)
            page.link = request.build_absolute_uri(address(request.GET, page=page.page.number))
            context["browse"] = page
        except CannotRead as error:
            context["problem"] = str(error)
    return with_address(request, render(request, "workspace/samples.html", context))


@project_page()
def sample(request: HttpRequest, project: Project, key: str) -> HttpResponse:
    source = source_of(project, request.GET)
    context = {
        "project": project,
        "source": source,
        "key": key,
        "back": reverse("workspace:samples", args=[project.slug]),
    }
    try:
        context["sample"] = sample_of(project, source, key, request.GET)
        context["predictions"] = predictions_about(project, key)
    except CannotRead as error:
        context["problem"] = str(error)
    return render(request, "workspace/sample.html", context)
