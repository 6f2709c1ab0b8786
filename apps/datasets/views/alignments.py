"""Alignments: the list, the builder, one alignment and what can be done with it."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from apps.datasets.agreement import agreement_of
from apps.datasets.alignments import services
from apps.datasets.alignments.forms import POLICY_CHOICES, AlignmentForm, initial_of, suggested
from apps.datasets.alignments.preview import leaks, preview
from apps.datasets.alignments.spec import (
    brought,
    checked_spec,
    is_annotation,
    sources_of,
    versions_used,
)
from apps.datasets.browsing.duck import CannotRead
from apps.datasets.browsing.frames import frame_of_versions
from apps.datasets.models import Alignment, Version
from apps.datasets.queries import datasets_of, newest_versions
from apps.projects.models import Project
from apps.projects.pages import has_moved, project_page, refresh
from apps.projects.policies import can
from apps.ui import learning_tasks


@project_page()
def alignment_list(request: HttpRequest, project: Project) -> HttpResponse:
    rows = Alignment.objects.filter(project=project).select_related("created_by", "job")
    context = {
        "project": project,
        "rows": rows,
        "n_datasets": datasets_of(project).count(),
        "may_write": can(request.user, "contribute", project),
    }
    return render(request, "datasets/alignments.html", context)


def _annotators(versions: list[Version]) -> dict[str, list[str]]:
    return {
        version.dataset.slug: sorted(agreement_of(version).annotators)
        for version in versions
        if is_annotation(version)
    }


def _leaking(form: AlignmentForm, versions: list[Version]) -> dict[str, float]:
    """Columns that tell the chosen label: named, and not offered as inputs."""
    spec = form.spec()
    if spec["label"]["source"] not in form.sources:
        return {}
    return leaks(spec, frame_of_versions(versions), versions)


@project_page("contribute")
def new_alignment(request: HttpRequest, project: Project) -> HttpResponse:
    versions = newest_versions(project)
    if not versions:
        return render(request, "datasets/alignment_new.html", {"project": project, "nothing": True})
    try:
        form = AlignmentForm(
            versions,
            _annotators(versions),
            request.POST or (request.GET if "label" in request.GET else None),
            _initial(request, project, versions),
        )
        if request.method == "POST" and request.POST.get("do") in ("save", "freeze"):
            return _save(request, project, form, versions)
        return render(request, "datasets/alignment_new.html", _builder(project, form, versions))
    except CannotRead as error:
        return render(
            request, "datasets/alignment_new.html", {"project": project, "problem": str(error)}
        )


def _initial(request: HttpRequest, project: Project, versions: list[Version]) -> dict[str, Any]:
    if wanted := request.GET.get("like", ""):
        like = get_object_or_404(
            Alignment, project=project, number=wanted if wanted.isdigit() else 0
        )
        return {"name": _("%(name)s, copy") % {"name": like.name}, **initial_of(like.spec)}
    return suggested(sources_of(versions))


def _taken_over(request: HttpRequest, project: Project) -> dict[str, Any]:
    """The parts of a copied alignment that no form shows."""
    wanted = request.GET.get("like", "")
    like = Alignment.objects.filter(
        project=project, number=wanted if wanted.isdigit() else 0
    ).first()
    return brought(like.spec) if like else {}


def _save(
    request: HttpRequest, project: Project, form: AlignmentForm, versions: list[Version]
) -> HttpResponse:
    if form.is_valid():
        try:
            spec = form.spec() | _taken_over(request, project)
            alignment = services.create_alignment(
                request.user, project, form.cleaned_data["name"], spec, versions
            )
            if request.POST["do"] == "freeze":
                services.freeze(request.user, alignment)
            return redirect("datasets:alignment", project.slug, alignment.number)
        except ValidationError as error:
            _tell(form, error)
    return render(
        request, "datasets/alignment_new.html", _builder(project, form, versions), status=422
    )


def _tell(form: AlignmentForm, error: ValidationError) -> None:
    for field, texts in error.message_dict.items():
        for text in texts:
            form.add_error(
                {"split": "policy"}.get(field, field) if field in (*form.fields, "split") else None,
                text,
            )


def _builder(project: Project, form: AlignmentForm, versions: list[Version]) -> dict[str, Any]:
    spec = form.spec()
    leaking = _leaking(form, versions)
    chosen = {
        ref: name for name, modality in spec["modalities"].items() for ref in modality["columns"]
    }
    cards = [
        {
            "version": version,
            "columns": [
                {
                    "source": source,
                    "chosen": source.ref in chosen,
                    "name": chosen.get(source.ref, ""),
                    "leak": leaking.get(source.ref),
                }
                for source in form.offered
                if source.version.pk == version.pk
            ],
        }
        for version in versions
        if not is_annotation(version)
    ]
    context = {
        "project": project,
        "form": form,
        "cards": cards,
        "policies": [{"value": v, "title": t, "text": x} for v, t, x in POLICY_CHOICES],
    }
    context["policy"] = spec["split"]["policy"]
    try:
        full = checked_spec(spec, versions)
        context["preview"] = preview(project, full, versions_used(full, versions))
    except ValidationError as error:
        context["open"] = [text for texts in error.message_dict.values() for text in texts]
    return context


def _found(project: Project, number: int) -> Alignment:
    alignment = (
        Alignment.objects.filter(project=project, number=number)
        .select_related("job", "created_by", "table", "project")
        .first()
    )
    if alignment is None:
        raise Http404
    return alignment


@project_page(write="contribute")
def alignment(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    alignment_of_page = _found(project, number)
    if request.method == "POST":
        return _act(request, project, alignment_of_page)
    if has_moved(request, alignment_of_page.state):
        return refresh()
    versions = list(
        alignment_of_page.versions.select_related("dataset__discipline", "table").order_by("pk")
    )
    context = {
        "project": project,
        "alignment": alignment_of_page,
        "versions": versions,
        "may_write": can(request.user, "contribute", project),
        "split_words": split_words(alignment_of_page.spec),
        "task": learning_tasks.title(alignment_of_page.spec["label"].get("task", "classification")),
        "topics": "alignment job connected"
        if alignment_of_page.state == Alignment.State.FREEZING
        else "alignment job",
        "inputs": [
            {
                "name": name,
                "kind": modality["kind"],
                "columns": modality["columns"],
                "n": _n(alignment_of_page, name),
            }
            for name, modality in alignment_of_page.spec["modalities"].items()
        ],
    }
    try:
        context["preview"] = preview(project, alignment_of_page.spec, versions)
    except CannotRead as error:
        context["problem"] = str(error)
    return render(request, "datasets/alignment.html", context)


def _n(alignment: Alignment, name: str) -> int | None:
    return alignment.summary.get("modalities", {}).get(name, {}).get("present")


def _act(request: HttpRequest, project: Project, alignment: Alignment) -> HttpResponse:
    action = request.POST.get("do", "")
    try:
        if action == "freeze":
            services.freeze(request.user, alignment)
        elif action == "discard":
            services.discard(request.user, alignment)
            messages.success(request, _("The draft is gone."))
            return redirect("datasets:alignments", project.slug)
        elif action == "duplicate":
            alignment = services.duplicate(request.user, alignment)
    except ValidationError as error:
        for text in error.messages:
            messages.error(request, text)
    return redirect("datasets:alignment", project.slug, alignment.number)


def split_words(spec: dict[str, Any]) -> str:
    """The split policy as a sentence."""
    split = spec["split"]
    groups = ", ".join(spec["groups"]) or _("samples")
    values = {
        "groups": groups,
        "test": f"{100 * split.get('test', 0.2):.0f}",
        "folds": split.get("folds", 5),
        "seed": split.get("seed", 7),
    }
    values["column"] = split.get("column", "")
    return {
        "leave-one-group-out": _(
            "Leave one value of %(groups)s out at a time, train on the others and test on it."
        ),
        "by-group": _(
            "Whole values of %(groups)s are drawn for the test until %(test)s %% are reached; "
            "seed %(seed)s."
        ),
        "grouped-k-fold": _(
            "%(folds)s rounds by %(groups)s; each part is the test once; seed %(seed)s."
        ),
        "fixed": _("%(column)s says for each sample whether it is for training or test."),
    }[split["policy"]] % values
