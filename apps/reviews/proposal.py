"""Disciplines proposed to decide about a version: those whose data it was trained on."""

from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.projects.models import Discipline, Member, Project, Role
from apps.projects.roles import GRANTS
from apps.registry.models import ModelVersion


@dataclass(slots=True)
class Candidate:
    """A discipline on the form: preselected when it owns data, with the person who
    would be asked.
    """

    discipline: Discipline
    datasets: list[str]
    reviewers: list[User] = field(default_factory=list)

    @property
    def required(self) -> bool:
        return bool(self.datasets)

    @property
    def chosen(self) -> User | None:
        """The lead where that is possible, else the only one who may."""
        lead = next((user for user in self.reviewers if user.pk == self.discipline.lead_id), None)
        return lead or (self.reviewers[0] if self.reviewers else None)

    @property
    def why(self) -> str:
        return (
            _("owns %(names)s") % {"names": _(", ").join(self.datasets)}
            if self.datasets
            else _("owns no data in this model")
        )


def datasets_by_discipline(version: ModelVersion) -> dict[int, list[str]]:
    """Discipline id -> names of its data sets that the version was trained on."""
    used: dict[int, list[str]] = {}
    for name, discipline in version.run.alignment.versions.order_by("dataset__name").values_list(
        "dataset__name", "dataset__discipline"
    ):
        used.setdefault(discipline, []).append(name)
    return used


def candidates(project: Project, version: ModelVersion) -> list[Candidate]:
    """Every discipline, those that own data first; the rights of members are asked once
    a person.
    """
    used = datasets_by_discipline(version)
    members = project.members.select_related("user").prefetch_related("disciplines")
    may = [member for member in members if can_review(member)]
    proposed = [
        Candidate(
            discipline,
            used.get(discipline.pk, []),
            [
                m.user
                for m in may
                if discipline in m.disciplines.all() or discipline.lead_id == m.user_id
            ],
        )
        for discipline in project.disciplines.all()
    ]
    return sorted(proposed, key=lambda discipline: not discipline.required)


def can_review(member: Member) -> bool:
    """Read the right off the role, which the groups mirror: no query for each member."""
    return member.user.is_active and "review" in GRANTS[Role(member.role)]
