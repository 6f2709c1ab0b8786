"""The verbs of data sets: make, change, delete and bring back. Uploads have theirs in
`uploads/services.py`.
"""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.projects.events import record
from apps.projects.models import Discipline, Project
from apps.projects.policies import require
from apps.projects.services import free_slug

from .models import DataSet, Version

RESERVED_SLUGS = ("new", "uploads")


def create_dataset(
    project: Project,
    actor: User | None,
    name: str,
    discipline: Discipline,
    kind: str = DataSet.Kind.DATA,
    slug: str = "",
    description: str = "",
    licence: str = "",
) -> DataSet:
    """Create a data set inside the transaction that writes its first version; the caller has
    checked the policy. A deleted data set keeps its address.
    """
    taken = [
        *DataSet.objects.filter(project=project).values_list("slug", flat=True),
        *RESERVED_SLUGS,
    ]
    dataset = DataSet.objects.create(
        project=project,
        discipline=discipline,
        slug=free_slug(slug or name, taken, "data"),
        name=name[:120],
        kind=kind,
        description=description,
        licence=licence[:120],
        created_by=actor,
    )
    record(project, actor, "dataset.created", "dataset", dataset.slug, dataset.name, kind=kind)
    return dataset


def announce_version(project: Project, actor: User | None, version: Version) -> None:
    """The event of a later version; the first is told by `dataset.created`."""
    if version.number > 1:
        dataset = version.dataset
        record(
            project,
            actor,
            "version.added",
            "dataset",
            dataset.slug,
            str(version),
            number=version.number,
            rows=version.n_rows,
        )


@transaction.atomic
def change_dataset(actor: User, dataset: DataSet, **fields: object) -> DataSet:
    """name, description, licence, discipline; the address stays."""
    require(actor, "contribute", dataset.project)
    if not str(fields.get("name", dataset.name)).strip():
        raise ValidationError({"name": _("Give the data set a name.")})
    changes = {}
    for field, new in fields.items():
        if getattr(dataset, field) != new:
            changes[field] = [str(getattr(dataset, field)), str(new)]
            setattr(dataset, field, new)
    if changes:
        dataset.save(update_fields=list(changes))
        record(
            dataset.project,
            actor,
            "dataset.changed",
            "dataset",
            dataset.slug,
            dataset.name,
            changes=changes,
        )
    return dataset


@transaction.atomic
def delete_dataset(actor: User, dataset: DataSet) -> None:
    """Hide a data set: alignments and runs that were made from it stay whole, and it can be brought
    back.
    """
    require(actor, "maintain", dataset.project)
    if DataSet.objects.filter(pk=dataset.pk, deleted_at=None).update(deleted_at=timezone.now()):
        record(dataset.project, actor, "dataset.deleted", "dataset", dataset.slug, dataset.name)


@transaction.atomic
def restore_dataset(actor: User, dataset: DataSet) -> None:
    require(actor, "maintain", dataset.project)
    if DataSet.objects.filter(pk=dataset.pk, deleted_at__isnull=False).update(deleted_at=None):
        record(dataset.project, actor, "dataset.restored", "dataset", dataset.slug, dataset.name)
