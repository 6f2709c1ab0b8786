from functools import partial

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from apps.discussions import queries, services
from apps.discussions.anchors import Anchor, find
from apps.discussions.faces import faces
from apps.discussions.forms import CommentForm
from apps.discussions.models import Comment, Thread
from apps.discussions.queries import RefusedComment
from apps.projects.models import Project
from apps.projects.pages import project_page
from apps.projects.sentences import sentence_of

signer = Signer(salt="discussions.undo")
"""Undo of "Mark all": the address holds the ids, so nobody needs to keep them."""


@vary_on_headers("HX-Request")
@project_page("view", write="comment")
def discussion(request: HttpRequest, project: Project, kind: str, anchor: str) -> HttpResponseBase:
    """The discussion of one object: its list alone for htmx, else a page of its own. POST opens a
    thread.
    """
    target = find(project, kind, anchor)
    if request.method != "POST":
        return _show(request, project, kind, anchor, target)
    write = partial(
        services.open_thread,
        request.user,
        project,
        kind,
        anchor,
        target.label,
        people=target.people,
    )
    return _submit(request, project, kind, anchor, target, write)


@require_POST
@project_page("comment")
def reply(request: HttpRequest, project: Project, thread: int) -> HttpResponseBase:
    row = get_object_or_404(queries.threads_of(project), pk=thread)
    target = find(project, row.anchor_type, row.anchor_id)
    write = partial(services.reply, request.user, row, people=target.people)
    return _submit(request, project, row.anchor_type, row.anchor_id, target, write, thread=row.pk)


@require_POST
@project_page("comment")
def settle(request: HttpRequest, project: Project, thread: int, verb: str) -> HttpResponseBase:
    """Resolve or reopen."""
    row = get_object_or_404(queries.threads_of(project), pk=thread)
    (services.resolve if verb == "resolve" else services.reopen)(request.user, row)
    return _after(request, project, row, f"t-{row.pk}")


@project_page("comment")
def change(request: HttpRequest, project: Project, comment: int) -> HttpResponseBase:
    row = get_object_or_404(queries.comments_of(project), pk=comment)
    target = find(project, row.thread.anchor_type, row.thread.anchor_id)
    form = CommentForm(
        request.POST if request.method == "POST" else None, initial={"body": row.body}
    )
    if request.method == "POST" and form.is_valid():
        services.edit(request.user, row, form.cleaned_data["body"])
        return redirect(f"{target.url}#c-{row.pk}")
    return render(
        request,
        "discussions/edit.html",
        {"project": project, "form": form, "target": target},
        status=422 if form.errors else 200,
    )


@require_POST
@project_page("comment")
def remove(request: HttpRequest, project: Project, comment: int, verb: str) -> HttpResponseBase:
    """Delete, or bring back."""
    row = get_object_or_404(queries.comments_of(project), pk=comment)
    (services.delete if verb == "delete" else services.restore)(request.user, row)
    return _after(request, project, row.thread, f"c-{row.pk}")


@require_GET
@project_page("view")
def permalink(request: HttpRequest, project: Project, comment: int) -> HttpResponseBase:
    row = get_object_or_404(queries.comments_of(project), pk=comment)
    return redirect(f"{find(project, row.thread.anchor_type, row.thread.anchor_id).url}#c-{row.pk}")


@require_GET
@project_page("view")
def members(request: HttpRequest, project: Project) -> HttpResponseBase:
    """Answer the list behind @: members who can be mentioned, and the text that is written for
    each.
    """
    people = faces(project).values()
    people = [
        {
            "handle": face.name,
            "name": face.name,
            "note": face.discipline.name if face.discipline else "",
        }
        for face in people
    ]
    return JsonResponse(people, safe=False)


def _submit(
    request: HttpRequest,
    project: Project,
    kind: str,
    anchor: str,
    target: Anchor,
    write: partial[Comment],
    **where: int,
) -> HttpResponseBase:
    form = CommentForm(request.POST)
    if form.is_valid():
        try:
            comment = write(body=form.cleaned_data["body"])
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return (
                _show(request, project, kind, anchor, target)
                if request.htmx
                else redirect(f"{target.url}#c-{comment.pk}")
            )
    return _show(request, project, kind, anchor, target, RefusedComment(form, **where))


def _after(
    request: HttpRequest, project: Project, thread: Thread, fragment: str
) -> HttpResponseBase:
    target = find(project, thread.anchor_type, thread.anchor_id)
    if request.htmx:
        return _show(request, project, thread.anchor_type, thread.anchor_id, target)
    return redirect(f"{target.url}#{fragment}")


def _show(
    request: HttpRequest,
    project: Project,
    kind: str,
    anchor: str,
    target: Anchor,
    refused: RefusedComment | None = None,
) -> HttpResponse:
    shown = queries.discussion(request.user, project, kind, anchor, target.label, refused)
    template = "discussions/_discussion.html" if request.htmx else "discussions/discussion.html"
    context = {"project": project, "discussion": shown, "target": target, "refused": refused}
    return render(request, template, context, status=422 if refused else 200)


@require_GET
def inbox(request: HttpRequest) -> HttpResponse:
    counts = queries.filter_counts(request.user)
    show = request.GET.get("show", "")
    if show not in queries.FILTERS:
        show = "needs" if counts["needs"] else "all"
    title, text = queries.empty_words(show)
    context = {
        "show": show,
        "counts": counts,
        "groups": queries.groups(request.user, show),
        "empty_title": title,
        "empty_text": text,
    }
    return render(request, "discussions/inbox.html", context)


@require_GET
def open_one(request: HttpRequest, notification: int) -> HttpResponseBase:
    """Go to the object itself; only this notification becomes read."""
    row = get_object_or_404(queries.notifications(request.user), pk=notification)
    services.read(request.user, row)
    event = row.event
    if event.project and event.verb.startswith("comment.") and "comment" in event.data:
        return redirect("discussions:comment", event.project.slug, event.data["comment"])
    return redirect(sentence_of(event).url)


@require_POST
def done(request: HttpRequest) -> HttpResponseBase:
    """One, a group, or all that the filter shows; the toast offers Undo."""
    chosen = [int(pk) for pk in request.POST.getlist("id") if pk.isdigit()]
    show = request.POST.get("show", "all")
    rows = queries.chosen(request.user, show, None if "all" in request.POST else chosen)
    ids = services.finish(request.user, rows)
    if ids:
        text = ngettext(
            "%(n)d notification is done.", "%(n)d notifications are done.", len(ids)
        ) % {"n": len(ids)}
        undo = (
            reverse("discussions:undo", args=[signer.sign("-".join(map(str, ids)))])
            if len(ids) <= queries.GROUPED
            else ""
        )
        messages.success(request, text, extra_tags=f"undo:{undo}" if undo else "")
    return redirect(
        f"{reverse('discussions:inbox')}?show={show if show in queries.FILTERS else 'all'}"
    )


@require_POST
def undo(request: HttpRequest, ids: str) -> HttpResponseBase:
    """Back into the inbox; the ids are signed by `done`, and only one's own rows change."""
    try:
        chosen = [int(pk) for pk in signer.unsign(ids).split("-")]
    except BadSignature:
        messages.error(request, _("This can no longer be undone."))
    else:
        services.bring_back(request.user, chosen)
    return redirect(f"{reverse('discussions:inbox')}?show=all")
