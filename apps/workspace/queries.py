"""Read side of the pages that cross the apps: your work, a project's overview, its activity,
search.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from django.db.models import Max, OuterRef, Prefetch, Q, QuerySet, Subquery

from apps.accounts.models import User
from apps.datasets.models import DataSet, Upload, Version
from apps.discussions.models import Notification
from apps.experiments.models import Run
from apps.jobs.models import Job
from apps.projects.models import Discipline, Event, Member, Project
from apps.projects.queries import events
from apps.projects.sentences import EventSentence, sentence_of
from apps.registry.models import Model, ModelVersion

TALK = (Notification.Reason.MENTION, Notification.Reason.REPLY)


def projects_of(user: User) -> list[dict[str, Any]]:
    newest = Event.objects.filter(project=OuterRef("pk")).order_by("-id").values("pk")[:1]
    projects = list(
        Project.objects.visible_to(user)
        .prefetch_related("disciplines")
        .annotate(newest=Subquery(newest))
    )
    last = {
        event.pk: event
        for event in Event.objects.filter(
            pk__in=[project.newest for project in projects]
        ).select_related("actor", "project")
    }
    rows = [
        {
            "project": project,
            "last": sentence_of(last[project.newest]) if project.newest in last else None,
        }
        for project in projects
    ]
    return sorted(rows, key=lambda row: -(row["project"].newest or 0))


def talk_waiting(user: User, limit: int = 5) -> list[dict[str, Any]]:
    """Mentions and replies that nobody has put away yet."""
    open_ones = Notification.objects.filter(
        user=user, done_at=None, reason__in=TALK
    ).select_related("event__actor", "event__project")
    return [{"notification": row, "sentence": sentence_of(row.event)} for row in open_ones[:limit]]


def uploads_waiting(user: User) -> QuerySet[Upload]:
    return Upload.objects.filter(
        created_by=user, state=Upload.State.READY, project__in=Project.objects.visible_to(user)
    ).select_related("project")


def running(user: User) -> list[Job]:
    going = Q(state=Job.State.RUNNING) | Q(state=Job.State.QUEUED)
    jobs = Job.objects.filter(going, project__in=Project.objects.visible_to(user)).select_related(
        "project", "run"
    )
    return list(jobs.order_by("created_at")[:8])


def recent(user: User, limit: int = 8) -> list[EventSentence]:
    return [sentence_of(event) for event in events(user).exclude(actor=user)[:limit]]


@dataclass
class MapRow:
    """One discipline on the consilience map: what it has brought, and where its decision stands."""

    discipline: Discipline
    datasets: list[DataSet] = field(default_factory=list)
    column: Any = None

    @property
    def rows(self) -> int:
        return sum(dataset.newest_rows or 0 for dataset in self.datasets)


def consilience_map(project: Project, gate: Any) -> list[MapRow]:
    newest = Version.objects.filter(dataset=OuterRef("pk")).order_by("-number")
    datasets = DataSet.objects.filter(deleted_at=None).annotate(
        newest_number=Max("versions__number"), newest_rows=Subquery(newest.values("n_rows")[:1])
    )
    disciplines = project.disciplines.select_related("lead").prefetch_related(
        Prefetch("datasets", datasets)
    )
    columns = {column.discipline.pk: column for column in gate.columns} if gate else {}
    return [
        MapRow(
            row,
            [dataset for dataset in row.datasets.all() if dataset.newest_number],
            columns.get(row.pk),
        )
        for row in disciplines
    ]


def finished_runs(project: Project) -> list[Run]:
    """Oldest first, without their results: what the curve of progress needs."""
    runs = project.runs.filter(deleted_at=None, score__isnull=False).defer("result", "recipe")
    return list(runs.order_by("number"))


def best_run(runs: list[Run]) -> Run | None:
    """Return the run that leads by the metric of the newest one, with its result and recipe."""
    if not runs:
        return None
    same_metric = [run for run in runs if run.metric == runs[-1].metric]
    best = max(same_metric, key=lambda run: run.score)
    return Run.objects.select_related("project", "alignment").get(pk=best.pk)


def models_in_use(project: Project) -> list[ModelVersion]:
    named = ModelVersion.objects.filter(model__project=project).exclude(alias="")
    return list(named.select_related("model", "run").order_by("alias"))


def activity(events: Iterable[Event]) -> list[dict[str, Any]]:
    """Consecutive events about one object, as sentences under that object's heading."""
    groups = groupby(events, key=lambda event: (event.target_type, event.target_id))
    sentences = ([sentence_of(event) for event in group] for _object, group in groups)
    return [{"first": items[0], "items": items} for items in sentences]


def search(user: User, text: str) -> list[dict[str, Any]]:
    """Projects, data sets, runs, models and people by name; at most eight of each."""
    projects = Project.objects.visible_to(user)
    number = int(text) if text.isdecimal() and len(text) < 9 else None
    runs = Run.objects.filter(project__in=projects, deleted_at=None).filter(
        Q(question__icontains=text) | Q(number=number)
    )
    people = Member.objects.filter(project__in=projects, user__name__icontains=text)
    return [
        {
            "kind": "project",
            "rows": list(projects.filter(Q(name__icontains=text) | Q(goal__icontains=text))[:8]),
        },
        {
            "kind": "dataset",
            "rows": list(
                DataSet.objects.filter(
                    project__in=projects, deleted_at=None, name__icontains=text
                ).select_related("project")[:8]
            ),
        },
        {"kind": "run", "rows": list(runs.select_related("project").defer("result", "recipe")[:8])},
        {
            "kind": "model",
            "rows": list(
                Model.objects.filter(project__in=projects, name__icontains=text).select_related(
                    "project"
                )[:8]
            ),
        },
        {"kind": "person", "rows": list(people.select_related("project", "user")[:8])},
    ]


def runs_numbered(user: User, number: int) -> list[Run]:
    runs = Run.objects.filter(
        project__in=Project.objects.visible_to(user), deleted_at=None, number=number
    )
    return list(runs.select_related("project").defer("result", "recipe")[:2])
