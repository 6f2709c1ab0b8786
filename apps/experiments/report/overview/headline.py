"""The tiles at the top: headline score, gain, calibration, the weakest subgroup or label; and what
their intervals mean.
"""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.experiments.report import interval_scales
from apps.experiments.report.overview import subgroups
from apps.experiments.words import note_in_words, short_name
from apps.ui import figures
from apps.ui.components.numbers import verdict_words
from fusion.schema.intervals import Interval
from fusion.schema.result import EvaluationResult
from fusion.schema.task_names import TaskName

BESIDE: dict[TaskName, tuple[str, ...]] = {
    "classification": ("auroc", "accuracy"),
    "ordinal": ("kappa", "mae_steps"),
    "regression": ("mae", "spearman"),
    "multi-label": ("micro_f1", "exact_match"),
}
"""Metrics that stand under the headline."""


@dataclass(frozen=True)
class Tile:
    label: str
    value: str | float
    interval: str
    note: str


@dataclass(frozen=True)
class HeadlineSection:
    metric: str
    tested: str
    tiles: list[Tile]
    caption: str
    notes: list[str]


def section(result: EvaluationResult) -> HeadlineSection:
    return HeadlineSection(
        figures.metric(result.headline.metric),
        tested(result),
        tiles(result),
        caption(result),
        notes(result),
    )


def tested(result: EvaluationResult) -> str:
    return _("%(n)s of %(total)s samples tested") % {
        "n": f"{result.n_samples:,}",
        "total": f"{result.n_total:,}",
    }


def tiles(result: EvaluationResult) -> list[Tile]:
    headline, metrics = result.headline, result.metrics
    gain = headline.gain_over_best_single
    beside = [
        f"{figures.metric(name)} {figures.score(metrics[name].value)}"
        for name in BESIDE[result.task]
        if name in metrics
    ]
    before = figures.score(result.calibration.before.ece.value)
    weakest = _weakest_tile(result)
    return [
        _tile(figures.metric(headline.metric), headline.score, _(", ").join(beside)),
        Tile(
            _("Gain over %(modality)s alone") % {"modality": gain.over},
            figures.signed(gain.value),
            interval_scales.in_words(gain),
            verdict_words(interval_scales.verdict(gain.verdict)),
        ),
        _tile(
            _("Calibration, ECE"),
            headline.ece,
            _("%(value)s before temperature") % {"value": before},
        ),
        *([weakest] if weakest else []),
    ]


def _weakest_tile(result: EvaluationResult) -> Tile | None:
    """The weakest subgroup; where there are no subgroups, the weakest label."""
    if subgroup := subgroups.weakest(result):
        label = _("Weakest: %(group)s") % {"group": subgroups.weakest_label(result)}
        note = _("%(metric)s of %(n)s samples") % {
            "metric": figures.metric(result.headline.metric),
            "n": f"{subgroup.n:,}",
        }
        return _tile(label, subgroup.score, note)
    if not result.per_class:
        return None
    worst = min(result.per_class, key=lambda scores: scores.f1.value)
    label = _("Hardest label: %(label)s") % {"label": worst.label}
    return _tile(label, worst.f1, _("F1 of %(n)s samples") % {"n": f"{worst.n:,}"})


def _tile(label: str, interval: Interval, note: str) -> Tile:
    return Tile(label, interval.value, interval_scales.in_words(interval), note)


def caption(result: EvaluationResult) -> str:
    """Say what the intervals mean, for these people and these clusters."""
    clusters, split = result.clusters, result.split
    words = {
        "n": f"{clusters.n:,}",
        "unit": short_name(clusters.column) if clusters.column else _("sample"),
        "draws": f"{clusters.draws:,}",
        "seeds": len(result.seeds),
        "folds": len(split.folds),
    }
    if result.seeds:
        text = ngettext(
            "Second line: 95 %% interval, bootstrap over %(n)s values of %(unit)s. One seed, out "
            "of fold.",
            "Second line: 95 %% interval, bootstrap over %(n)s values of %(unit)s. Mean of "
            "%(seeds)s seeds, out of fold.",
            len(result.seeds),
        )
    else:
        text = _(
            "Second line: 95 %% interval, bootstrap over %(n)s values of %(unit)s. All seeds "
            "answer together, out of fold."
        )
    if split.policy == "leave-one-group-out" and split.groups:
        words["group"] = short_name(split.groups[0])
        text += " " + _("These %(folds)s folds each leave one %(group)s out.")
    return text % words


def notes(result: EvaluationResult) -> list[str]:
    """Warnings for a careful reader, before the figures are believed."""
    texts = [note_in_words(result.clusters.note)] if result.clusters.note else []
    if len(result.seeds) == 1:
        texts.append(_("One seed only: another seed may give another figure."))
    return texts
