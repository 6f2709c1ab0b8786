"""Discussions and the inbox as pages show them, each in a bounded number of queries."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

from django.db.models import Count, Prefetch, Q, QuerySet
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.discussions.anchors import find_many
from apps.discussions.faces import Face, face, faces
from apps.discussions.forms import CommentForm
from apps.discussions.markdown import Parsed, Reference, parse, render
from apps.discussions.models import Comment, Notification, Thread
from apps.projects.models import Project
from apps.projects.policies import can
from apps.projects.sentences import EventSentence, sentence_of

RESTORE_DAYS = 30


@dataclass(slots=True)
class ShownComment:
    """A comment as a page shows it, with what the reader may do to it."""

    comment: Comment
    author: Face | None
    html: SafeString
    may_edit: bool
    may_delete: bool
    may_restore: bool

    @property
    def anchor(self) -> str:
        return f"c-{self.comment.pk}"


@dataclass(slots=True)
class ShownThread:
    """A thread with its comments; `form` is there for who may reply."""

    thread: Thread
    remarks: list[ShownComment]
    form: CommentForm | None


@dataclass(slots=True)
class Discussion:
    project: Project
    kind: str
    anchor_id: str
    label: str
    talks: list[ShownThread]
    form: CommentForm | None
    """None for viewers: they read."""

    @property
    def count(self) -> int:
        return sum(not remark.comment.deleted_at for talk in self.talks for remark in talk.remarks)

    @property
    def topic(self) -> str:
        return f"{self.kind}:{self.anchor_id}"


@dataclass(slots=True)
class RefusedComment:
    """A form that came back with errors: of a thread, or the one that opens a discussion."""

    form: CommentForm
    thread: int | None = None


def threads_of(project: Project) -> QuerySet[Thread]:
    return Thread.objects.filter(project=project).select_related("resolved_by")


def comments_of(project: Project) -> QuerySet[Comment]:
    rows = Comment.objects.filter(thread__project=project)
    return rows.select_related("thread__project")


def threads(project: Project, kind: str, anchor_id: str) -> QuerySet[Thread]:
    comments = Comment.objects.select_related("author")
    rows = threads_of(project).filter(anchor_type=kind, anchor_id=anchor_id)
    return rows.prefetch_related(Prefetch("comments", comments))


def discussion(
    user: User,
    project: Project,
    kind: str,
    anchor_id: str,
    label: str,
    refused: RefusedComment | None = None,
    known: dict[int, Face] | None = None,
) -> Discussion:
    """All threads of one object: at most six queries, whatever their number. `known`: the project's
    faces where the page has them.
    """
    rows = list(threads(project, kind, anchor_id))
    builder = _Builder(user, project, refused, faces(project) if known is None else known)
    builder.parse(comment for thread in rows for comment in thread.comments.all())
    talks = [builder.talk(thread) for thread in rows]
    written = sum(thread.created_by_id == user.pk for thread in rows)
    form = builder.form(f"new-{written}", refused if refused and refused.thread is None else None)
    return Discussion(project, kind, anchor_id, label, talks, form)


class _Builder:
    """Holds what all comments of a page share: faces, names, links, rights."""

    def __init__(
        self, user: User, project: Project, refused: RefusedComment | None, known: dict[int, Face]
    ) -> None:
        self.user, self.project, self.refused = user, project, refused
        self.faces = known
        self.names = {known.name.lower(): pk for pk, known in self.faces.items()}
        self.may_comment = can(user, "comment", project)
        self.may_maintain = can(user, "maintain", project)
        self.parsed: dict[int, Parsed] = {}
        self.links: dict[Reference, str] = {}

    def parse(self, comments: Iterable[Comment]) -> None:
        self.parsed = {
            comment.pk: parse(comment.body, self.names)
            for comment in comments
            if not comment.deleted_at
        }
        wanted = {reference for parsed in self.parsed.values() for reference in parsed.references}
        for kind in sorted({kind for kind, _id in wanted}):
            known = find_many(
                self.project,
                kind,
                [anchor_id for anchor_kind, anchor_id in wanted if anchor_kind == kind],
            )
            self.links |= {(kind, anchor_id): anchor.url for anchor_id, anchor in known.items()}

    def form(self, prefix: str, refused: RefusedComment | None) -> CommentForm | None:
        """The ids change once the person has written, so that the box is new and empty after a swap
        that keeps what others type.
        """
        if not self.may_comment:
            return None
        if refused:
            refused.form.auto_id = f"{prefix}-%s"
            return refused.form
        return CommentForm(auto_id=f"{prefix}-%s")

    def talk(self, thread: Thread) -> ShownThread:
        comments = list(thread.comments.all())
        written = sum(comment.author_id == self.user.pk for comment in comments)
        refused = self.refused if self.refused and self.refused.thread == thread.pk else None
        return ShownThread(
            thread,
            [self.remark(comment) for comment in comments],
            self.form(f"reply-{thread.pk}-{written}", refused),
        )

    def remark(self, comment: Comment) -> ShownComment:
        is_own = comment.author_id == self.user.pk
        may_change = self.may_comment and (is_own or self.may_maintain)
        parsed = self.parsed.get(comment.pk)
        html = render(parsed, self.names, self.links) if parsed else SafeString("")
        recent = bool(
            comment.deleted_at
            and comment.deleted_at > timezone.now() - timedelta(days=RESTORE_DAYS)
        )
        deleted = comment.deleted_at is not None
        return ShownComment(
            comment,
            face(self.faces, comment.author),
            html,
            may_edit=is_own and self.may_comment and not deleted,
            may_delete=may_change and not deleted,
            may_restore=may_change and recent,
        )


def count(project: Project, kind: str, anchor_id: str) -> int:
    """Comments on one object, for a tab or a meta line."""
    return Comment.objects.filter(
        thread__project=project,
        thread__anchor_type=kind,
        thread__anchor_id=anchor_id,
        deleted_at=None,
    ).count()


# Inbox

NEEDS_ME = (Notification.Reason.MENTION, Notification.Reason.REVIEW)
FILTERS = ("needs", "mentions", "all", "done")
GROUPED = 200


@dataclass(slots=True)
class InboxItem:
    notification: Notification
    sentence: EventSentence
    actor: Face | None


@dataclass(slots=True)
class InboxGroup:
    """Everything about one object, newest first."""

    project: Project | None
    sentence: EventSentence
    items: list[InboxItem]

    @property
    def unread(self) -> int:
        return sum(item.notification.read_at is None for item in self.items)

    @property
    def ids(self) -> list[int]:
        return [item.notification.pk for item in self.items]


def notifications(user: User) -> QuerySet[Notification]:
    """Return the person's notifications, of projects that the person may still see."""
    visible = Q(event__project__isnull=True) | Q(
        event__project__in=Project.objects.visible_to(user)
    )
    return Notification.objects.filter(visible, user=user).select_related("event__project")


def chosen(user: User, show: str, ids: Collection[int] | None) -> QuerySet[Notification]:
    """Return the notifications with these ids; all that the filter shows where `ids` is None."""
    if ids is None:
        return filtered(user, show)
    return Notification.objects.filter(user=user, pk__in=ids)


def filtered(user: User, show: str) -> QuerySet[Notification]:
    own = notifications(user)
    if show == "done":
        return own.exclude(done_at=None).order_by("-done_at", "-id")
    unfinished = own.filter(done_at=None)
    if show == "needs":
        return unfinished.filter(reason__in=NEEDS_ME)
    if show == "mentions":
        return unfinished.filter(reason=Notification.Reason.MENTION)
    return unfinished


def filter_counts(user: User) -> dict[str, int]:
    is_open = Q(done_at=None)
    return notifications(user).aggregate(
        needs=Count("pk", is_open & Q(reason__in=NEEDS_ME)),
        mentions=Count("pk", is_open & Q(reason=Notification.Reason.MENTION)),
        all=Count("pk", is_open),
    )


def groups(user: User, show: str) -> list[InboxGroup]:
    """The newest notifications, those about one object together, in the order of their newest."""
    rows = list(filtered(user, show).select_related("event__project", "event__actor")[:GROUPED])
    order: dict[tuple[object, str, str], int] = {}
    for row in rows:
        order.setdefault(_object(row), len(order))
    together = sorted(rows, key=lambda row: order[_object(row)])
    slots = _slots(rows)
    return [_group(list(group), slots) for _key, group in groupby(together, key=_object)]


def _object(row: Notification) -> tuple[object, str, str]:
    return row.event.project_id, row.event.target_type, row.event.target_id


def _group(rows: list[Notification], slots: dict[tuple[int, int], int]) -> InboxGroup:
    items = [InboxItem(row, sentence_of(row.event), _actor(row, slots)) for row in rows]
    return InboxGroup(rows[0].event.project, items[0].sentence, items)


def _actor(row: Notification, slots: dict[tuple[int, int], int]) -> Face | None:
    actor = row.event.actor
    if actor is None:
        return None
    return Face(
        actor.pk, str(actor), actor.initials, slots.get((row.event.project_id or 0, actor.pk), 0)
    )


def _slots(rows: list[Notification]) -> dict[tuple[int, int], int]:
    """Colours of the people in the rows: their first discipline in that project."""
    from apps.projects.models import Member

    pairs = {(row.event.project_id, row.event.actor_id) for row in rows if row.event.actor_id}
    members = Member.objects.filter(
        project__in={a for a, _b in pairs}, user__in={b for _a, b in pairs}
    ).prefetch_related("disciplines")
    return {
        (member.project_id, member.user_id): member.disciplines.all()[0].slot
        for member in members
        if member.disciplines.all()
    }


def empty_words(show: str) -> tuple[str, str]:
    return {
        "needs": (
            _("Nothing waits for you"),
            _("Mentions of you and reviews that you are asked for appear here."),
        ),
        "mentions": (
            _("Nobody has mentioned you"),
            _("Write @ and a name in a comment to ask somebody."),
        ),
        "done": (_("Nothing is done yet"), _("What you mark as done moves here.")),
    }.get(
        show,
        (
            _("Your inbox is empty"),
            _("Replies, mentions, reviews, and the end of your runs and imports appear here."),
        ),
    )
