"""Gate, waiting reviews and lists, each in a bounded number of queries."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import F, Prefetch, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.discussions.faces import Face, face, faces
from apps.experiments.models import Run
from apps.projects.models import Discipline, Event, Project
from apps.projects.policies import can
from apps.registry.models import ModelVersion

from .models import OPEN_STATES, Decision, Requirement, Review

COLUMN_STATES = {Decision.Verdict.APPROVE: "approved", Decision.Verdict.CHANGES: "changes"}
PILLS = {"approved": "approved", "changes": "changes_requested", "waiting": "waiting"}


def is_answered(decision: Decision, review: Review) -> bool:
    """A request for changes that the proposer has met and asked about again."""
    asked_again = review.asked_again_at
    return (
        decision.verdict == Decision.Verdict.CHANGES
        and asked_again is not None
        and decision.created_at <= asked_again
    )


@dataclass(slots=True)
class GateColumn:
    """One required discipline: who is asked, what it has said."""

    discipline: Discipline
    reviewer: Face | None
    why: str
    decisions: list[Decision]
    deciders: frozenset[int]
    """Ids of everybody who may decide for it."""
    review: Review

    @property
    def answer(self) -> Decision | None:
        """The newest decision that is no mere comment counts, unless the changes it asked for were
        made since.
        """
        newest = next(
            (
                decision
                for decision in reversed(self.decisions)
                if decision.verdict != Decision.Verdict.COMMENT
            ),
            None,
        )
        return None if newest and is_answered(newest, self.review) else newest

    @property
    def note(self) -> str:
        return _("owns %(names)s") % {"names": self.why} if self.why else _("asked by the proposer")

    @property
    def pill(self) -> str:
        return PILLS[self.state]

    @property
    def state(self) -> str:
        return COLUMN_STATES[Decision.Verdict(self.answer.verdict)] if self.answer else "waiting"

    @property
    def person(self) -> str:
        if self.answer:
            return str(self.answer.reviewer or "")
        return self.reviewer.name if self.reviewer else ""

    @property
    def own_work(self) -> bool:
        """The person who proposed the version also decided for this discipline:
        allowed, but shown.
        """
        return bool(self.answer and self.answer.reviewer_id == self.review.created_by_id)

    def turn_of(self, user: User) -> bool:
        """Return True where this person is awaited: the one who is asked, or anybody of the
        discipline where nobody is named.
        """
        if self.answer:
            return False
        return self.reviewer.id == user.pk if self.reviewer else user.pk in self.deciders


@dataclass(slots=True)
class Gate:
    """The required decisions together."""

    review: Review
    columns: list[GateColumn]
    faces: dict[int, Face] = field(default_factory=dict)

    @property
    def waiting(self) -> list[GateColumn]:
        return [column for column in self.columns if column.state == "waiting"]

    @property
    def asking(self) -> list[GateColumn]:
        return [column for column in self.columns if column.state == "changes"]

    @property
    def approved(self) -> list[GateColumn]:
        return [column for column in self.columns if column.state == "approved"]

    @property
    def ready(self) -> bool:
        return bool(self.columns) and len(self.approved) == len(self.columns)

    @property
    def promotable(self) -> bool:
        return self.ready and self.review.is_open

    def waiting_on(self, user: User) -> list[str]:
        """Return the names of those whose turn it is: "you" first, people by name, a discipline
        where nobody is named; the proposer where changes are asked for.
        """
        names = [
            _("you") if column.turn_of(user) else column.person or column.discipline.name
            for column in self.waiting
        ]
        proposer = face(self.faces, self.review.created_by)
        if self.asking and proposer:
            names.append(_("you") if proposer.id == user.pk else proposer.name)
        return sorted(dict.fromkeys(names), key=lambda name: name != _("you"))

    @property
    def headline(self) -> str:
        """The state with its reason, and whose turn it is."""
        closed = {
            Review.State.PROMOTED: _("Promoted: %(version)s is in Staging."),
            Review.State.WITHDRAWN: _("Withdrawn: this review no longer asks for anything."),
        }.get(Review.State(self.review.state))
        if closed:
            return closed % {"version": self.review.version}
        if self.ready:
            return _("Ready: every required discipline has approved. A maintainer can promote it.")
        if not self.asking and not self.approved:
            return _("Waiting: no discipline has decided yet.")
        return _("Not ready: %(reasons)s.") % {"reasons": "; ".join(self._reasons())}

    def _reasons(self) -> list[str]:
        reasons = []
        if self.asking:
            names = joined(self.asking)
            reasons.append(
                ngettext(
                    "%(names)s asks for changes", "%(names)s ask for changes", len(self.asking)
                )
                % {"names": names}
            )
        if self.waiting:
            names = joined(self.waiting)
            reasons.append(
                ngettext(
                    "%(names)s has not decided", "%(names)s have not decided", len(self.waiting)
                )
                % {"names": names}
            )
        return reasons

    @property
    def under(self) -> str:
        """The line under the headline: how many have approved."""
        words = {"approved": len(self.approved), "n": len(self.columns)}
        return (
            _(
                "%(approved)s of %(n)s required disciplines approved. Required are those whose "
                "data it uses, and whom the proposer added."
            )
            % words
        )


def joined(columns: Iterable[GateColumn]) -> str:
    names = [column.discipline.name for column in columns]
    if len(names) < 2:
        return "".join(names)
    return _("%(first)s and %(last)s") % {"first": _(", ").join(names[:-1]), "last": names[-1]}


def reviews(project: Project) -> QuerySet[Review]:
    return with_parts(Review.objects.filter(project=project))


def with_parts(rows: QuerySet[Review]) -> QuerySet[Review]:
    """Add what a gate needs, without the long result of the run."""
    related = (
        "version__model__project",
        "version__run",
        "replaces__model__project",
        "replaces__run",
        "created_by",
        "project",
    )
    long = (
        "version__run__result",
        "version__run__recipe",
        "replaces__run__result",
        "replaces__run__recipe",
    )
    return (
        rows.select_related(*related)
        .defer(*long)
        .prefetch_related(
            Prefetch("requirements", Requirement.objects.select_related("discipline", "reviewer")),
            Prefetch("decisions", Decision.objects.select_related("discipline", "reviewer")),
        )
    )


def open_review(version: ModelVersion) -> Review | None:
    return version.reviews.filter(state__in=OPEN_STATES).first()


def proposable(project: Project) -> QuerySet[ModelVersion]:
    rows = ModelVersion.objects.filter(model__project=project)
    return rows.select_related("model__project", "run__alignment")


def run_of(version: ModelVersion) -> Run:
    """Return the run of a version with its result, which lists of versions leave out."""
    return Run.objects.select_related("alignment", "project", "job").get(pk=version.run_id)


def current(project: Project) -> Review | None:
    """The newest review that still asks for something."""
    return reviews(project).filter(state__in=OPEN_STATES).first()


def gate(review: Review, known: dict[int, Face] | None = None) -> Gate:
    """Two queries beside those of `reviews`, none where the faces are known."""
    people = faces(review.project) if known is None else known
    decisions = list(review.decisions.all())
    columns = [
        _column(requirement, decisions, people, review) for requirement in review.requirements.all()
    ]
    return Gate(review, columns, people)


def _column(
    requirement: Requirement, decisions: list[Decision], people: dict[int, Face], review: Review
) -> GateColumn:
    own = [
        decision for decision in decisions if decision.discipline_id == requirement.discipline_id
    ]
    reviewer = face(people, requirement.reviewer)
    ids = frozenset(
        pk for pk, decision in people.items() if requirement.discipline in decision.disciplines
    )
    return GateColumn(requirement.discipline, reviewer, requirement.why, own, ids, review)


def waiting_for(user: User) -> list[Review]:
    """Open reviews, of all the person's projects, whose next decision is theirs; oldest first. Four
    queries at most.
    """
    undecided = Requirement.objects.filter(
        review__state__in=OPEN_STATES, review__project__in=Project.objects.visible_to(user)
    )
    named = Q(reviewer=user)
    theirs = Q(reviewer__isnull=True) & (
        Q(discipline__members__user=user) | Q(discipline__lead=user)
    )
    rows = undecided.filter(named | theirs).distinct().values_list("review_id", "discipline_id")
    undecided_pairs = list(rows)
    if not undecided_pairs:
        return []
    met = Q(verdict=Decision.Verdict.CHANGES, created_at__lte=F("review__asked_again_at"))
    answers = (
        Decision.objects.filter(review__in={pk for pk, _d in undecided_pairs})
        .exclude(verdict=Decision.Verdict.COMMENT)
        .exclude(met)
    )
    answered = set(answers.values_list("review_id", "discipline_id"))
    ids = {review for review, discipline in undecided_pairs if (review, discipline) not in answered}
    if not ids:
        return []
    rows = (
        Review.objects.filter(pk__in=ids)
        .select_related("project", "version__model", "created_by")
        .order_by("created_at")
    )
    return [review for review in rows if can(user, "review", review.project)]


@dataclass(slots=True)
class ListedReview:
    """A line of the list of reviews."""

    review: Review
    gate: Gate
    author: Face | None
    yours: bool
    turn: str


FILTERS = ("waiting", "open", "closed", "all")


def listed(user: User, project: Project, show: str) -> list[ListedReview]:
    """Those that wait for the person first, then the newest."""
    people = faces(project)
    shown = reviews(project)
    if show in ("waiting", "open"):
        shown = shown.filter(state__in=OPEN_STATES)
    elif show == "closed":
        shown = shown.exclude(state__in=OPEN_STATES)
    may = can(user, "review", project)
    rows = [_row(review, people, user, may) for review in shown]
    rows.sort(key=lambda row: not row.yours)
    return [row for row in rows if row.yours] if show == "waiting" else rows


def _row(review: Review, people: dict[int, Face], user: User, may: bool) -> ListedReview:
    review_gate = gate(review, people)
    yours = may and review.is_open and any(column.turn_of(user) for column in review_gate.columns)
    return ListedReview(
        review,
        review_gate,
        face(people, review.created_by),
        yours,
        _(", ").join(review_gate.waiting_on(user)),
    )


def notes(review: Review) -> list[Event]:
    """Return the proposer's answers to requests for changes, oldest first."""
    events = Event.objects.filter(
        project=review.project,
        target_type="review",
        target_id=str(review.number),
        verb="review.asked_again",
    )
    return list(events.select_related("actor").order_by("id"))
