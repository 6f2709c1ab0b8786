"""A run in a worker: read the frozen alignment, let the engine train and judge, store what it
wrote. Imported in workers only.
"""

import errno
import json
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext as _

from apps.datasets.alignments.loading import load_aligned
from apps.experiments import services
from apps.experiments.artifacts.predictions import path_of
from apps.experiments.models import Run
from apps.experiments.recipe import estimates
from apps.experiments.worker.metric_recorder import MetricRecorder
from apps.jobs.work import Failure, Work
from apps.ui import figures
from fusion.core.stopwatch import Stopwatch
from fusion.estimates import cost
from fusion.estimates.machine import Machine, forget_peak, peak_mb
from fusion.schema.recipe import Recipe, RecipeError
from fusion.schema.result import EvaluationResult

if TYPE_CHECKING:
    from fusion.evaluation.compare import Answered

logger = logging.getLogger(__name__)

WORK = "work"
MANIFEST = "bundle.json"


def run(work: Work) -> None:
    """The handler of jobs of kind "run". Attempts share a folder, so that a second one goes on
    where the first was cut off.
    """
    rows = Run.objects.select_related("project", "alignment__table", "created_by")
    run = rows.get(job=work.job)
    folder = settings.HOME / "runs" / str(work.job.pk)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if work.job.attempt > 1:
        work.log(
            _("Attempt %(n)d goes on where the last one was cut off.") % {"n": work.job.attempt}
        )
    with failures_in_words():
        result = result_of_last_attempt(folder / WORK) or train_and_measure(
            run, folder / WORK, MetricRecorder(work, run)
        )
        bundle = keep_bundle(folder, work.job.attempt)
        digest = json.loads((bundle / MANIFEST).read_text())["digest"]
    words = {
        "metric": figures.metric(result.headline.metric),
        "score": figures.score(result.headline.score.value),
        "n": f"{result.n_samples:,}",
    }
    work.log(_("Finished: %(metric)s %(score)s on %(n)s samples") % words)
    work.flush()
    work.on_flush = None
    services.finish_run(work.job, run, result, str(bundle.relative_to(settings.HOME)), digest)
    shutil.rmtree(folder / WORK, ignore_errors=True)


def train_and_measure(run: Run, out: Path, report: MetricRecorder) -> EvaluationResult:
    """Train, and keep what this machine needed for it; an attempt that goes on with another's work
    tells nothing of that.
    """
    watch = Stopwatch()
    forget_peak()
    result = train(run, out, report)
    if report.work.job.attempt == 1:
        teach_machine(run, result, watch.seconds, peak_mb())
    return result


def teach_machine(run: Run, result: EvaluationResult, seconds: float, peak: float) -> None:
    recipe = Recipe.parse(run.recipe)
    if recipe.search:
        return  # what it trained depends on its budget
    spent = cost.spent(
        estimates.shape(run.alignment, recipe),
        recipe,
        result.seconds,
        seconds,
        peak,
        len(result.rules) + bool(result.concepts),
    )
    machine = Machine.load(settings.HOME).learnt(spent)
    try:
        machine.save(settings.HOME)
    except OSError as error:
        logger.warning("What this run took could not be kept for later estimates: %s", error)


def result_of_last_attempt(out: Path) -> EvaluationResult | None:
    """The result of an attempt that was cut off between its last file and its last write."""
    from fusion.pipeline.bundle import BundleError
    from fusion.pipeline.bundle_files import load

    if not (out / MANIFEST).exists():
        return None
    try:
        return load(out).result
    except BundleError as error:
        logger.warning("%s; training again", error)
        return None


def train(run: Run, out: Path, report: MetricRecorder) -> EvaluationResult:
    from fusion.encoders.cache import Cache
    from fusion.pipeline.run import train as train_and_judge

    if run.alignment.table is None:
        raise Failure(_("The alignment has no table; freeze it again."))
    report.work.stage("read")
    aligned = load_aligned(run.alignment)
    recipe = Recipe.parse(run.recipe)
    threads = recipe.training.model_copy(update={"threads": settings.TORCH_THREADS})
    cache = Cache(settings.HOME / "embeddings", report.log)
    recipe = recipe.model_copy(update={"training": threads})
    return train_and_judge(aligned, recipe, out, cache, report, reference=reference_of(run))


def reference_of(run: Run) -> "Answered | None":
    """The run that this one was made from, as far as its answers are there."""
    from fusion.evaluation.compare import read
    from fusion.evaluation.prediction_tables import TableError

    path = path_of(run.parent) if run.parent else None
    if path is None or run.parent is None:
        return None
    try:
        return read(path, f"run {run.parent.number}")
    except TableError as error:
        logger.warning("Run %s cannot be a reference: %s", run.parent.number, error)
        return None


def keep_bundle(folder: Path, attempt: int) -> Path:
    """The finished files in a folder of this attempt: a stale attempt that writes late never
    touches them.
    """
    bundle, partial = folder / str(attempt), folder / f".{attempt}.part"
    for old in (bundle, partial):
        shutil.rmtree(old, ignore_errors=True)
    shutil.copytree(folder / WORK, partial, ignore=shutil.ignore_patterns(".*"))
    partial.rename(bundle)
    return bundle


@contextmanager
def failures_in_words() -> Iterator[None]:
    """Turn what can go wrong outside the program into causes that a person can act on."""
    from fusion.data.alignment import AlignmentError
    from fusion.encoders.base import EncoderError

    try:
        yield
    except (RecipeError, AlignmentError, EncoderError) as error:
        raise Failure(str(error)) from error
    except MemoryError as error:
        raise Failure(out_of_memory()) from error
    except OSError as error:
        raise Failure(disk_words(error)) from error
    except RuntimeError as error:
        if "memory" not in str(error).lower():
            raise
        raise Failure(out_of_memory()) from error


def out_of_memory() -> str:
    return _(
        "The worker ran out of memory. Halve the batch size, use a smaller encoder, or run it on a "
        "machine with more memory."
    )


def disk_words(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return _(
            "The disk of the worker is full. Free some space, then start the run again: it goes on "
            "with the vectors that it has."
        )
    name = Path(error.filename).name if isinstance(error.filename, str) else ""
    return _("A file could not be read or written: %(name)s (%(reason)s).") % {
        "name": name,
        "reason": error.strerror or error,
    }
