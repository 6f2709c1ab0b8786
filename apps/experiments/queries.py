"""Read side of runs: lists, one run, and the rows beside them that pages of runs show."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.datasets.models import Alignment
from apps.discussions.models import Thread
from apps.discussions.queries import count as count_comments
from apps.experiments.models import Run, RunQuerySet
from apps.jobs.models import Job, LogLine
from apps.projects.models import Project

SORTS = {
    "number": "number",
    "question": "question",
    "method": "method",
    "state": "job__state",
    "score": "score",
    "gain": "gain",
    "ece": "ece",
    "who": "created_by__name",
    "when": "created_at",
}
DEFAULT_SORT = "-number"
GOING = (Job.State.QUEUED, Job.State.RUNNING)
LONGEST_NUMBER = 8
"""Digits; a longer one is the number of no run."""


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


def find_all(project: Project, numbers: Collection[str]) -> list[Run]:
    """Runs in the order of their numbers as an address writes them. Raises Http404."""
    if not all(is_number(number) for number in numbers):
        raise Http404
    runs = {run.number: run for run in runs_of(project).filter(number__in=numbers)}
    if len(runs) < len(numbers):
        raise Http404
    return [runs[int(number)] for number in numbers]


def is_number(text: str) -> bool:
    return text.isdecimal() and len(text) <= LONGEST_NUMBER


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
    """Read `params` as the address holds them: state, method, who, alignment, q, sort. Unknown
    values are ignored.
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
    sort = params.get("sort", DEFAULT_SORT)
    sort = sort if sort.lstrip("-") in SORTS else DEFAULT_SORT
    states = [
        {"value": value, "label": label, "count": sum(fact[0] == value for fact in facts)}
        for value, label in Job.State.choices
    ]
    people = {(fact[2], fact[3]) for fact in facts if fact[2]}
    return RunList(
        runs=ordered(narrowed(everything, filters), sort).light(),
        total=len(facts),
        sort=sort,
        filters=filters,
        states=[state for state in states if state["count"]],
        methods=sorted({fact[1] for fact in facts if fact[1]}),
        people=sorted(people, key=lambda person: person[1]),
    )


def ordered(rows: RunQuerySet, sort: str) -> RunQuerySet:
    field = F(SORTS[sort.lstrip("-")])
    first = field.desc(nulls_last=True) if sort.startswith("-") else field.asc(nulls_last=True)
    return rows.order_by(first, "-number")


def narrowed(rows: RunQuerySet, filters: Mapping[str, str]) -> RunQuerySet:
    if filters["state"] in Job.State.values:
        rows = rows.filter(job__state=filters["state"])
    if filters["method"]:
        rows = rows.filter(method=filters["method"])
    if filters["who"].isdecimal():
        rows = rows.filter(created_by_id=int(filters["who"]))
    if filters["alignment"].isdecimal():
        rows = rows.filter(alignment__number=int(filters["alignment"]))
    if words := filters["q"]:
        matching = Q(question__icontains=words) | Q(name__icontains=words)
        if is_number(words):
            matching |= Q(number=int(words))
        rows = rows.filter(matching)
    return rows


def finished(project: Project) -> RunQuerySet:
    return runs_of(project).filter(job__state=Job.State.FINISHED, score__isnull=False)


def newest_finished(project: Project, runs: Collection[Run], limit: int = 24) -> list[Run]:
    """The newest finished runs, and those of `runs` that are not among them."""
    newest = list(finished(project).light()[:limit])
    return [*newest, *(run for run in runs if run not in newest)]


def leaders(project: Project) -> dict[int, str]:
    """Number of the run with the highest score on an alignment -> that in words; only for
    alignments on which at least two runs have finished.
    """
    rows = (
        finished(project)
        .order_by("-score", "number")
        .values_list("alignment_id", "number", "score", "score_high")
    )
    runs_on: dict[int, list[tuple[int, float, float]]] = {}
    for alignment, number, score, high in rows:
        upper = score if high is None else high
        runs_on.setdefault(alignment, []).append((number, score, upper))
    return {
        number: leader_words(sum(upper >= best for _number, _score, upper in others))
        for [(number, best, _upper), *others] in runs_on.values()
        if others
    }


def leader_words(close: int) -> str:
    """`close`: how many other runs it cannot be told apart from."""
    if not close:
        return _("highest so far")
    words = ngettext(
        "highest so far, but the interval of %(n)d other run holds it too",
        "highest so far, but the intervals of %(n)d other runs hold it too",
        close,
    )
    return words % {"n": close}


def past(project: Project, limit: int = 8) -> list[Run]:
    """Finished runs with what an estimate reads of them."""
    return list(finished(project).defer("result", "alignment__spec")[:limit])


def frozen_alignments(project: Project) -> list[Alignment]:
    rows = Alignment.objects.filter(project=project, state=Alignment.State.FROZEN)
    return list(rows.order_by("-number"))


def count_drafts(project: Project) -> int:
    return Alignment.objects.filter(project=project).exclude(state=Alignment.State.FROZEN).count()


def comments_on_run(run: Run) -> int:
    return count_comments(run.project, Thread.Anchor.RUN, str(run.number))


def comments_on_samples(project: Project, keys: Collection[str]) -> dict[str, int]:
    """Sample key -> how many comments stand on it."""
    threads = Thread.objects.filter(
        project=project, anchor_type=Thread.Anchor.SAMPLE, anchor_id__in=keys
    )
    counts = threads.values("anchor_id").annotate(
        n=Count("comments", filter=Q(comments__deleted_at=None))
    )
    return dict(counts.order_by().values_list("anchor_id", "n"))


def last_log_lines(job: Job, n: int) -> list[LogLine]:
    """The newest first."""
    return list(LogLine.objects.filter(job=job).order_by("-id")[:n])


def count_log_lines(job: Job) -> int:
    return LogLine.objects.filter(job=job).count()
