"""The job "freeze": join, write the Parquet file, store its digest and what the alignment's page
shows.
"""

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.datasets.blobs import blob_name, digest_of, register_blobs, store_path
from apps.datasets.models import Alignment, Blob
from apps.jobs.leases import close
from apps.jobs.models import Job
from apps.jobs.work import Failure, Work
from apps.projects.events import record
from fusion.data.alignment import Aligned, AlignmentError, folds
from fusion.data.alignment_files import write_alignment

from .version_columns import align

TYPE = "application/vnd.apache.parquet"
MAX_NAMED = 50


def run(work: Work) -> None:
    alignment = Alignment.objects.select_related("project", "created_by").get(
        pk=work.job.payload["alignment"]
    )
    work.stage("join")
    try:
        aligned = align(alignment)
        summary = summarise(aligned)
    except AlignmentError as error:
        raise Failure(
            _("The alignment cannot be frozen: %(reason)s.") % {"reason": error}
        ) from error
    work.check()
    work.stage("write")
    with tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR) as folder:
        path = Path(folder) / "alignment.parquet"
        write_alignment(aligned, path)
        blob = Blob(sha256=digest_of(path), size=path.stat().st_size, kind="table", media_type=TYPE)
        store_path(path, blob_name(blob.sha256))
    work.check()
    finish(work.job, alignment, blob, aligned.digest, summary)


@transaction.atomic
def finish(
    job: Job, alignment: Alignment, blob: Blob, digest: str, summary: dict[str, Any]
) -> None:
    close(job, Job.State.FINISHED)
    table = register_blobs(alignment.project, [blob])[blob.sha256]
    Alignment.objects.filter(pk=alignment.pk, job=job).update(
        table=table,
        digest=digest,
        summary=summary,
        state=Alignment.State.FROZEN,
        frozen_at=timezone.now(),
    )
    record(
        alignment.project,
        alignment.created_by,
        "alignment.frozen",
        "alignment",
        alignment.number,
        alignment.name,
        samples=summary["n_samples"],
    )


def summarise(aligned: Aligned) -> dict[str, Any]:
    """The facts that the page and the run form show without opening the table."""
    out = aligned.left_out()
    usable = aligned.kept()
    present = {name: modality.present() for name, modality in aligned.modalities.items()}
    patterns = Counter(
        tuple(name for name in present if present[name][row]) for row in range(len(aligned))
    )
    twice = aligned.duplicates()
    labels = label_counts(aligned)
    return {
        "n_samples": len(aligned),
        "n_labelled": sum(label is not None for label in aligned.labels),
        "n_usable": len(usable),
        "labels": {label: labels[label] for label in aligned.label_order},
        "modalities": {
            name: {"kind": modality.kind, "present": sum(present[name])}
            for name, modality in aligned.modalities.items()
        },
        "patterns": [
            {"present": list(names), "count": count} for names, count in patterns.most_common()
        ],
        "left_out": {reason: len(rows) for reason, rows in out.items()},
        "duplicates": [[aligned.keys[row], aligned.keys[first]] for row, first in twice.items()][
            :MAX_NAMED
        ],
        "n_duplicates": len(twice),
        "groups": {ref: group_counts(values) for ref, values in aligned.groups.items()},
        "clusters": {"column": aligned.cluster or "", "count": len(set(aligned.cluster_values()))},
        "folds": fold_sizes(aligned),
        "flags": dict(Counter(flag.flag for flag in aligned.flags)),
    }


def label_counts(aligned: Aligned) -> Counter[str]:
    """Samples that bear each label; nothing of a number."""
    sets = [
        [] if label is None else label if isinstance(label, list) else [label]
        for label in aligned.labels
    ]
    return (
        Counter()
        if aligned.task == "regression"
        else Counter(label for labels in sets for label in labels)
    )


def group_counts(values: list[Any]) -> dict[str, int]:
    counts = Counter(str(value) for value in values if value is not None)
    return dict(counts.most_common(MAX_NAMED))


def fold_sizes(aligned: Aligned) -> list[dict[str, Any]]:
    """The rounds of the split, which also proves that it can be done."""
    return [
        {"name": fold.name, "train": len(fold.train), "test": len(fold.test)}
        for fold in folds(aligned)
    ]
