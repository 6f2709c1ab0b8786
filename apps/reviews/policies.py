"""Rights in a review: to decide for a discipline, to withdraw, to ask again."""

from apps.accounts.models import User
from apps.discussions.faces import Face, faces
from apps.projects.models import Discipline
from apps.projects.policies import can

from .models import Review


def may_withdraw(user: User, review: Review) -> bool:
    """Return True for a maintainer, and for the proposer who may still comment."""
    if not review.is_open:
        return False
    is_proposer = review.created_by_id == user.pk
    return can(user, "maintain", review.project) or (
        is_proposer and can(user, "comment", review.project)
    )


def may_ask_again(user: User, review: Review) -> bool:
    """Return True for a maintainer and for the proposer of an open review."""
    is_proposer = review.created_by_id == user.pk
    return review.is_open and (is_proposer or can(user, "maintain", review.project))


def decidable(user: User, review: Review, known: dict[int, Face] | None = None) -> list[Discipline]:
    """The required disciplines that this person belongs to or leads, while the review is open and
    the person may review at all.
    """
    if not review.is_open or not can(user, "review", review.project):
        return []
    people = faces(review.project) if known is None else known
    own = people[user.pk].disciplines if user.pk in people else ()
    required = [requirement.discipline for requirement in review.requirements.all()]
    return [
        discipline for discipline in required if discipline in own or discipline.lead_id == user.pk
    ]
