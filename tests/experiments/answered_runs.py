"""Finished runs whose answers are files."""

from pathlib import Path
from typing import Any

import numpy as np

from apps.experiments.models import Run
from fusion.pipeline import predictions_file
from fusion.tasks.predictions import Scored
from tests.experiments import factory

N = 200


def answered_run(
    team: Any, settings: Any, skill: float, seed: int = 0, n: int = N, **fields: Any
) -> Run:
    """Right on a share `skill` of its n samples."""
    labels = factory.LABELS
    y = np.arange(n) % len(labels)
    rng = np.random.default_rng(seed)
    predicted = np.where(rng.random(n) < skill, y, (y + 1) % len(labels))
    p = np.full((1, n, len(labels)), 0.02)
    p[0, np.arange(n), predicted] = 0.82
    keys, clusters = [f"D{i:05}" for i in range(n)], np.array([f"w{i % 50}" for i in range(n)])
    prior, fold = np.zeros((n, len(labels))), np.array(["S1"] * n)
    scored = Scored(keys, y, np.ones((n, 1), bool), prior, clusters, fold, labels, ["image"])
    run = factory.finished_run(team.project, team.owner, score=round(skill, 2), **fields)
    result = run.evaluation.model_copy(update={"seeds": run.evaluation.seeds[:1]})
    Run.objects.filter(pk=run.pk).update(
        bundle_path=f"runs/{run.pk}",
        result=result.model_dump(mode="json"),
        bundle_digest=f"{run.pk:064}",
    )
    predictions_file.write(
        Path(settings.HOME) / f"runs/{run.pk}" / "predictions.parquet",
        scored,
        p,
        {"image": p},
        [0],
    )
    return Run.objects.get(pk=run.pk)
