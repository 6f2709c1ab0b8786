"""Points of curves in the order of the training: which fits there are, and their curves
as plots.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Max
from django.utils.translation import gettext as _

from apps.experiments.models import Metric, Run
from apps.experiments.words import method_name
from apps.ui import figures
from apps.ui.plots import model as ui
from fusion.core.fit_key import TUNE, FitKey
from fusion.schema.methods import METHODS


@dataclass(frozen=True)
class Fit:
    """One network while it trained. newest: its last point."""

    key: FitKey
    seed: int
    epochs: int
    newest: int


def fits(run: Run) -> list[Fit]:
    """Return the fits in the order in which they were begun."""
    rows = (
        run.metrics.order_by()
        .values_list("model", "fold", "inner", "seed")
        .annotate(epochs=Max("epoch"), newest=Max("id"))
        .order_by("newest")
    )
    return [Fit(FitKey(*key), seed, epochs, newest) for *key, seed, epochs, newest in rows]


def points(
    run: Run, keys: Iterable[FitKey], seed: int
) -> dict[FitKey, dict[str, list[tuple[int, float]]]]:
    """Return fit -> curve -> [(epoch, value)]."""
    curves: dict[FitKey, dict[str, list[tuple[int, float]]]] = {key: {} for key in keys}
    folds, inner = {key.fold for key in curves}, {key.inner for key in curves}
    rows = (
        Metric.objects.filter(run=run, seed=seed, fold__in=folds, inner__in=inner)
        .order_by("epoch")
        .values_list("model", "fold", "inner", "name", "epoch", "value")
    )
    for *key, name, epoch, value in rows:
        if (fit := FitKey(*key)) in curves:
            curves[fit].setdefault(name, []).append((epoch, value))
    return curves


def model_label(model: str) -> str:
    if model.startswith(TUNE):
        return _("encoder of %(modality)s") % {"modality": model.removeprefix(TUNE)}
    return method_name(model) if model in METHODS else model


def loss(
    curves: dict[str, list[tuple[int, float]]], epochs: int, running: bool, name: str = "loss"
) -> ui.Lines | None:
    """Train and validation; epochs to come are shaded while it runs."""
    looks: list[tuple[str, Any, dict[str, Any]]] = [
        ("train_loss", _("train"), {"style": "muted", "dash": "6 4"}),
        ("validation_loss", _("validation"), {"style": "accent"}),
    ]
    lines = [_line(curves[key], label, **look) for key, label, look in looks if curves.get(key)]
    if not any(len(line.xs) > 1 for line in lines):
        return None
    known = max(x for line in lines for x in line.xs)
    return ui.Lines(
        lines=lines,
        x_range=(1, max(epochs, known, 2)),
        shade_from=known if running and known < epochs else None,
        shade_label=_("epochs to come"),
        x_label=_("Epoch"),
        y_label=_("Loss"),
        tick_digits=1,
        name=name,
        best_x=None if running else best_epoch(curves),
        best_label=_("best"),
    )


def best_epoch(curves: dict[str, list[tuple[int, float]]]) -> float | None:
    """The epoch of the lowest validation loss; None where that is the last one."""
    losses = curves.get("validation_loss")
    if not losses:
        return None
    best = min(losses, key=lambda point: point[1])[0]
    return best if best < losses[-1][0] else None


VALIDATION = "validation_"


def score_of(curve: str) -> str:
    """The metric of a curve of scores; empty for a loss."""
    metric = curve.removeprefix(VALIDATION)
    return "" if metric in (curve, "loss") else metric


def scored(
    models: Iterable[tuple[str, dict[str, list[tuple[int, float]]]]],
) -> tuple[str, dict[str, list[tuple[int, float]]]]:
    """(model, its curves) -> the headline metric, and its curve by model."""
    scores = {
        model: (metric, points)
        for model, curves in models
        for name, points in curves.items()
        if (metric := score_of(name)) and points
    }
    return next((metric for metric, _points in scores.values()), "macro_f1"), {
        model: points for model, (_metric, points) in scores.items()
    }


def scores(
    by_model: dict[str, list[tuple[int, float]]],
    metric: str,
    kinds: dict[str, str],
    epochs: int,
    running: bool,
) -> ui.Lines | None:
    """Validation scores of every model of one round."""
    lines = []
    for model, points in by_model.items():
        look = (
            {"kind": kinds[model]}
            if model in kinds
            else {"style": "accent" if model == "gated" else "muted"}
        )
        lines.append(_line(points, model_label(model), **look))
    if not any(len(line.xs) > 1 for line in lines):
        return None
    known = max(x for line in lines for x in line.xs)
    return ui.Lines(
        lines=lines,
        x_range=(1, max(epochs, known, 2)),
        shade_from=known if running and known < epochs else None,
        shade_label=_("epochs to come"),
        x_label=_("Epoch"),
        y_label=figures.metric(metric),
        name="validation-score",
    )


def _line(points: list[tuple[int, float]], label: Any, **look: Any) -> ui.Line:
    return ui.Line(
        label=label,
        xs=[epoch for epoch, _value in points],
        ys=[value for _epoch, value in points],
        end_dot=True,
        **look,
    )
