"""Who may decide in a review, and for which discipline."""

from apps.accounts.models import User
from apps.projects.models import Discipline, Member, Project
from apps.projects.policies import can

from .models import Review


def disciplines_of(user: User, project: Project) -> list[Discipline]:
    """Of those the person belongs to or leads, where they may review at all."""
    if not can(user, "review", project):
        return []
    member = Member.objects.filter(project=project, user=user).prefetch_related("disciplines").first()
    own = list(member.disciplines.all()) if member else []
    led = [one for one in project.disciplines.all() if one.lead_id == user.pk]
    return list({one.pk: one for one in [*own, *led]}.values())


def decidable(user: User, review: Review) -> list[Discipline]:
    """The required disciplines that this person may decide for, while the review is open."""
    if not review.is_open:
        return []
    required = {requirement.discipline_id for requirement in review.requirements.all()}
    return [one for one in disciplines_of(user, review.project) if one.pk in required]
