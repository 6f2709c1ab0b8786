"""Name, description and licence of a data set; delete it and bring it back."""

from copy import copy

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.datasets import queries, services
from apps.datasets.forms import DataSetForm
from apps.datasets.models import DataSet
from apps.projects.models import Project
from apps.projects.pages import project_page
from apps.projects.policies import can


def dataset_in(project: Project, slug: str, deleted: bool = False) -> DataSet:
    return get_object_or_404(queries.datasets_of(project, deleted), slug=slug)


@project_page("contribute")
def change(request: HttpRequest, project: Project, dataset: str) -> HttpResponse:
    row = dataset_in(project, dataset)
    form = DataSetForm(request.POST or None, instance=copy(row))
    if request.method == "POST" and form.is_valid():
        services.change_dataset(request.user, row, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("datasets:dataset", project.slug, row.slug)
    context = {
        "project": project,
        "dataset": row,
        "form": form,
        "may_delete": can(request.user, "maintain", project),
    }
    return render(
        request, "datasets/upload_change.html", context, status=422 if form.errors else 200
    )


@project_page("maintain")
@require_POST
def delete(request: HttpRequest, project: Project, dataset: str) -> HttpResponse:
    row = dataset_in(project, dataset)
    services.delete_dataset(request.user, row)
    undo = reverse("datasets:restore", args=[project.slug, row.slug])
    messages.success(
        request, _("%(name)s was deleted.") % {"name": row.name}, extra_tags=f"undo:{undo}"
    )
    return redirect("datasets:list", project.slug)


@project_page("maintain")
@require_POST
def restore(request: HttpRequest, project: Project, dataset: str) -> HttpResponse:
    row = dataset_in(project, dataset, deleted=True)
    services.restore_dataset(request.user, row)
    messages.success(request, _("%(name)s is back.") % {"name": row.name})
    return redirect("datasets:dataset", project.slug, row.slug)
