"""A run in a worker: read the frozen alignment, let the engine train and judge, store what it wrote. Imported in workers only."""

import errno
import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from apps.datasets.models import Alignment
from apps.jobs.work import Failure, Work
from fusion.recipe import Recipe, RecipeError
from fusion.result import EvaluationResult

from . import services
from .models import Run
from .points import Report

BUNDLE = "bundle"
ATTEMPT_FILES = ("checkpoints", "work")


def run(work: Work) -> None:
    """The handler of jobs of kind "run". Attempts share a folder, so that a second one goes on where the first was cut off."""
    import torch

    run = Run.objects.select_related("project", "alignment__table", "created_by").get(job=work.job)
    torch.set_num_threads(settings.TORCH_THREADS)
    folder = settings.HOME / "runs" / str(work.job.pk)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if work.job.attempt > 1:
        work.log(_("Attempt %(n)d goes on where the last one was cut off.") % {"n": work.job.attempt})
    with in_words():
        result = train(run, folder / "work", Report(work, run))
        bundle = keep_bundle(folder, work.job.attempt)
        digest = folder_digest(bundle)
    work.on_flush = None
    work.flush()
    services.finish_run(work.job, run, result, str(bundle.relative_to(settings.HOME)), digest)
    shutil.rmtree(folder / "work", ignore_errors=True)


def train(run: Run, out: Path, report: Report) -> EvaluationResult:
    from fusion.cache import Cache
    from fusion.train import train as train_model

    report.stage("read")
    aligned = load(run.alignment)
    recipe = Recipe.parse(run.recipe)
    threads = recipe.training.model_copy(update={"threads": settings.TORCH_THREADS})
    cache = Cache(settings.HOME / "embeddings")
    return train_model(aligned, recipe.model_copy(update={"training": threads}), out, cache, report)


def load(alignment: Alignment) -> "object":
    """The frozen rows, with the files of this project's blobs."""
    from apps.datasets.blobs import blob_path
    from fusion.alignment import Aligned

    if alignment.table is None:
        raise Failure(_("The alignment has no table; freeze it again."))
    return Aligned.read(blob_path(alignment.table.sha256), media=blob_path)


def keep_bundle(folder: Path, attempt: int) -> Path:
    """The finished files in a folder of this attempt: a stale attempt that writes late never touches them."""
    kept, partial = folder / str(attempt), folder / f".{attempt}.part"
    for old in (kept, partial):
        shutil.rmtree(old, ignore_errors=True)
    shutil.copytree(folder / "work", partial, ignore=shutil.ignore_patterns(*ATTEMPT_FILES))
    partial.rename(kept)
    return kept


def folder_digest(folder: Path) -> str:
    """SHA-256 over names and digests of all files of the bundle."""
    whole = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        with path.open("rb") as file:
            whole.update(f"{path.relative_to(folder)} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()


@contextmanager
def in_words() -> Iterator[None]:
    """Turn what can go wrong outside the program into causes that a person can act on."""
    from fusion.alignment import AlignmentError

    try:
        yield
    except (RecipeError, AlignmentError) as error:
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
    return _("The worker ran out of memory. Halve the batch size, use a smaller encoder, or run it on a machine with more memory.")


def disk_words(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return _("The disk of the worker is full. Free some space, then start the run again: it goes on with the vectors that it has.")
    name = Path(error.filename).name if isinstance(error.filename, str) else ""
    return _("A file could not be read or written: %(name)s (%(reason)s).") % {"name": name, "reason": error.strerror or error}
