"""The verbs of the registry: register a run, change a card, give an alias."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.experiments.models import Run
from apps.jobs.models import Job
from apps.projects.events import record
from apps.projects.models import Project
from apps.projects.policies import require
from apps.projects.services import free_slug

from .models import Model, ModelVersion

CARD_FIELDS = ("meant_for", "not_for", "limits")
RESERVED_SLUGS = ("new",)


@transaction.atomic
def register_run(
    actor: User,
    run: Run,
    name: str,
    description: str,
    card: Mapping[str, str],
    model: Model | None = None,
) -> ModelVersion:
    """A finished run becomes version 1 of a new model, or the next version of one that exists."""
    project = run.project
    require(actor, "maintain", project)
    _check(run, model)
    model = model or _new_model(actor, project, name, description)
    Model.objects.select_for_update().get(pk=model.pk)
    number = (model.versions.aggregate(last=Max("number"))["last"] or 0) + 1
    version = ModelVersion.objects.create(
        model=model,
        number=number,
        run=run,
        card=_words(card),
        bundle_digest=run.bundle_digest,
        created_by=actor,
    )
    record(
        project,
        actor,
        "model.registered",
        "version",
        f"{model.slug}/{number}",
        str(version),
        run=run.number,
    )
    return version


def _check(run: Run, model: Model | None) -> None:
    if run.job.state != Job.State.FINISHED or not run.bundle_digest or run.deleted_at:
        raise ValidationError(_("Only a finished run can be registered."))
    if version := ModelVersion.objects.filter(run=run).select_related("model").first():
        raise ValidationError(
            _("Run %(n)d is registered already, as %(version)s.")
            % {"n": run.number, "version": version}
        )
    if model and model.project_id != run.project_id:
        raise ValidationError({"model": _("This model belongs to another project.")})


def _new_model(actor: User, project: Project, name: str, description: str) -> Model:
    if not name.strip():
        raise ValidationError({"name": _("Give the model a name, or choose one that exists.")})
    if project.models.filter(name__iexact=name.strip()).exists():
        raise ValidationError(
            {
                "name": _(
                    "A model of this name exists. Choose it above to register its next version."
                )
            }
        )
    slug = free_slug(
        name, [*project.models.values_list("slug", flat=True), *RESERVED_SLUGS], "model"
    )
    return Model.objects.create(
        project=project,
        slug=slug,
        name=name.strip(),
        description=description.strip(),
        created_by=actor,
    )


def _words(card: Mapping[str, str]) -> dict[str, str]:
    return {field: card.get(field, "").strip() for field in CARD_FIELDS}


@transaction.atomic
def change_card(
    actor: User, version: ModelVersion, description: str, card: Mapping[str, str]
) -> ModelVersion:
    """The words of the card; its figures come from the run and cannot be changed."""
    project = version.model.project
    require(actor, "maintain", project)
    words = _words(card)
    changes = {
        field: [version.card.get(field, ""), new]
        for field, new in words.items()
        if version.card.get(field, "") != new
    }
    Model.objects.filter(pk=version.model_id).update(description=description.strip())
    ModelVersion.objects.filter(pk=version.pk).update(card=words)
    version.card, version.model.description = words, description.strip()
    record(
        project, actor, "model.card_changed", "version", version.key, str(version), changes=changes
    )
    return version


def move_alias(version: ModelVersion, alias: ModelVersion.Alias) -> ModelVersion | None:
    """Give an alias to a version, inside the caller's transaction; returns the one that had it. The
    caller checks and records.
    """
    Model.objects.select_for_update().get(pk=version.model_id)
    before = (
        ModelVersion.objects.filter(model=version.model_id, alias=alias)
        .exclude(pk=version.pk)
        .select_related("model")
        .first()
    )
    if before:
        ModelVersion.objects.filter(pk=before.pk).update(alias=ModelVersion.Alias.NONE)
    ModelVersion.objects.filter(pk=version.pk).update(alias=alias, promoted_at=timezone.now())
    return before
