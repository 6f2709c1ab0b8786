"""Models and versions for pages, each in a bounded number of queries."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Prefetch, QuerySet

from apps.discussions.anchors import Anchor
from apps.experiments.models import Run
from apps.projects.models import Project

from . import hooks
from .models import Model, ModelVersion

LONG = ("run__result", "run__recipe")


@dataclass(slots=True)
class ListedVersion:
    """A version in a list, with the review that is under way."""

    version: ModelVersion
    review: int | None

    @property
    def state(self) -> str:
        return "in_review" if self.review and not self.version.alias else self.version.stage


@dataclass(slots=True)
class ListedModel:
    """A model with its versions by what they are used for."""

    model: Model
    production: ListedVersion | None
    staging: ListedVersion | None
    candidates: list[ListedVersion]
    total: int

    @property
    def more(self) -> int:
        return self.total - len(self.candidates) - bool(self.production) - bool(self.staging)


CANDIDATES = 3


def models(project: Project) -> QuerySet[Model]:
    return Model.objects.filter(project=project).select_related("project", "created_by")


def find_model(project: Project, slug: str) -> Model | None:
    return models(project).filter(slug=slug).first()


def whole_versions(project: Project) -> QuerySet[ModelVersion]:
    """Return the versions with the run's result and recipe, for the page of one of them."""
    rows = ModelVersion.objects.filter(model__project=project)
    return rows.select_related(
        "model__project", "run__alignment", "run__project", "run__job", "created_by"
    )


def versions(project: Project) -> QuerySet[ModelVersion]:
    return (
        ModelVersion.objects.filter(model__project=project)
        .select_related("model__project", "run", "created_by")
        .defer(*LONG)
    )


def rows(project: Project) -> list[ListedModel]:
    """Three queries and those of reviews, whatever the number of models."""
    listed = list(models(project).prefetch_related(Prefetch("versions", versions(project))))
    reviews = hooks.reviews_of([version for model in listed for version in model.versions.all()])
    return [_row(model, reviews) for model in listed]


def _row(model: Model, reviews: dict[int, int]) -> ListedModel:
    lines = [ListedVersion(version, reviews.get(version.pk)) for version in model.versions.all()]
    by_alias = {line.version.alias: line for line in lines if line.version.alias}
    candidates = [line for line in lines if not line.version.alias and not line.version.promoted_at]
    return ListedModel(
        model,
        by_alias.get("production"),
        by_alias.get("staging"),
        candidates[:CANDIDATES],
        len(lines),
    )


def lines(model: Model) -> list[ListedVersion]:
    """All versions of a model, newest first."""
    listed = list(versions(model.project).filter(model=model))
    reviews = hooks.reviews_of(listed)
    return [ListedVersion(version, reviews.get(version.pk)) for version in listed]


def registrable(project: Project) -> QuerySet[Run]:
    """Finished runs that are no version yet, newest first."""
    runs = Run.objects.filter(
        project=project, deleted_at=None, model_version=None, job__state="finished"
    ).exclude(bundle_digest="")
    return runs.select_related("project", "job").defer("result", "recipe")


def registrable_run(project: Project, number: str) -> Run | None:
    """Return the run with this number; None where it cannot be registered."""
    if not number.isdigit():
        return None
    return registrable(project).filter(number=int(number)).first()


def find_versions(project: Project, ids: Collection[str]) -> dict[str, Anchor]:
    """Return the anchors of discussions by `slug/number`."""
    slugs = {key.rpartition("/")[0] for key in ids}
    rows = ModelVersion.objects.filter(
        model__project=project, model__slug__in=slugs
    ).select_related("model__project")
    return {
        version.key: Anchor(
            str(version), version.get_absolute_url(), tuple(filter(None, [version.created_by_id]))
        )
        for version in rows
        if version.key in ids
    }
