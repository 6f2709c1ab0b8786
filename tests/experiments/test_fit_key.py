"""Points of curves that were stored before the fit had a column for each of its parts."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps

from apps.experiments.models import Metric
from apps.experiments.report.curves import fits
from fusion.core.fit_key import FitKey
from tests.experiments.factory import finished_run

migration = import_module("apps.experiments.migrations.0005_fit_key")
OLD = {
    "late · fold 2, inner 1": FitKey("late", "fold 2", 1),
    "late · fold 2": FitKey("late", "fold 2"),
    "tune:text · S1 · north": FitKey("tune:text", "S1 · north"),
    "S1 · north": FitKey("S1", "north"),
    "fold 2": FitKey("", "fold 2"),
}


@pytest.mark.django_db
def test_a_fit_stored_as_one_string_is_split_and_joined_again(team: Any) -> None:
    run = finished_run(team.project, team.owner)
    Metric.objects.all().delete()
    point = {"run": run, "attempt": 1, "seed": 0, "epoch": 1, "name": "train_loss", "value": 1.0}
    for fold in OLD:
        Metric.objects.create(fold=fold, **point)
    migration.split(apps, None)
    assert {fit.key for fit in fits(run)} == set(OLD.values())
    migration.join(apps, None)
    assert {fit.key.fold for fit in fits(run)} == set(OLD)
