"""Read side of runs: lists, one run, what other pages show of runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.experiments.models import Run, RunQuerySet
from apps.jobs.models import Job
from apps.projects.models import Project

SORTS = {
    "number": "number", "question": "question", "method": "method", "state": "job__state",
    "score": "score", "gain": "gain", "ece": "ece", "who": "created_by__name", "when": "created_at",
}  # fmt: skip
DEFAULT_SORT = "-number"
GOING = (Job.State.QUEUED, Job.State.RUNNING)


def runs_of(project: Project) -> RunQuerySet:
    return (
        Run.objects.kept()
        .filter(project=project)
        .select_related("job", "created_by", "alignment", "project")
    )


def find(project: Project, number: int, deleted: bool = False) -> Run:
    rows = Run.objects.filter(project=project, number=number).select_related(
        "job", "created_by", "alignment", "parent", "project"
    )
    run = rows.first()
    if run is None or (run.deleted_at and not deleted):
        raise Http404
    return run


@dataclass
class RunList:
    """The runs that match, how many there are, and the address's own state."""

    runs: QuerySet[Run]
    total: int
    sort: str
    filters: dict[str, str]
    states: list[dict[str, Any]]
    methods: list[str]
    people: list[tuple[int, str]]

    @property
    def filtered(self) -> bool:
        return any(self.filters.values())


def run_list(project: Project, params: Mapping[str, str]) -> RunList:
    """`params`: state, method, who, alignment, q, sort as the address holds them; unknown values
    are ignored.
    """
    everything = runs_of(project)
    facts = list(
        everything.order_by().values_list(
            "job__state", "method", "created_by_id", "created_by__name"
        )
    )
    filters = {
        name: params.get(name, "").strip() for name in ("state", "method", "who", "alignment", "q")
    }
    rows = narrowed(everything, filters)
    sort = params.get("sort", DEFAULT_SORT)
    key = SORTS.get(sort.lstrip("-"))
    sort = sort if key else DEFAULT_SORT
    field = F(SORTS[sort.lstrip("-")])
    ordered = rows.order_by(
        field.desc(nulls_last=True) if sort.startswith("-") else field.asc(nulls_last=True),
        "-number",
    )
    labels = dict(Job.State.choices)
    states = [
        {"value": value, "label": labels[value], "count": sum(fact[0] == value for fact in facts)}
        for value in labels
    ]
    people = sorted({(fact[2], fact[3]) for fact in facts if fact[2]}, key=lambda one: one[1])
    return RunList(
        ordered.light(),
        len(facts),
        sort,
        filters,
        [one for one in states if one["count"]],
        sorted({fact[1] for fact in facts if fact[1]}),
        people,
    )


def narrowed(rows: RunQuerySet, filters: Mapping[str, str]) -> RunQuerySet:
    if filters["state"] in Job.State.values:
        rows = rows.filter(job__state=filters["state"])
    if filters["method"]:
        rows = rows.filter(method=filters["method"])
    if filters["who"].isdecimal():
        rows = rows.filter(created_by_id=int(filters["who"]))
    if filters["alignment"].isdecimal():
        rows = rows.filter(alignment__number=int(filters["alignment"]))
    if filters["q"]:
        words = filters["q"]
        found = rows.filter(question__icontains=words) | rows.filter(name__icontains=words)
        rows = (
            found | rows.filter(number=int(words))
            if words.isdecimal() and len(words) < 9
            else found
        )
    return rows


def finished(project: Project) -> RunQuerySet:
    return runs_of(project).filter(job__state=Job.State.FINISHED, score__isnull=False)


@dataclass(frozen=True)
class Leader:
    """The highest score on an alignment, and how many other runs it cannot be told apart from."""

    number: int
    close: int

    @property
    def words(self) -> str:
        if not self.close:
            return _("highest so far")
        words = ngettext(
            "highest so far, but the interval of %(n)d other run holds it too",
            "highest so far, but the intervals of %(n)d other runs hold it too",
            self.close,
        )
        return words % {"n": self.close}


def leaders(project: Project) -> dict[int, Leader]:
    """Alignment id -> its leader; only where at least two runs have finished on it."""
    rows = (
        finished(project)
        .order_by("-score", "number")
        .values_list("alignment_id", "number", "score", "score_high")
    )
    found: dict[int, list[tuple[int, float, float | None]]] = {}
    for alignment, number, value, high in rows:
        found.setdefault(alignment, []).append((number, value, high))
    return {
        alignment: Leader(
            runs[0][0],
            sum(
                (high if high is not None else value) >= runs[0][1]
                for _number, value, high in runs[1:]
            ),
        )
        for alignment, runs in found.items()
        if len(runs) > 1
    }


def running(project: Project, limit: int = 5) -> list[Run]:
    return list(
        runs_of(project).filter(job__state__in=GOING).light().order_by("created_at")[:limit]
    )


def past(project: Project, limit: int = 8) -> list[Run]:
    """Finished runs with what an estimate reads of them."""
    return list(finished(project).defer("result", "alignment__spec")[:limit])
