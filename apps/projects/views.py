from copy import copy
from typing import Any

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from . import queries, services
from .forms import (
    ROLE_WORDS,
    DisciplineForm,
    InviteForm,
    JoinForm,
    MemberForm,
    ProjectForm,
    StartFormSet,
)
from .models import Invitation, Member, Project, Role
from .pages import project_page
from .policies import can


def refused(form: BaseForm, error: ValidationError) -> None:
    """Put a service's refusal beside the field that it names."""
    fields = error.message_dict if hasattr(error, "error_dict") else {"__all__": error.messages}
    for name, texts in fields.items():
        form.add_error(name if name in form.fields else None, texts)


def new(request: HttpRequest) -> HttpResponse:
    form, rows = (
        ProjectForm(request.POST or None),
        StartFormSet(request.POST or None, prefix="disciplines"),
    )
    if request.method == "POST" and form.is_valid() and rows.is_valid():
        project = services.create_project(
            request.user, form.cleaned_data["name"], form.cleaned_data["goal"], rows.disciplines()
        )
        return redirect(project)
    bad = request.method == "POST"
    return render(
        request, "projects/new.html", {"form": form, "rows": rows}, status=422 if bad else 200
    )


@project_page("view", write="own")
def members(request: HttpRequest, project: Project) -> HttpResponse:
    form = InviteForm(request.POST or None, project=project)
    if request.method == "POST" and form.is_valid():
        fields = form.cleaned_data
        try:
            services.invite(
                request.user, project, fields["email"], Role(fields["role"]), fields["disciplines"]
            )
        except ValidationError as error:
            refused(form, error)
        else:
            messages.success(
                request,
                _("Copy the link below and send it to %(email)s.") % {"email": fields["email"]},
            )
            return redirect("projects:members", project.slug)
    rows = [{"member": member, "face": queries.face(member)} for member in queries.members(project)]
    context = {
        "project": project,
        "rows": rows,
        "form": form,
        "owner": can(request.user, "own", project),
        "invitations": [
            {
                "row": row,
                "link": request.build_absolute_uri(reverse("projects:join", args=[row.pk])),
            }
            for row in queries.open_invitations(project)
        ],
        "roles": [{"label": role.label, "words": words} for role, words in ROLE_WORDS.items()],
    }
    return render(request, "projects/members.html", context, status=422 if form.errors else 200)


@project_page("own")
def member(request: HttpRequest, project: Project, pk: int) -> HttpResponse:
    row = get_object_or_404(queries.members(project), user_id=pk)
    form = MemberForm(request.POST or None, instance=row, project=project)
    if request.method == "POST" and form.is_valid():
        try:
            services.set_member(
                request.user,
                project,
                row.user,
                Role(form.cleaned_data["role"]),
                form.cleaned_data["disciplines"],
            )
        except ValidationError as error:
            refused(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("projects:members", project.slug)
    return render(
        request,
        "projects/member.html",
        {"project": project, "row": row, "form": form},
        status=422 if form.errors else 200,
    )


@require_POST
@project_page("view")
def remove_member(request: HttpRequest, project: Project, pk: int) -> HttpResponse:
    row: Member = get_object_or_404(queries.members(project), user_id=pk)
    try:
        services.remove_member(request.user, project, row.user)
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("projects:members", project.slug)
    messages.success(request, _("%(name)s is no longer a member.") % {"name": row.user})
    return (
        redirect("home") if row.user == request.user else redirect("projects:members", project.slug)
    )


@require_POST
@project_page("own")
def revoke(request: HttpRequest, project: Project, pk: str) -> HttpResponse:
    services.revoke_invitation(request.user, get_object_or_404(project.invitations, pk=pk))
    messages.success(request, _("The link works no longer."))
    return redirect("projects:members", project.slug)


@project_page("view", write="maintain")
def disciplines(request: HttpRequest, project: Project) -> HttpResponse:
    form = DisciplineForm(request.POST or None, project=project)
    if request.method == "POST" and form.is_valid():
        services.add_discipline(request.user, project, **form.cleaned_data)
        return redirect("projects:disciplines", project.slug)
    context = {
        "project": project,
        "rows": queries.disciplines(project),
        "form": form,
        "maintainer": can(request.user, "maintain", project),
    }
    return render(request, "projects/disciplines.html", context, status=422 if form.errors else 200)


@project_page("maintain")
def discipline(request: HttpRequest, project: Project, code: str) -> HttpResponse:
    row = get_object_or_404(queries.disciplines(project), code=code)
    form = DisciplineForm(request.POST or None, instance=copy(row), project=project)
    if request.method == "POST" and form.is_valid():
        services.change_discipline(request.user, row, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("projects:disciplines", project.slug)
    return render(
        request,
        "projects/discipline.html",
        {"project": project, "row": row, "form": form},
        status=422 if form.errors else 200,
    )


@project_page("own")
def settings(request: HttpRequest, project: Project) -> HttpResponse:
    form = ProjectForm(request.POST or None, instance=copy(project))
    if request.method == "POST" and form.is_valid():
        services.change_project(request.user, project, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("projects:settings", project.slug)
    return render(
        request,
        "projects/settings.html",
        {"project": project, "form": form},
        status=422 if form.errors else 200,
    )


@login_not_required
def join(request: HttpRequest, pk: str) -> HttpResponse:
    """Accept an invitation, sign in first, or make the account."""
    invitation = get_object_or_404(queries.invitations(), pk=pk)
    account = queries.has_account(invitation)
    form = JoinForm(request.POST or None) if not account else None
    problem = ""
    if request.method == "POST":
        try:
            return _accept(request, invitation, form)
        except ValidationError as error:
            problem = "" if form else error.messages[0]
            if form:
                refused(form, error)
    context: dict[str, Any] = {
        "invitation": invitation,
        "form": form,
        "account": account,
        "problem": problem,
    }
    return render(
        request, "projects/join.html", context, status=422 if request.method == "POST" else 200
    )


def _accept(request: HttpRequest, invitation: Invitation, form: JoinForm | None) -> HttpResponse:
    user = request.user
    if form:
        if not form.is_valid():
            raise ValidationError({})
        user = services.join_as_new_person(
            invitation, form.cleaned_data["name"], form.cleaned_data["password"]
        )
        login(request, user, backend="allauth.account.auth_backends.AuthenticationBackend")
    elif not user.is_authenticated:
        return redirect(f"{reverse('account_login')}?next={request.path}")
    else:
        services.accept_invitation(invitation, user)
    return redirect(invitation.project)
