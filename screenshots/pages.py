"""Every page that is pictured: its name, its route and who looks at it, found among the demo's own
objects.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import reverse

from apps.datasets.models import Alignment, DataSet
from apps.experiments.models import Run
from apps.jobs.models import Job
from apps.projects.models import Project

OWNER, REVIEWER = "Inês Costa", "Lin Mei"


@dataclass(frozen=True)
class Page:
    """`person` None: nobody is signed in. `height` cuts the picture; None takes the whole page."""

    name: str
    path: str
    person: str | None = REVIEWER
    height: int | None = None


def pages() -> list[Page]:
    project = Project.objects.order_by("pk").first()
    if project is None:
        raise SystemExit(
            "There is no project here; name the home of a demo in CONSILIENCE_HOME, or leave it "
            "out."
        )
    return [
        Page(name, reverse(route, args=arguments), *more)
        for name, route, arguments, more in [*fixed(), *of_project(project)]
    ]


Found = tuple[str, str, tuple[object, ...], tuple[object, ...]]


def fixed() -> Iterator[Found]:
    yield "sign-in", "account_login", (), (None,)
    yield "home", "home", (), ()
    yield "inbox", "discussions:inbox", (), ()
    yield "search", "workspace:search", (), ()
    yield "help", "workspace:help", (), ()
    yield "profile", "accounts:profile", (), ()
    yield "tokens", "accounts:tokens", (), ()
    yield "new-project", "projects:new", (), (OWNER,)
    yield "gallery", "ui:gallery", (), (OWNER,)


def of_project(project: Project) -> Iterator[Found]:
    slug = project.slug
    for name in ("overview", "activity", "members", "settings", "disciplines"):
        yield name, f"projects:{name}", (slug,), (OWNER,)
    yield "data-sets", "datasets:list", (slug,), ()
    yield "new-data-set", "datasets:new", (slug,), ()
    yield from of_data(project)
    yield "runs", "experiments:runs", (slug,), ()
    yield "new-run", "experiments:new_run", (slug,), ()
    yield from of_runs(project)
    yield "models", "registry:models", (slug,), ()
    for model in project.models.all()[:1]:
        yield "model", "registry:model", (slug, model.slug), ()
        for version in model.versions.all()[:1]:
            yield "model-version", "registry:version", (slug, model.slug, version.number), ()
    yield "reviews", "reviews:list", (slug,), ()
    for review in project.reviews.all()[:1]:
        yield "review", "reviews:review", (slug, review.number), (REVIEWER, 1180)
        for tab in ("changes", "evidence", "conversation"):
            yield f"review-{tab}", f"reviews:{tab}", (slug, review.number), ()


def of_data(project: Project) -> Iterator[Found]:
    slug = project.slug
    datasets = project.datasets.filter(deleted_at=None).order_by("pk")
    seen = next((one for one in datasets if has_images(one)), None)
    if seen:
        yield "data-set", "datasets:dataset", (slug, seen.slug), (REVIEWER, 1180)
        for tab in ("columns", "check", "versions", "discussion"):
            yield f"data-set-{tab}", "datasets:dataset_tab", (slug, seen.slug, tab), ()
    for annotated in datasets.filter(kind=DataSet.Kind.ANNOTATION)[:1]:
        yield "annotations", "datasets:dataset", (slug, annotated.slug), ()
        yield "agreement", "datasets:dataset_tab", (slug, annotated.slug, "agreement"), ()
    yield "samples", "workspace:samples", (slug,), ()
    yield "sample", "workspace:sample", (slug, discussed(project)), ()
    yield "alignments", "datasets:alignments", (slug,), ()
    yield "new-alignment", "datasets:new_alignment", (slug,), ()
    for alignment in Alignment.objects.filter(project=project)[:1]:
        yield "alignment", "datasets:alignment", (slug, alignment.number), ()


def has_images(dataset: DataSet) -> bool:
    newest = dataset.versions.first()
    return bool(newest) and any(column["kind"] == "image" for column in newest.columns)


def discussed(project: Project) -> str:
    """The sample that people talk about, else the first mistake of a run."""
    thread = project.threads.filter(anchor_type="sample").first()
    if thread:
        return thread.anchor_id
    run = Run.objects.filter(project=project, score__isnull=False).first()
    return run.evaluation.disagreements[0].key if run and run.evaluation else "L00001"


def of_runs(project: Project) -> Iterator[Found]:
    finished = project.runs.filter(job__state=Job.State.FINISHED).order_by("number").first()
    if finished:
        yield "run", "experiments:run", (project.slug, finished.number), (REVIEWER, 1180)
        for tab in ("curves", "predictions", "map", "settings", "log", "discussion"):
            yield f"run-{tab}", "experiments:tab", (project.slug, finished.number, tab), ()
    live = project.runs.exclude(job__state=Job.State.FINISHED).order_by("-number").first()
    if live:
        yield "run-live", "experiments:run", (project.slug, live.number), ()
