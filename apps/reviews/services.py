"""The verbs of reviews: propose, decide, ask again, promote, withdraw."""

from collections.abc import Mapping

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.discussions.models import Notification
from apps.discussions.services import notify, settle
from apps.projects.events import record
from apps.projects.models import Discipline, Event, Project
from apps.projects.policies import can, require
from apps.projects.services import next_number
from apps.registry.models import ModelVersion
from apps.registry.services import move_alias

from .models import OPEN_STATES, Decision, Requirement, Review
from .policies import decidable
from .proposal import datasets_by_discipline
from .queries import gate, with_parts

MAX_SUMMARY = 10_000


@transaction.atomic
def propose(
    actor: User, version: ModelVersion, reason: str, reviewers: Mapping[Discipline, User | None]
) -> Review:
    """Ask whether a version becomes Staging. `reviewers`: every discipline that must decide, with
    the person who is asked.
    """
    project = version.model.project
    require(actor, "maintain", project)
    _check_proposal(project, version, reason, reviewers)
    now = ModelVersion.objects.filter(model=version.model, alias=ModelVersion.Alias.STAGING).first()
    review = Review.objects.create(
        project=project,
        number=next_number(project, "review"),
        version=version,
        replaces=now,
        reason=reason.strip(),
        created_by=actor,
    )
    owned = datasets_by_discipline(version)
    for discipline, reviewer in reviewers.items():
        why = ", ".join(owned.get(discipline.pk, []))[:200]
        Requirement.objects.create(review=review, discipline=discipline, reviewer=reviewer, why=why)
    event = _record(
        actor, review, "review.opened", disciplines=[discipline.code for discipline in reviewers]
    )
    notify(event, _asked(review), Notification.Reason.REVIEW)
    return review


def _check_proposal(
    project: Project,
    version: ModelVersion,
    reason: str,
    reviewers: Mapping[Discipline, User | None],
) -> None:
    if not reason.strip():
        raise ValidationError({"reason": _("Say in a sentence or two why it should be promoted.")})
    if not reviewers:
        raise ValidationError(
            {"disciplines": _("Choose at least one discipline that must decide.")}
        )
    if any(discipline.project_id != project.pk for discipline in reviewers):
        raise ValidationError(
            {"disciplines": _("A discipline of another project cannot decide here.")}
        )
    for person in filter(None, reviewers.values()):
        if not can(person, "review", project):
            raise ValidationError(
                {
                    "disciplines": _("%(person)s cannot decide in reviews of this project.")
                    % {"person": person}
                }
            )
    if version.alias == ModelVersion.Alias.STAGING:
        raise ValidationError(_("This version is in Staging already."))
    if open_one := version.reviews.filter(state__in=OPEN_STATES).first():
        raise ValidationError(
            _("Review %(n)d about this version is still open.") % {"n": open_one.number}
        )


def _asked(review: Review) -> list[User]:
    """The people named; where a discipline names nobody, all of it who may review."""
    people: dict[int, User] = {}
    for requirement in review.requirements.select_related("reviewer", "discipline"):
        wanted = (
            [requirement.reviewer]
            if requirement.reviewer
            else _reviewers(requirement.discipline, review.project)
        )
        people |= {user.pk: user for user in wanted}
    return list(people.values())


def _reviewers(discipline: Discipline, project: Project) -> list[User]:
    users = User.objects.filter(
        Q(memberships__disciplines=discipline) | Q(pk=discipline.lead_id)
    ).distinct()
    return [user for user in users if can(user, "review", project)]


def _lock(review: Review) -> Review:
    """The row as it is now, held until the commit; two decisions at once are taken one after the
    other.
    """
    Review.objects.select_for_update().get(pk=review.pk)
    return with_parts(Review.objects.filter(pk=review.pk)).get()


def _record(actor: User, review: Review, verb: str, **data: object) -> Event:
    return record(review.project, actor, verb, "review", review.number, str(review.version), **data)


@transaction.atomic
def decide(
    actor: User, review: Review, discipline: Discipline, verdict: Decision.Verdict, summary: str
) -> Decision:
    """One discipline's answer; it stands beside the earlier ones, the newest counts."""
    require(actor, "review", review.project)
    review = _lock(review)
    if not review.is_open:
        raise ValidationError(_("This review is closed; nothing can be decided any more."))
    if discipline not in decidable(actor, review):
        raise PermissionDenied(
            _("Only a reviewer who belongs to %(discipline)s can decide for it.")
            % {"discipline": discipline}
        )
    if not summary.strip():
        raise ValidationError({"summary": _("Write a summary for the other disciplines.")})
    decision = Decision.objects.create(
        review=review,
        discipline=discipline,
        reviewer=actor,
        verdict=verdict,
        summary=summary.strip(),
    )
    review = _lock(review)
    _set_state(review)
    event = _record(
        actor,
        review,
        "review.decided",
        discipline=discipline.name,
        verdict=verdict,
        excerpt=decision.summary[:160],
    )
    notify(event, filter(None, [review.created_by]), Notification.Reason.DECISION)
    if verdict != Decision.Verdict.COMMENT:
        settle(actor, review.project, "review", str(review.number), Notification.Reason.REVIEW)
    return decision


def _set_state(review: Review) -> None:
    now = gate(review)
    state = (
        Review.State.APPROVED
        if now.ready
        else Review.State.CHANGES
        if now.asking
        else Review.State.OPEN
    )
    Review.objects.filter(pk=review.pk).update(state=state)
    review.state = state


@transaction.atomic
def ask_again(actor: User, review: Review, note: str) -> Review:
    """Reopen a review after changes: the disciplines that asked for them decide anew; their
    requests stay readable.
    """
    review = _lock(review)
    if actor.pk != review.created_by_id:
        require(actor, "maintain", review.project)
    require(actor, "comment", review.project)
    asking = gate(review).asking
    if not review.is_open or not asking:
        raise ValidationError(_("No discipline asks for changes here."))
    if not note.strip():
        raise ValidationError({"note": _("Say what has changed, or why nothing should.")})
    Review.objects.filter(pk=review.pk).update(asked_again_at=timezone.now())
    review = _lock(review)
    _set_state(review)
    event = _record(
        actor, review, "review.asked_again", excerpt=note.strip()[:160], note=note.strip()[:2000]
    )
    people = [
        decision.reviewer for column in asking for decision in column.decisions if decision.reviewer
    ]
    notify(event, people, Notification.Reason.REVIEW)
    return review


@transaction.atomic
def promote(actor: User, review: Review) -> Review:
    """The version becomes Staging; the one before loses the alias and stays in the history."""
    require(actor, "maintain", review.project)
    review = _lock(review)
    if not review.is_open or not gate(review).ready:
        raise ValidationError(_("Not every required discipline has approved."))
    before = move_alias(review.version, ModelVersion.Alias.STAGING)
    now = timezone.now()
    Review.objects.filter(pk=review.pk).update(
        state=Review.State.PROMOTED, closed_at=now, replaces=before
    )
    review.state, review.closed_at, review.replaces = Review.State.PROMOTED, now, before
    event = _record(actor, review, "review.promoted", replaced=str(before) if before else "")
    people = [review.created_by, *(decision.reviewer for decision in review.decisions.all())]
    notify(event, filter(None, people), Notification.Reason.DECISION)
    return review


@transaction.atomic
def withdraw(actor: User, review: Review) -> Review:
    """Close a review; its proposer or a maintainer may."""
    require(actor, "comment", review.project)
    review = _lock(review)
    if actor.pk != review.created_by_id:
        require(actor, "maintain", review.project)
    if not review.is_open:
        raise ValidationError(_("This review is closed already."))
    Review.objects.filter(pk=review.pk).update(
        state=Review.State.WITHDRAWN, closed_at=timezone.now()
    )
    event = _record(actor, review, "review.withdrawn")
    for user in _asked(review):
        settle(user, review.project, "review", str(review.number), Notification.Reason.REVIEW)
    notify(
        event,
        {decision.reviewer for decision in review.decisions.all() if decision.reviewer},
        Notification.Reason.DECISION,
    )
    review.refresh_from_db()
    return review
