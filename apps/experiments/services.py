"""The verbs of runs: start, stop, name, delete, repeat, and what the worker writes at the end."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.datasets.models import Alignment
from apps.discussions.models import Notification
from apps.discussions.services import notify
from apps.experiments.models import Run
from apps.experiments.recipe import alignment_facts, preflight
from apps.jobs import leases
from apps.jobs import services as jobs
from apps.jobs.models import Job
from apps.projects.events import record
from apps.projects.models import Event, Project
from apps.projects.policies import can, require
from apps.projects.roles import Action
from apps.projects.services import next_number
from fusion.schema.recipe import Recipe
from fusion.schema.result import EvaluationResult


@transaction.atomic
def start_run(
    actor: User,
    project: Project,
    alignment: Alignment,
    recipe: Recipe,
    question: str = "",
    parent: Run | None = None,
    name: str = "",
) -> Run:
    """Create the run and the job that trains it. Raises ValidationError for a recipe that does not
    fit the alignment.
    """
    require(actor, "contribute", project)
    _check(project, alignment, recipe, parent)
    recipe = alignment_facts.complete(alignment, recipe)
    number = next_number(project, "run")
    job = jobs.submit(project, actor, "run", {"run": number}, recipe.stages, queue="cpu")
    modalities = alignment_facts.used(alignment, recipe)
    run = Run.objects.create(
        project=project,
        number=number,
        question=question.strip(),
        name=name.strip(),
        alignment=alignment,
        parent=parent,
        recipe=recipe.model_dump(mode="json"),
        method=recipe.method,
        modalities=[{"name": modality.name, "kind": modality.kind} for modality in modalities],
        job=job,
        created_by=actor,
    )
    facts = {"alignment": alignment.number, "parent": parent.number if parent else None}
    record(project, actor, "run.started", "run", number, run.title, **facts)
    return run


def _check(project: Project, alignment: Alignment, recipe: Recipe, parent: Run | None) -> None:
    if alignment.project_id != project.pk or (parent and parent.project_id != project.pk):
        raise ValidationError(
            _("The alignment and the run it comes from must belong to this project.")
        )
    if alignment.state != Alignment.State.FROZEN:
        raise ValidationError(
            {"alignment": _("Freeze the alignment first; a run needs one that no longer changes.")}
        )
    if problems := preflight.problems(alignment, recipe):
        raise ValidationError(problems)


def retry(actor: User, run: Run) -> Run:
    """A new run with the same recipe on the same alignment."""
    return start_run(
        actor,
        run.project,
        run.alignment,
        Recipe.stored(run.recipe),
        run.question,
        parent=run,
        name=run.name,
    )


@transaction.atomic
def stop_run(actor: User, run: Run) -> None:
    require(actor, "contribute", run.project)
    if run.job.is_over:
        raise ValidationError(_("This run has ended already."))
    jobs.request_stop(actor, run.job)
    record(run.project, actor, "run.stop_requested", "run", run.number, run.title)


@transaction.atomic
def rename(actor: User, run: Run, name: str, question: str) -> Run:
    require(actor, "contribute", run.project)
    fields = {"name": name.strip()[:120], "question": question.strip()[:200]}
    changes = {
        field: [getattr(run, field), new]
        for field, new in fields.items()
        if getattr(run, field) != new
    }
    for field, new in fields.items():
        setattr(run, field, new)
    run.save(update_fields=list(fields))
    record(run.project, actor, "run.renamed", "run", run.number, run.title, changes=changes)
    return run


@transaction.atomic
def delete(actor: User, run: Run) -> None:
    """Take the run out of the lists; it can be restored. Whoever started it may, and those who
    manage the project's data.
    """
    require(actor, right_to_delete(actor, run), run.project)
    if not run.job.is_over:
        raise ValidationError(_("Stop the run before you delete it."))
    Run.objects.filter(pk=run.pk, deleted_at=None).update(deleted_at=timezone.now())
    record(run.project, actor, "run.deleted", "run", run.number, run.title)


@transaction.atomic
def restore(actor: User, run: Run) -> None:
    require(actor, right_to_delete(actor, run), run.project)
    Run.objects.filter(pk=run.pk).update(deleted_at=None)
    record(run.project, actor, "run.restored", "run", run.number, run.title)


def may_delete(actor: User, run: Run) -> bool:
    return can(actor, right_to_delete(actor, run), run.project)


def right_to_delete(actor: User, run: Run) -> Action:
    return "contribute" if run.created_by_id == actor.pk else "maintain"


@transaction.atomic
def finish_run(
    job: Job, run: Run, result: EvaluationResult, bundle_path: str, bundle_digest: str
) -> None:
    """The one write of a result; an attempt that no longer owns the job gets Fenced and changes
    nothing.
    """
    leases.hold(job)
    head = result.headline
    fields: dict[str, Any] = {
        "result": result.model_dump(mode="json"),
        "method": result.method,
        "metric": head.metric,
        "score": head.score.value,
        "score_low": head.score.low,
        "score_high": head.score.high,
        "gain": head.gain_over_best_single.value,
        "gain_low": head.gain_over_best_single.low,
        "gain_high": head.gain_over_best_single.high,
        "ece": head.ece.value,
        "bundle_path": bundle_path,
        "bundle_digest": bundle_digest,
    }
    Run.objects.filter(pk=run.pk).update(**fields)
    leases.close(job, Job.State.FINISHED)
    facts = {name: fields[name] for name in ("metric", "score", "gain")}
    event = record(run.project, None, "run.finished", "run", run.number, run.title, **facts)
    _tell_starter(event, run)


def run_failed(job: Job) -> None:
    run = Run.objects.select_related("project", "created_by").get(job=job)
    _tell_starter(
        record(
            run.project, None, "run.failed", "run", run.number, run.title, error=job.error[:200]
        ),
        run,
    )


def run_stopped(job: Job) -> None:
    run = Run.objects.select_related("project").get(job=job)
    record(run.project, None, "run.stopped", "run", run.number, run.title)


def _tell_starter(event: Event, run: Run) -> None:
    if run.created_by:
        notify(event, [run.created_by], Notification.Reason.RUN)
