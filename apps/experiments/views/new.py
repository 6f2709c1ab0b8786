"""The page that starts a run: a form and a text that are two views of one recipe."""

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render

from apps.experiments import queries, services
from apps.experiments.recipe.forms import RunForm, YamlForm
from apps.experiments.recipe.run_start import Start, preset_cards, start_of
from apps.experiments.recipe.summary import summary
from apps.projects.models import Project
from apps.projects.pages import project_page


@project_page("contribute")
def new_run(request: HttpRequest, project: Project) -> HttpResponseBase:
    posted = request.method == "POST"
    start = start_of(project, request.POST if posted else request.GET)
    if start is None:
        context = {"project": project, "drafts": queries.count_drafts(project)}
        return render(request, "experiments/new.html", context)
    action = request.GET.get("do") or request.POST.get("do", "start") if posted else "show"
    if action in ("show", "fill"):
        return show(request, start, start.form())
    form = start.bound_form()
    valid = form.is_valid()
    if action == "form" and valid:
        return show(request, start, start.form(form.recipe))
    if action == "yaml" and valid:
        return show(request, start, start.yaml_form(form.recipe))
    if action == "start" and valid:
        return begin(request, start, form)
    return show(request, start, form, 200 if valid or action == "preview" else 422)


def begin(request: HttpRequest, start: Start, form: RunForm | YamlForm) -> HttpResponse:
    assert form.recipe is not None
    question = form.cleaned_data["question"]
    try:
        run = services.start_run(
            request.user, start.project, start.alignment, form.recipe, question, start.parent
        )
    except ValidationError as error:
        form.add_error(None, error.messages)
        return show(request, start, form, 422)
    return redirect(run)


def show(
    request: HttpRequest, start: Start, form: RunForm | YamlForm, status: int = 200
) -> HttpResponse:
    context = {
        "project": start.project,
        "start": start,
        "form": form,
        "yaml": isinstance(form, YamlForm),
        "cards": preset_cards(start),
        "summary": summary(start, form),
    }
    return render(request, "experiments/new.html", context, status=status)
