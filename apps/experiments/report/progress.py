"""What the page of a run shows while the run goes on."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.experiments.models import Run
from apps.experiments.recipe import alignment_facts, estimates
from apps.experiments.report import curves
from apps.experiments.words import duration, stage_name, unit_name
from apps.jobs.models import Job, LogLine
from apps.ui import figures
from apps.ui.plots import model as ui
from fusion.schema.recipe import Recipe

LINES, LINES_OF_FAILED = 12, 20


@dataclass
class Live:
    """The state of a running, waiting, failed or stopped run."""

    run: Run
    stages: list[dict[str, Any]]
    left: tuple[float, float] | None
    tiles: list[dict[str, Any]]
    loss: ui.Lines | None = None
    loss_of: str = ""
    scores: ui.Lines | None = None
    scores_of: str = ""
    metric: str = ""
    rounds: list[dict[str, Any]] = field(default_factory=list)
    log: list[LogLine] = field(default_factory=list)

    @property
    def now(self) -> str:
        """The stage under way, as the heading of the stage bar."""
        return next((one["name"] for one in self.stages if one["state"] == "now"), _("Starting"))


def live(run: Run) -> Live:
    """A handful of queries: fits, two sets of points, the log."""
    job, recipe = run.job, Recipe.stored(run.recipe)
    fits = curves.fits(run)
    found = Live(
        run,
        stages(job),
        left(run, recipe),
        [],
        log=last_lines(job, LINES_OF_FAILED if job.state == Job.State.FAILED else LINES),
        rounds=rounds(run, recipe, fits),
    )
    if fits:
        _curves(found, run, recipe, fits)
    found.tiles = tiles(run, found)
    return found


def last_lines(job: Job, n: int) -> list[LogLine]:
    """The newest first."""
    return list(LogLine.objects.filter(job=job).order_by("-id")[:n])


def stages(job: Job) -> list[dict[str, Any]]:
    names = list(job.stages)
    at = names.index(job.stage) if job.stage in names else -1
    over = job.state == Job.State.FINISHED
    return [
        _stage(job, name, "done" if over or index < at else _now(job) if index == at else "next")
        for index, name in enumerate(names)
    ]


def _now(job: Job) -> str:
    return {Job.State.RUNNING: "now", Job.State.FAILED: "failed", Job.State.STOPPED: "failed"}.get(
        job.state, "next"
    )


def _stage(job: Job, name: str, state: str) -> dict[str, Any]:
    seconds = job.stage_times.get(name)
    detail = duration(seconds) if seconds is not None else ""
    share = None
    if state in ("now", "failed") and job.total:
        detail = _("%(done)s of %(total)s") % {
            "done": f"{job.done:,}",
            "total": unit_name(job.unit, job.total),
        }
        share = min(1.0, job.done / job.total)
    return {"name": stage_name(name), "detail": detail, "state": state, "share": share}


def left(run: Run, recipe: Recipe) -> tuple[float, float] | None:
    job = run.job
    if job.state != Job.State.RUNNING or job.stage_started_at is None:
        return None
    return estimates.left(job, _seconds_since(job.stage_started_at), run.alignment, recipe)


def _seconds_since(moment: datetime) -> float:
    return (timezone.now() - moment).total_seconds()


def _curves(found: Live, run: Run, recipe: Recipe, fits: list[curves.Fit]) -> None:
    """The newest fit that is validated, and the scores of all models beside it."""
    inside = [fit for fit in fits if fit.inner is not None] or fits
    newest = max(inside, key=lambda fit: fit.newest)
    beside = [fit for fit in inside if fit.where == newest.where and fit.seed == newest.seed]
    told = curves.points(run, [fit.fold for fit in beside], newest.seed)
    kinds = {one["name"]: one["kind"] for one in run.modalities}
    epochs = 0 if newest.tunes else recipe.training.epochs
    running = run.job.state == Job.State.RUNNING and fits[-1] == newest
    found.loss = curves.loss(told.get(newest.fold, {}), epochs, running)
    found.loss_of = _("%(model)s, tested later on %(round)s. Lower is better.") % {
        "model": curves.model_label(newest.model),
        "round": newest.round,
    }
    metric, by_model = curves.scored([(fit.model, told.get(fit.fold, {})) for fit in beside])
    found.scores, found.metric = (
        curves.scores(by_model, metric, kinds, epochs, running),
        figures.metric(metric),
    )
    words = {"metric": found.metric, "round": newest.round}
    found.scores_of = (
        _("%(metric)s on validation inside the training part, tested later on %(round)s") % words
    )


def rounds(run: Run, recipe: Recipe, fits: list[curves.Fit]) -> list[dict[str, Any]]:
    """Each round of the split: whom it tests, how far it is."""
    known = alignment_facts.rounds(run.alignment)
    each = estimates.fits_of_round(run.alignment, recipe)
    newest = fits[-1].round if fits else ""
    rows = []
    for one in known:
        mine = [fit for fit in fits if fit.round == one["name"] and not fit.tunes]
        now = (
            newest == one["name"]
            and run.job.state == Job.State.RUNNING
            and run.job.stage == "train"
        )
        done = (
            bool(mine)
            and not now
            and (newest != one["name"] or run.job.stage in ("evaluate", "bundle"))
        )
        rows.append(
            {
                **one,
                "fits": len(mine),
                "of": len(mine) if done else each,
                "shown": _("%(done)s of %(total)s")
                % {"done": len(mine), "total": len(mine) if done else each},
                "state": "done" if done else "running" if now else "stopped" if mine else "waits",
            }
        )
    return rows


def tiles(run: Run, found: Live) -> list[dict[str, Any]]:
    job = run.job
    spent = (
        _seconds_since(job.started_at)
        if job.started_at and not job.is_over
        else (
            (job.finished_at - job.started_at).total_seconds()
            if job.started_at and job.finished_at
            else None
        )
    )
    best = (
        max(((line.ys[-1], line.label) for line in found.scores.lines), default=None)
        if found.scores
        else None
    )
    counted = (
        _("%(done)s of %(total)s")
        % {"done": f"{job.done:,}", "total": unit_name(job.unit, job.total)}
        if job.total
        else ""
    )
    last = list(found.loss.lines) if found.loss else []
    return [
        {
            "label": _("Validation, %(metric)s") % {"metric": found.metric or _("score")},
            "value": best[0] if best else None,
            "note": _("%(model)s, highest so far") % {"model": best[1]}
            if best
            else _("comes with the first epoch"),
        },
        {
            "label": _("Validation loss"),
            "value": last[-1].ys[-1] if last else None,
            "spark": list(last[-1].ys) if last else None,
            "note": "",
        },
        {
            "label": stage_name(job.stage) if job.stage else _("Stage"),
            "value": f"{round(100 * job.done / job.total)} %" if job.total else "–",
            "note": counted,
        },
        {
            "label": _("Time so far"),
            "value": duration(spent) if spent is not None else "–",
            "note": _("attempt %(n)s") % {"n": job.attempt} if job.attempt > 1 else "",
        },
    ]
