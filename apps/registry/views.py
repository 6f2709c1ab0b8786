from typing import Any

from django.core.exceptions import ValidationError
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET

from apps.discussions.faces import face, faces
from apps.discussions.queries import count
from apps.projects.models import Project
from apps.projects.pages import project_page
from apps.projects.policies import can
from apps.registry import bundles, hooks, queries, services
from apps.registry.forms import CardForm, RegisterForm
from apps.registry.model_card import ModelCard, as_json, build
from apps.registry.models import ModelVersion


@require_GET
@project_page()
def models(request: HttpRequest, project: Project) -> HttpResponse:
    rows = queries.rows(project)
    may = can(request.user, "maintain", project)
    return render(
        request, "registry/models.html", {"project": project, "rows": rows, "may_register": may}
    )


@project_page("maintain")
def new(request: HttpRequest, project: Project) -> HttpResponseBase:
    """`?run=31` chooses the run, `?model=slug` the model."""
    form = RegisterForm(
        project,
        request.POST if request.method == "POST" else None,
        initial=_initial(request, project),
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            version = services.register_run(
                request.user,
                data["run"],
                data["name"],
                data["description"],
                form.card(),
                model=data["model"],
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return redirect(version)
    return render(
        request,
        "registry/new.html",
        {"project": project, "form": form},
        status=422 if form.errors else 200,
    )


def _initial(request: HttpRequest, project: Project) -> dict[str, Any]:
    run = queries.registrable_run(project, request.GET.get("run", ""))
    model = queries.find_model(project, request.GET.get("model", ""))
    return {"run": run, "model": model} | ({"description": model.description} if model else {})


@require_GET
@project_page()
def model(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    row = get_object_or_404(queries.models(project), slug=slug)
    context = {
        "project": project,
        "model": row,
        "lines": queries.lines(row),
        "author": face(faces(project), row.created_by),
        "may_register": can(request.user, "maintain", project),
    }
    return render(request, "registry/model.html", context)


def _version(project: Project, slug: str, number: int) -> ModelVersion:
    return get_object_or_404(queries.whole_versions(project), model__slug=slug, number=number)


@require_GET
@project_page()
def version(request: HttpRequest, project: Project, slug: str, number: int) -> HttpResponse:
    row = _version(project, slug, number)
    people = faces(project)
    context = {
        "project": project,
        "version": row,
        "card": build(row),
        "lines": queries.lines(row.model),
        "actions": hooks.actions_of(request, row),
        "people": people,
        "author": face(people, row.created_by),
        "comments": count(project, "version", row.key),
        "may_edit": can(request.user, "maintain", project),
    }
    return render(request, "registry/version.html", context)


@project_page("maintain")
def edit(request: HttpRequest, project: Project, slug: str, number: int) -> HttpResponseBase:
    row = _version(project, slug, number)
    form = CardForm(
        request.POST if request.method == "POST" else None,
        initial={"description": row.model.description, **row.card},
    )
    if request.method == "POST" and form.is_valid():
        services.change_card(request.user, row, form.cleaned_data["description"], form.card())
        return redirect(row)
    return render(
        request,
        "registry/edit.html",
        {"project": project, "version": row, "form": form},
        status=422 if form.errors else 200,
    )


@require_GET
@project_page()
def card(
    request: HttpRequest, project: Project, slug: str, number: int, form: str
) -> HttpResponseBase:
    """The card as Markdown (with the front matter that model hubs read) or as JSON."""
    model_card = build(_version(project, slug, number))
    name = f"{slug}-{number}"
    if form == "json":
        answer: HttpResponse = JsonResponse(
            as_json(model_card), json_dumps_params={"indent": 2, "ensure_ascii": False}
        )
    else:
        answer = HttpResponse(_markdown(model_card), content_type="text/markdown; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return answer


def _markdown(card: ModelCard) -> str:
    return render_to_string(
        "registry/card.md", {"card": card, "version": card.version, "result": card.result}
    )


@require_GET
@project_page()
def download(request: HttpRequest, project: Project, slug: str, number: int) -> HttpResponseBase:
    """The bundle as a zip, checked by its digests first."""
    row = _version(project, slug, number)
    try:
        archive = bundles.packed(row, _markdown(build(row)))
    except bundles.BundleProblem as problem:
        return render(
            request,
            "registry/no_bundle.html",
            {"project": project, "version": row, "problem": problem},
            status=409,
        )
    return FileResponse(
        archive, as_attachment=True, filename=f"{slug}-{number}.zip", content_type="application/zip"
    )
