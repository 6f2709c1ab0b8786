"""The verbs of discussions: write, reply, change, delete, resolve, and tell people."""

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.projects.events import record
from apps.projects.models import Event, Project
from apps.projects.policies import can, require

from .markdown import parse, plain
from .models import Comment, Notification, Thread

EXCERPT = 160
MAX_BODY = 10_000


@transaction.atomic
def open_thread(
    actor: User,
    project: Project,
    anchor_type: str,
    anchor_id: str,
    label: str,
    body: str,
    people: Iterable[int] = (),
) -> Comment:
    """Begin a discussion. `people`: ids of those whose work it stands on; they hear of it unless
    they write it.
    """
    require(actor, "comment", project)
    thread = Thread.objects.create(
        project=project,
        anchor_type=anchor_type,
        anchor_id=anchor_id,
        anchor_label=label[:160],
        created_by=actor,
    )
    return _write(actor, thread, body, "comment.added", people)


@transaction.atomic
def reply(actor: User, thread: Thread, body: str, people: Iterable[int] = ()) -> Comment:
    require(actor, "comment", thread.project)
    return _write(actor, thread, body, "comment.replied", people)


def _write(actor: User, thread: Thread, body: str, verb: str, people: Iterable[int]) -> Comment:
    comment = Comment.objects.create(thread=thread, author=actor, body=_checked(body))
    mentioned = _mention(comment)
    event = _record(actor, thread, verb, comment)
    owners = set(people)
    notify(event, mentioned, Notification.Reason.MENTION)
    notify(event, _participants(thread), Notification.Reason.REPLY)
    notify(event, User.objects.filter(pk__in=owners), Notification.Reason.COMMENT)
    settle(
        actor,
        thread.project,
        thread.anchor_type,
        thread.anchor_id,
        Notification.Reason.MENTION,
        but=event,
    )
    return comment


def _checked(body: str) -> str:
    text = body.strip()
    if not text:
        raise ValidationError({"body": _("Write something first.")})
    if len(text) > MAX_BODY:
        raise ValidationError(
            {"body": _("A comment has at most %(n)d characters.") % {"n": MAX_BODY}}
        )
    return text


def mentionable(project: Project) -> dict[str, int]:
    """Name in lower case -> user id, of every member."""
    return {
        name.lower(): pk
        for pk, name in project.members.values_list("user_id", "user__name")
        if name
    }


def _mention(comment: Comment) -> list[User]:
    ids = parse(comment.body, mentionable(comment.thread.project)).mentioned
    users = list(User.objects.filter(pk__in=ids))
    comment.mentions.set(users)
    return users


def _participants(thread: Thread) -> QuerySet[User]:
    """Everybody who wrote on this object, in any thread of it."""
    threads = Thread.objects.filter(
        project=thread.project, anchor_type=thread.anchor_type, anchor_id=thread.anchor_id
    )
    wrote = Comment.objects.filter(thread__in=threads, deleted_at=None, author__isnull=False)
    return User.objects.filter(pk__in=wrote.values("author_id"))


def _record(actor: User, thread: Thread, verb: str, comment: Comment | None = None) -> Event:
    data = {"thread": thread.pk}
    if comment:
        data |= {"comment": comment.pk, "excerpt": _excerpt(comment.body)}
    return record(
        thread.project,
        actor,
        verb,
        thread.anchor_type,
        thread.anchor_id,
        thread.anchor_label,
        **data,
    )


def _excerpt(body: str) -> str:
    line = plain(body)
    return line if len(line) <= EXCERPT else f"{line[: EXCERPT - 1].rstrip()}…"


@transaction.atomic
def edit(actor: User, comment: Comment, body: str) -> Comment:
    """Only the author; people newly mentioned are told."""
    project = comment.thread.project
    require(actor, "comment", project)
    _require_author(actor, comment)
    before = set(comment.mentions.values_list("pk", flat=True))
    comment.body, comment.edited_at = _checked(body), timezone.now()
    comment.save(update_fields=["body", "edited_at"])
    fresh = [user for user in _mention(comment) if user.pk not in before]
    event = _record(actor, comment.thread, "comment.edited", comment)
    notify(event, fresh, Notification.Reason.MENTION)
    return comment


@transaction.atomic
def delete(actor: User, comment: Comment) -> None:
    """The comment's place stays, its words are no longer shown; the author can bring it back."""
    require(actor, "comment", comment.thread.project)
    if comment.author_id != actor.pk:
        require(actor, "maintain", comment.thread.project)
    Comment.objects.filter(pk=comment.pk, deleted_at=None).update(deleted_at=timezone.now())
    Notification.objects.filter(
        event__project=comment.thread.project,
        event__verb__startswith="comment.",
        event__data__comment=comment.pk,
    ).delete()
    _record(actor, comment.thread, "comment.deleted")


@transaction.atomic
def restore(actor: User, comment: Comment) -> None:
    require(actor, "comment", comment.thread.project)
    if comment.author_id != actor.pk:
        require(actor, "maintain", comment.thread.project)
    Comment.objects.filter(pk=comment.pk).update(deleted_at=None)
    _record(actor, comment.thread, "comment.restored")


def _require_author(actor: User, comment: Comment) -> None:
    if comment.author_id != actor.pk or comment.deleted_at:
        raise PermissionDenied(_("Only the person who wrote a comment can change it."))


@transaction.atomic
def resolve(actor: User, thread: Thread) -> None:
    require(actor, "comment", thread.project)
    if Thread.objects.filter(pk=thread.pk, resolved_at=None).update(
        resolved_at=timezone.now(), resolved_by=actor
    ):
        _record(actor, thread, "comment.resolved")


@transaction.atomic
def reopen(actor: User, thread: Thread) -> None:
    require(actor, "comment", thread.project)
    if (
        Thread.objects.filter(pk=thread.pk)
        .exclude(resolved_at=None)
        .update(resolved_at=None, resolved_by=None)
    ):
        _record(actor, thread, "comment.reopened")


def notify(event: Event, users: Iterable[User], reason: Notification.Reason) -> None:
    """Tell people of an event: each once, whatever the reasons, never the one who did it, only
    those who may see the project.
    """
    users_by_id = {user.pk: user for user in users if user.is_active and user.pk != event.actor_id}
    if event.project is not None:
        users_by_id = {
            pk: user for pk, user in users_by_id.items() if can(user, "view", event.project)
        }
    Notification.objects.bulk_create(
        [Notification(user=user, event=event, reason=reason) for user in users_by_id.values()],
        ignore_conflicts=True,
    )


def settle(
    user: User,
    project: Project,
    target_type: str,
    target_id: str,
    *reasons: Notification.Reason,
    but: Event | None = None,
) -> None:
    """Mark as done the requests to the person here that were answered or decided."""
    waiting = Notification.objects.filter(
        user=user, done_at=None, reason__in=reasons, event__project=project
    )
    waiting = waiting.filter(event__target_type=target_type, event__target_id=str(target_id))
    if but:
        waiting = waiting.exclude(event=but)
    waiting.update(done_at=timezone.now())


def read(user: User, notification: Notification) -> None:
    """Opening one marks that one alone."""
    Notification.objects.filter(pk=notification.pk, user=user, read_at=None).update(
        read_at=timezone.now()
    )


def finish(user: User, notifications: QuerySet[Notification]) -> list[int]:
    """Mark as done; returns the ids that changed, for undo."""
    ids = list(notifications.filter(user=user, done_at=None).values_list("pk", flat=True))
    now = timezone.now()
    Notification.objects.filter(pk__in=ids).update(done_at=now)
    Notification.objects.filter(pk__in=ids, read_at=None).update(read_at=now)
    return ids


def bring_back(user: User, ids: Iterable[int]) -> int:
    return Notification.objects.filter(user=user, pk__in=list(ids)).update(done_at=None)
