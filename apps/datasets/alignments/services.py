"""The verbs of alignments: create, change while a draft, duplicate, freeze, throw a draft away."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.datasets.models import Alignment, Version
from apps.datasets.queries import newest_versions
from apps.jobs.models import Job
from apps.jobs.services import submit
from apps.projects.events import record
from apps.projects.models import Project
from apps.projects.policies import require
from apps.projects.services import next_number

from .spec import checked_spec, versions_used

STAGES = ["join", "write"]


@transaction.atomic
def create_alignment(
    actor: User,
    project: Project,
    name: str,
    spec: Mapping[str, Any],
    versions: list[Version] | None = None,
) -> Alignment:
    """A draft over the newest versions of the project's data sets, or over the given ones. Raises
    ValidationError by field.
    """
    require(actor, "contribute", project)
    available = versions if versions is not None else newest_versions(project)
    full = checked_spec(spec, available, whole=versions is not None)
    title = name.strip()
    if not title:
        raise ValidationError({"name": _("Give the alignment a name.")})
    number = next_number(project, "alignment")
    alignment = Alignment.objects.create(
        project=project, number=number, name=title[:120], spec=full, created_by=actor
    )
    alignment.versions.set(versions_used(full, available))
    record(project, actor, "alignment.created", "alignment", number, title)
    return alignment


@transaction.atomic
def freeze(actor: User, alignment: Alignment) -> Job:
    """Queue the job that writes the table and the digest; from then on nothing about the alignment
    changes.
    """
    require(actor, "contribute", alignment.project)
    open_states = (Alignment.State.DRAFT, Alignment.State.FAILED)
    job = submit(alignment.project, actor, "freeze", {"alignment": alignment.pk}, STAGES)
    taken = Alignment.objects.filter(pk=alignment.pk, state__in=open_states).update(
        state=Alignment.State.FREEZING, job=job
    )
    if not taken:
        raise ValidationError(
            _("This alignment is frozen or being frozen already. Duplicate it to change something.")
        )
    alignment.refresh_from_db()
    record(
        alignment.project,
        actor,
        "alignment.freezing",
        "alignment",
        alignment.number,
        alignment.name,
    )
    return job


@transaction.atomic
def duplicate(actor: User, alignment: Alignment) -> Alignment:
    """A draft with the same choice over the newest versions."""
    name = _("%(name)s, copy") % {"name": alignment.name}
    return create_alignment(actor, alignment.project, name, alignment.spec)


@transaction.atomic
def discard(actor: User, alignment: Alignment) -> None:
    """Drafts alone can go: what is frozen may stand behind a run."""
    require(actor, "contribute", alignment.project)
    number, name, project = alignment.number, alignment.name, alignment.project
    gone, _rows = Alignment.objects.filter(
        pk=alignment.pk, state__in=(Alignment.State.DRAFT, Alignment.State.FAILED)
    ).delete()
    if not gone:
        raise ValidationError(_("A frozen alignment stays: runs may have been trained on it."))
    record(project, actor, "alignment.discarded", "alignment", number, name)


def freeze_failed(job: Job) -> None:
    """Called in the transaction that ends the job without a result."""
    Alignment.objects.filter(job=job, state=Alignment.State.FREEZING).update(
        state=Alignment.State.FAILED
    )
