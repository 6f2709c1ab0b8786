"""Members with the colours of their discipline, for avatars, mentions and reviewers: two queries a
project.
"""

from dataclasses import dataclass

from apps.accounts.models import User
from apps.projects.models import Discipline, Member, Project


@dataclass(frozen=True, slots=True)
class Face:
    """A person as pages show one."""

    id: int
    name: str
    initials: str
    slot: int = 0
    role: str = ""
    disciplines: tuple[Discipline, ...] = ()

    @property
    def discipline(self) -> Discipline | None:
        return self.disciplines[0] if self.disciplines else None


def faces(project: Project) -> dict[int, Face]:
    """User id -> face, of every member."""
    members = project.members.select_related("user").prefetch_related("disciplines")
    return {member.user_id: _of_member(member) for member in members}


def _of_member(member: Member) -> Face:
    disciplines = tuple(member.disciplines.all())
    slot = disciplines[0].slot if disciplines else 0
    return Face(
        member.user_id, str(member.user), member.user.initials, slot, member.role, disciplines
    )


def face(known: dict[int, Face], user: User | None) -> Face | None:
    """Also of somebody who has left the project; None for an account that is gone."""
    if user is None:
        return None
    return known.get(user.pk) or Face(user.pk, str(user), user.initials)
