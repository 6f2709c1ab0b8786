"""The sample on the sign-in page of a demo: one of the demo study that no reading alone settles,
and what they say together.
"""

import base64
from typing import Any

from django.core.cache import cache
from django.core.files.storage import default_storage
from django.db import DatabaseError
from django.http import Http404, HttpRequest, QueryDict
from django.utils.translation import gettext as _

from apps.accounts import demo
from apps.datasets.blobs import blob_name
from apps.datasets.browsing.duck import CannotRead, ask_one, identifier
from apps.experiments.artifacts.predictions import ALONE, path_of
from apps.experiments.models import Run
from apps.ui import figures
from apps.workspace.sample_page import Pane, sample_of, source_of

HOURS_6 = 21_600
SHOWN = ("image", "audio", "text")


def showcase(request: HttpRequest) -> dict[str, Any] | None:
    """Only a demo installation, which only its own machine can reach, shows data to somebody who
    has not signed in.
    """
    if not demo.is_open(request):
        return None
    run = (
        Run.objects.filter(created_by__is_demo=True, score__isnull=False, deleted_at=None)
        .exclude(bundle_path="")
        .order_by("number")
        .first()
    )
    if run is None:
        return None
    try:
        sample = cache.get_or_set(
            f"showcase-{run.pk}-{run.bundle_digest}", lambda: _look(run), HOURS_6
        )
    except (CannotRead, Http404, OSError, DatabaseError):
        return None
    return {**sample, "note": _note(run, sample["key"])} if sample else None


def _look(run: Run) -> dict[str, Any] | None:
    names = [modality["name"] for modality in run.modalities if modality["kind"] in SHOWN]
    row = _puzzling(run, names)
    if row is None:
        return None
    sample = sample_of(run.project, source_of(run.project, QueryDict()), row["key"], QueryDict())
    column_of = {
        ref: name
        for name, modality in run.alignment.spec["modalities"].items()
        for ref in modality["columns"]
    }
    parts = [
        _part(pane, row[f"{ALONE}{column_of[pane.column.ref]}"], row["truth"])
        for pane in sample.panes
        if column_of.get(pane.column.ref) in names
    ]
    for place, part in enumerate(parts):
        part["y"] = round(300 * (2 * place + 1) / (2 * len(parts)))
    return {
        "key": row["key"],
        "parts": parts,
        "answer": row["answer"],
        "confidence": row["confidence"],
    }


def _puzzling(run: Run, names: list[str]) -> dict[str, Any] | None:
    """Answered right together with every input there, by as few of the single modalities as
    possible.
    """
    path = path_of(run)
    if path is None or not names:
        return None
    alone = [identifier(f"{ALONE}{name}") for name in names]
    all_present = " AND ".join(f"{column} IS NOT NULL" for column in alone)
    right = " + ".join(f"({column} = truth)::INT" for column in alone)
    order = f"{right}, abs(confidence - 0.9), key LIMIT 1"
    sql = f"SELECT * FROM t0 WHERE answer = truth AND {all_present} ORDER BY {order}"  # noqa: S608
    rows = ask_one((str(path),), sql)
    return rows[0] if rows else None


def _part(pane: Pane, answer: str, truth: str) -> dict[str, Any]:
    facts = [f"{name} {value}" for name, value in pane.facts[:2]]
    part = {
        "kind": pane.kind,
        "discipline": pane.discipline.name,
        "answer": answer,
        "right": answer == truth,
        "facts": facts,
        "text": pane.text,
    }
    if pane.kind == "image" and pane.media:
        part["image"] = _inline(pane.media.sha256)
    elif pane.kind == "audio" and pane.media:
        part["peaks"] = pane.media.peaks
    return part


def _inline(sha256: str) -> str:
    """The small copy as text: its own address asks for a signed-in member."""
    with default_storage.open(blob_name(sha256, "thumb")) as file:
        return f"data:image/webp;base64,{base64.b64encode(file.read()).decode()}"


def _note(run: Run, key: str) -> str:
    result = run.evaluation
    if result is None:
        return ""
    best = max(result.singles, key=lambda single: single.score.value)
    words = {
        "key": key,
        "n": f"{result.n_samples:,}",
        "together": f"{result.headline.score.value:.2f}",
        "single": f"{best.score.value:.2f}",
        "modality": best.modality,
        "metric": figures.metric(result.headline.metric),
    }
    return (
        _(
            "Sample %(key)s of the demo study. Over its %(n)s test samples, joining them reaches "
            "%(metric)s %(together)s; the best one alone, %(modality)s, %(single)s."
        )
        % words
    )
