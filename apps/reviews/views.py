from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.discussions.faces import face, faces
from apps.discussions.queries import count
from apps.experiments.report import run_comparison
from apps.projects.models import Project
from apps.projects.pages import project_page
from apps.projects.policies import can
from apps.registry.models import ModelVersion
from apps.reviews import evidence, policies, queries, services, version_comparison
from apps.reviews.forms import AskAgainForm, DecisionForm, ProposalForm
from apps.reviews.models import Review
from apps.reviews.proposal import candidates


@require_GET
@project_page()
def listing(request: HttpRequest, project: Project) -> HttpResponse:
    show = request.GET.get("show", "open")
    show = show if show in queries.FILTERS else "open"
    context = {
        "project": project,
        "show": show,
        "rows": queries.listed(request.user, project, show),
    }
    context["candidates"] = can(request.user, "maintain", project)
    return render(request, "reviews/reviews.html", context)


@project_page("maintain")
def new(request: HttpRequest, project: Project) -> HttpResponseBase:
    """`?version=digit-fusion/2`: which version is proposed."""
    version = _version(project, request.GET.get("version", ""))
    if review := queries.open_review(version):
        return redirect("reviews:review", project.slug, review.number)
    form = ProposalForm(
        candidates(project, version), request.POST if request.method == "POST" else None
    )
    if request.method == "POST" and form.is_valid():
        try:
            review = services.propose(
                request.user, version, form.cleaned_data["reason"], form.reviewers()
            )
        except ValidationError as error:
            form.add_errors(error.messages)
        else:
            return redirect(review)
    context = {"project": project, "version": version, "form": form}
    return render(request, "reviews/new.html", context, status=422 if form.errors else 200)


def _version(project: Project, key: str) -> ModelVersion:
    slug, _slash, number = key.rpartition("/")
    if not number.isdigit():
        raise Http404
    return get_object_or_404(queries.proposable(project), model__slug=slug, number=int(number))


def _review(project: Project, number: int) -> Review:
    return get_object_or_404(queries.reviews(project), number=number)


@require_GET
@project_page()
def review(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    return _page(request, _review(project, number), "decisions")


def _page(
    request: HttpRequest, row: Review, tab: str, status: int = 200, **more: Any
) -> HttpResponse:
    """Render a tab with what all share: head, gate, comments."""
    people = faces(row.project)
    gate = queries.gate(row, people)
    disciplines = policies.decidable(request.user, row, people)
    own = people[request.user.pk].disciplines if request.user.pk in people else ()
    asks_again = bool(gate.asking) and policies.may_ask_again(request.user, row)
    columns = sorted(gate.columns, key=lambda column: column.discipline not in own)
    context = {
        "project": row.project,
        "review": row,
        "gate": gate,
        "waiting_on": gate.waiting_on(request.user),
        "tab": tab,
        "author": face(people, row.created_by),
        "columns": [
            {"column": column, "yours": column.turn_of(request.user)} for column in columns
        ],
        "answers": [_answers(column, people) for column in columns],
        "form": DecisionForm(disciplines) if disciplines else None,
        "options": DecisionForm.OPTIONS,
        "note_form": AskAgainForm() if asks_again else None,
        "may_promote": can(request.user, "maintain", row.project) and gate.promotable,
        "may_withdraw": policies.may_withdraw(request.user, row),
        "comments": count(row.project, "review", str(row.number)),
    }
    if tab == "decisions":
        context["notes"] = queries.notes(row)
    return render(request, f"reviews/{tab}.html", context | more, status=status)


def _answers(column: queries.GateColumn, people: dict[int, Any]) -> dict[str, Any]:
    """A discipline's decisions, newest first, each with the face of who gave it."""
    decisions = [
        {"decision": decision, "author": face(people, decision.reviewer)}
        for decision in reversed(column.decisions)
    ]
    return {"column": column, "decisions": decisions}


@require_GET
@project_page()
def changes(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    row = _review(project, number)
    after = queries.run_of(row.version)
    before = queries.run_of(row.replaces) if row.replaces else None
    more: dict[str, Any] = {"before": row.replaces}
    if before and before.evaluation and after.evaluation:
        more["figures"] = version_comparison.figures(before, after)
        more["settings"] = run_comparison.settings([before, after])
        numbers = urlencode(
            [("run", before.number), ("run", after.number), ("reference", before.number)]
        )
        more["paired"] = f"{reverse('experiments:compare', args=[project.slug])}?{numbers}"
    return _page(request, row, "changes", **more)


@require_GET
@project_page()
def shown_evidence(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    row = _review(project, number)
    return _page(request, row, "evidence", evidence=evidence.of(queries.run_of(row.version)))


@require_GET
@project_page()
def conversation(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    return _page(request, _review(project, number), "conversation")


@require_POST
@project_page("review")
def decide(request: HttpRequest, project: Project, number: int) -> HttpResponseBase:
    row = _review(project, number)
    if not row.is_open:
        messages.error(request, _("This review is closed; nothing can be decided any more."))
        return redirect(row)
    disciplines = policies.decidable(request.user, row)
    if not disciplines:
        raise PermissionDenied(
            _("Only reviewers who belong to a required discipline can decide here.")
        )
    form = DecisionForm(disciplines, request.POST)
    if not form.is_valid():
        return _page(request, row, "decisions", status=422, form=form)
    data = form.cleaned_data
    try:
        services.decide(request.user, row, data["discipline"], data["verdict"], data["summary"])
    except ValidationError as error:
        form.add_error(None, error.messages)
        return _page(request, row, "decisions", status=422, form=form)
    messages.success(
        request, _("Your decision for %(discipline)s is in.") % {"discipline": data["discipline"]}
    )
    return redirect(row)


@require_POST
@project_page("comment")
def ask_again(request: HttpRequest, project: Project, number: int) -> HttpResponseBase:
    row = _review(project, number)
    form = AskAgainForm(request.POST)
    if not form.is_valid():
        return _page(request, row, "decisions", status=422, note_form=form)
    return _act(
        request,
        row,
        lambda: services.ask_again(request.user, row, form.cleaned_data["note"]),
        _("The review is open again."),
    )


@require_POST
@project_page("maintain")
def promote(request: HttpRequest, project: Project, number: int) -> HttpResponseBase:
    row = _review(project, number)
    success = _("%(version)s is in Staging.") % {"version": row.version}
    return _act(request, row, lambda: services.promote(request.user, row), success)


@require_POST
@project_page("comment")
def withdraw(request: HttpRequest, project: Project, number: int) -> HttpResponseBase:
    row = _review(project, number)
    return _act(
        request,
        row,
        lambda: services.withdraw(request.user, row),
        _("The review is withdrawn."),
    )


def _act(
    request: HttpRequest, row: Review, act: Callable[[], Review], success: str
) -> HttpResponseBase:
    try:
        act()
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, success)
    return redirect(row)
