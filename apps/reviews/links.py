"""Parts that reviews add to the pages of runs and model versions, which lie below and do not know
them.
"""

from collections.abc import Collection

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.discussions.anchors import Anchor
from apps.experiments.hooks import Note
from apps.experiments.models import Run
from apps.projects.models import Project
from apps.projects.policies import can
from apps.registry.hooks import Approval, VersionAction
from apps.registry.models import ModelVersion

from .models import OPEN_STATES, Decision, Review
from .queries import gate, with_parts


def find_reviews(project: Project, ids: Collection[str]) -> dict[str, Anchor]:
    numbers = [int(number) for number in ids if number.isdigit()]
    rows = Review.objects.filter(project=project, number__in=numbers).select_related(
        "project", "version__model"
    )
    return {
        str(row.number): Anchor(
            str(row.version),
            row.get_absolute_url() + "conversation/",
            tuple(filter(None, [row.created_by_id])),
        )
        for row in rows
    }


def run_notes(_request: HttpRequest, run: Run) -> list[Note]:
    rows = Review.objects.filter(version__run=run).select_related("project")[:1]
    return [
        Note(
            "scale",
            _("candidate in"),
            _("review %(n)d") % {"n": row.number},
            row.get_absolute_url(),
        )
        for row in rows
    ]


def version_actions(request: HttpRequest, version: ModelVersion) -> list[VersionAction]:
    """Open the review that is under way, else propose one."""
    project = version.model.project
    review = next((review for review in version.reviews.all() if review.state in OPEN_STATES), None)
    if review:
        return [
            VersionAction(
                _("Open review %(n)d") % {"n": review.number},
                reverse("reviews:review", args=[project.slug, review.number]),
                "scale",
            )
        ]
    if version.alias != ModelVersion.Alias.STAGING and can(request.user, "maintain", project):
        url = f"{reverse('reviews:new', args=[project.slug])}?version={version.key}"
        return [VersionAction(_("Propose for Staging"), url, "scale")]
    return []


def approvals(version: ModelVersion) -> list[Approval]:
    """Decisions of the review that promoted the version, else of the newest one about it."""
    rows = list(
        with_parts(Review.objects.filter(version=version)).exclude(state=Review.State.WITHDRAWN)
    )
    review = next(
        (review for review in rows if review.state == Review.State.PROMOTED),
        rows[0] if rows else None,
    )
    if review is None:
        return []
    answers = [column.answer for column in gate(review, {}).columns if column.answer]
    return [_approval(answer, review) for answer in answers]


def _approval(answer: Decision, review: Review) -> Approval:
    approved = answer.verdict == Decision.Verdict.APPROVE
    return Approval(
        discipline=answer.discipline,
        person=str(answer.reviewer or ""),
        state="approved" if approved else "changes_requested",
        summary=answer.summary,
        at=answer.created_at,
        url=review.get_absolute_url(),
        review=review.number,
    )


def open_reviews(versions: Collection[ModelVersion]) -> dict[int, int]:
    """Version id -> number of the review that is under way."""
    rows = Review.objects.filter(version__in=versions, state__in=OPEN_STATES)
    return dict(rows.values_list("version_id", "number"))
