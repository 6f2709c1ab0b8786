"""The list of data sets, and one data set: its rows, columns, check report, versions, agreement,
discussion.
"""

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.datasets import queries
from apps.datasets.agreement import agreement_of
from apps.datasets.browsing.duck import CannotRead
from apps.datasets.browsing.filters import address, tidy
from apps.datasets.browsing.frames import frame_of_version
from apps.datasets.browsing.sample_list import browse
from apps.datasets.models import DataSet, Version
from apps.datasets.uploads.problems import groups_for
from apps.projects.models import Project
from apps.projects.pages import project_page
from apps.projects.policies import can
from apps.ui.components.modalities import MODALITIES


@project_page()
def dataset_list(request: HttpRequest, project: Project) -> HttpResponse:
    filters = {
        name: request.GET.get(name, "") for name in ("q", "discipline", "modality", "kind", "sort")
    }
    rows = queries.dataset_list(project, filters)
    context = {
        "project": project,
        "rows": rows,
        "filters": filters,
        "filtered": any(filters[name] for name in ("q", "discipline", "modality", "kind")),
        "total": queries.n_datasets(project),
        "uploads": queries.open_uploads(project),
        "disciplines": project.disciplines.all(),
        "modality_choices": [
            (kind, MODALITIES[kind].label) for kind in (*queries.INPUT_KINDS, "table")
        ],
        "kind_choices": DataSet.Kind.choices,
        "may_write": can(request.user, "contribute", project),
    }
    return render(request, "datasets/list.html", context)


def _version(request: HttpRequest, versions: list[Version]) -> Version | None:
    wanted = request.GET.get("v", "")
    if not wanted:
        return versions[0] if versions else None
    version = next((version for version in versions if str(version.number) == wanted), None)
    if version is None:
        raise Http404(_("This data set has no such version."))
    return version


def _frame_context(request: HttpRequest, project: Project, slug: str, tab: str) -> dict[str, Any]:
    dataset = get_object_or_404(queries.datasets_of(project), slug=slug)
    versions = list(queries.versions_of(dataset))
    version = _version(request, versions)
    return {
        "project": project,
        "dataset": dataset,
        "versions": versions,
        "version": version,
        "is_newest": bool(versions) and version == versions[0],
        "tab": tab,
        "kinds": queries.kinds_of(version) if version else [],
        "set_aside": queries.n_found(version, "broken_file") if version else 0,
        "n_problems": len(version.report.get("groups", [])) if version else 0,
        "stays": f"?v={request.GET['v']}" if request.GET.get("v") else "",
        "may_write": can(request.user, "contribute", project),
    }


@project_page()
def dataset(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """The rows. An htmx request gets the same page; it picks the results out of it."""
    request.GET = tidy(request.GET)
    context = _frame_context(request, project, slug, "samples")
    if context["version"] is None:
        return render(request, "datasets/empty.html", context)
    context["base"] = reverse("datasets:dataset", args=[project.slug, slug])
    try:
        context["browse"] = browse(frame_of_version(context["version"]), request.GET, project)
        context["browse"].link = request.build_absolute_uri(
            address(request.GET, page=context["browse"].page.number)
        )
    except CannotRead as error:
        context["problem"] = str(error)
    return with_address(request, render(request, "datasets/dataset.html", context))


def with_address(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The browser's address after a filter: what was chosen, without the fields that were left
    empty.
    """
    if request.htmx:
        response["HX-Push-Url"] = f"{request.path}?{request.GET.urlencode()}"
    return response


def _columns(context: dict[str, Any]) -> dict[str, Any]:
    version = context["version"]
    rows = version.n_rows or 1
    return {
        "columns": [
            {
                **spec,
                "share": spec.get("missing", 0) / rows,
                "is_key": spec["name"] == version.key_column,
            }
            for spec in version.columns
        ]
    }


def _report(context: dict[str, Any]) -> dict[str, Any]:
    return {"groups": groups_for(context["version"].report)}


def _agreement(context: dict[str, Any]) -> dict[str, Any]:
    if context["dataset"].kind != DataSet.Kind.ANNOTATION:
        raise Http404
    try:
        agreement = agreement_of(context["version"])
    except CannotRead as error:
        return {"problem": str(error)}
    rows = [
        {"key": contradiction.key, "labels": contradiction.by(agreement.annotators)}
        for contradiction in agreement.contradictions
    ]
    return {"agreement": agreement, "contradictions_by": rows}


def _nothing(_context: dict[str, Any]) -> dict[str, Any]:
    return {}


TABS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "columns": _columns,
    "check": _report,
    "versions": _nothing,
    "agreement": _agreement,
    "discussion": _nothing,
}


@project_page()
def dataset_tab(request: HttpRequest, project: Project, slug: str, tab: str) -> HttpResponse:
    if tab not in TABS:
        raise Http404
    context = _frame_context(request, project, slug, tab)
    if context["version"] is None:
        return render(request, "datasets/empty.html", context)
    return render(request, f"datasets/{tab}.html", context | TABS[tab](context))
