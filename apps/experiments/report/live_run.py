"""The page of a run while it goes on: stages, time left, curves, folds, log."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.experiments import queries
from apps.experiments.models import Run
from apps.experiments.recipe import alignment_facts, estimates
from apps.experiments.report import curves
from apps.experiments.words import duration, stage_name, unit_name
from apps.jobs.models import Job, LogLine
from apps.ui import figures
from apps.ui.plots import model as ui
from fusion.schema.recipe import Recipe

LINES, LINES_OF_FAILED = 12, 20


@dataclass(frozen=True)
class LiveCurves:
    """The loss of the newest fit that is validated, and the scores of all models beside it."""

    loss: ui.Lines | None = None
    loss_of: str = ""
    scores: ui.Lines | None = None
    scores_of: str = ""
    metric: str = ""


@dataclass(frozen=True)
class Live:
    """The state of a running, waiting, failed or stopped run. `left`: seconds, as a range."""

    stages: list[dict[str, Any]]
    left: tuple[float, float] | None
    tiles: list[dict[str, Any]]
    curves: LiveCurves
    folds: list[dict[str, Any]] = field(default_factory=list)
    log: list[LogLine] = field(default_factory=list)

    @property
    def now(self) -> str:
        """The stage under way, as the heading of the stage bar."""
        return next(
            (stage["name"] for stage in self.stages if stage["state"] == "now"), _("Starting")
        )


def live(run: Run) -> Live:
    """Read the state in a handful of queries: fits, two sets of points, the log."""
    job, recipe = run.job, Recipe.stored(run.recipe)
    fits = curves.fits(run)
    shown = curves_of(run, recipe, fits) if fits else LiveCurves()
    lines = LINES_OF_FAILED if job.state == Job.State.FAILED else LINES
    return Live(
        stages=stages(job),
        left=left(run, recipe),
        tiles=tiles(job, shown),
        curves=shown,
        folds=folds(run, recipe, fits),
        log=queries.last_log_lines(job, lines),
    )


def stages(job: Job) -> list[dict[str, Any]]:
    names = list(job.stages)
    current = names.index(job.stage) if job.stage in names else -1
    over = job.state == Job.State.FINISHED
    now = {Job.State.RUNNING: "now", Job.State.FAILED: "failed", Job.State.STOPPED: "failed"}

    def state(place: int) -> str:
        if over or place < current:
            return "done"
        return now.get(job.state, "next") if place == current else "next"

    return [_stage(job, name, state(place)) for place, name in enumerate(names)]


def _stage(job: Job, name: str, state: str) -> dict[str, Any]:
    seconds = job.stage_times.get(name)
    detail = duration(seconds) if seconds is not None else ""
    share = None
    if state in ("now", "failed") and job.total:
        detail, share = _counted(job), min(1.0, job.done / job.total)
    return {"name": stage_name(name), "detail": detail, "state": state, "share": share}


def _counted(job: Job) -> str:
    return _("%(done)s of %(total)s") % {
        "done": f"{job.done:,}",
        "total": unit_name(job.unit, job.total),
    }


def left(run: Run, recipe: Recipe) -> tuple[float, float] | None:
    job = run.job
    if job.state != Job.State.RUNNING or job.stage_started_at is None:
        return None
    return estimates.left(job, _seconds_since(job.stage_started_at), run.alignment, recipe)


def _seconds_since(moment: datetime) -> float:
    return (timezone.now() - moment).total_seconds()


def curves_of(run: Run, recipe: Recipe, fits: Sequence[curves.Fit]) -> LiveCurves:
    inner = [fit for fit in fits if fit.key.inner] or fits
    newest = max(inner, key=lambda fit: fit.newest)
    shown = [fit for fit in inner if fit.key.place == newest.key.place and fit.seed == newest.seed]
    points = curves.points(run, [fit.key for fit in shown], newest.seed)
    epochs = 0 if newest.key.tunes else recipe.training.epochs
    running = run.job.state == Job.State.RUNNING and fits[-1] == newest
    metric, by_model = curves.scored([(fit.key.model, points[fit.key]) for fit in shown])
    loss_of = _("%(model)s, tested later on %(round)s. Lower is better.")
    scores_of = _("%(metric)s on validation inside the training part, tested later on %(round)s")
    words = {
        "model": curves.model_label(newest.key.model),
        "metric": figures.metric(metric),
        "round": newest.key.fold,
    }
    return LiveCurves(
        loss=curves.loss(points[newest.key], epochs, running),
        loss_of=loss_of % words,
        scores=curves.scores(by_model, metric, run.kinds, epochs, running),
        scores_of=scores_of % words,
        metric=words["metric"],
    )


def folds(run: Run, recipe: Recipe, fits: Sequence[curves.Fit]) -> list[dict[str, Any]]:
    """Each fold of the split: its samples, and how far its training is."""
    expected = estimates.fits_of_fold(run.alignment, recipe)
    newest, job = fits[-1].key.fold if fits else "", run.job
    rows = []
    for fold in alignment_facts.folds(run.alignment):
        n = sum(fit.key.fold == fold["name"] and not fit.key.tunes for fit in fits)
        current = newest == fold["name"]
        running = current and job.state == Job.State.RUNNING and job.stage == "train"
        over = not current or job.stage in ("evaluate", "bundle")
        done = bool(n) and not running and over
        total = n if done else expected
        rows.append(
            {
                **fold,
                "fits": n,
                "of": total,
                "shown": _("%(done)s of %(total)s") % {"done": n, "total": total},
                "state": (
                    "done" if done else "running" if running else "stopped" if n else "waits"
                ),
            }
        )
    return rows


def tiles(job: Job, shown: LiveCurves) -> list[dict[str, Any]]:
    scores = [(line.ys[-1], line.label) for line in shown.scores.lines] if shown.scores else []
    best, model = max(scores, default=(None, ""))
    highest = _("%(model)s, highest so far") % {"model": model}
    losses = list(shown.loss.lines[-1].ys) if shown.loss else []
    spent = seconds_spent(job)
    return [
        {
            "label": _("Validation, %(metric)s") % {"metric": shown.metric or _("score")},
            "value": best,
            "note": highest if scores else _("comes with the first epoch"),
        },
        {
            "label": _("Validation loss"),
            "value": losses[-1] if losses else None,
            "spark": losses or None,
            "note": "",
        },
        {
            "label": stage_name(job.stage) if job.stage else _("Stage"),
            "value": f"{round(100 * job.done / job.total)} %" if job.total else "–",
            "note": _counted(job) if job.total else "",
        },
        {
            "label": _("Time so far"),
            "value": duration(spent) if spent is not None else "–",
            "note": _("attempt %(n)s") % {"n": job.attempt} if job.attempt > 1 else "",
        },
    ]


def seconds_spent(job: Job) -> float | None:
    if job.started_at is None:
        return None
    if not job.is_over:
        return _seconds_since(job.started_at)
    return (job.finished_at - job.started_at).total_seconds() if job.finished_at else None
