"""What the tabs of a run's page show, put together from its result and its job."""

from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.experiments.models import Run
from apps.experiments.recipe import alignment_facts, encoder_choices, finetune_fields
from apps.experiments.recipe.estimates import encoders_of
from apps.experiments.report import curves, plots
from apps.experiments.report.learned_weights import Mix, attended, mixes
from apps.experiments.report.shortfalls import Shortfalls, shortfalls
from apps.experiments.words import duration, engine_note, method_name, reason_in_words
from apps.ui import figures
from apps.ui.components.numbers import verdict_words
from apps.ui.plots import model as ui
from apps.ui.plots.confusion import frequent_confusions
from fusion.schema.recipe import Recipe
from fusion.schema.result import EvaluationResult
from fusion.schema.task_names import TaskName


@dataclass
class Outcome:
    """Everything on the overview of a finished run."""

    result: EvaluationResult
    tested: str
    tiles: list[dict[str, Any]]
    caption: str
    notes: list[str]
    rely: ui.Bars
    rely_words: str
    by_class: ui.Stacked | None
    missing: ui.Lines | None
    missing_words: str
    shortfalls: Shortfalls | None
    comparison: ui.Forest
    comparison_words: str
    subgroups: ui.Forest | None
    subgroup_words: str
    weakest: str
    metric: str
    confusion: ui.Confusion | None
    confusion_words: str
    confusions: list[dict[str, Any]]
    confused_url: str
    against: ui.Lines | None
    against_words: str
    per_class: ui.Forest | None
    reliability: ui.Reliability
    reliability_words: str
    mixes: list[Mix]
    attended: list[Mix]


def outcome(run: Run) -> Outcome:
    result = run.evaluation
    assert result is not None
    kinds = {one["name"]: one["kind"] for one in run.modalities}
    confusion = plots.confusion(
        result, lambda truth, answer: predictions_url(run, truth=truth, answer=answer)
    )
    return Outcome(
        result=result, metric=plots.metric(result), against=plots.against(result), against_words=plots.against_words(result), tested=tested(result), tiles=tiles(result), caption=caption(result), notes=notes(result),
        rely=plots.contributions(result, kinds), rely_words=plots.contributions_words(result), by_class=plots.contributions_by_class(result, kinds),
        missing=plots.degradation(result, kinds), missing_words=plots.missing_words(result),
        shortfalls=shortfalls(result, run.recipe.get("training", {}).get("floor", False)),
        comparison=plots.comparison(result), comparison_words=plots.comparison_words(result),
        subgroups=plots.subgroups(result), subgroup_words=plots.subgroup_words(result), weakest=plots.weakest_label(result),
        confusion=confusion, confusion_words=plots.confusion_words(result), confusions=frequent_confusions(confusion) if confusion else [],
        confused_url=predictions_url(run, show="wrong"), per_class=plots.per_class(result),
        reliability=plots.reliability(result), reliability_words=plots.reliability_words(result),
        mixes=mixes(result),
        attended=attended(result),
    )  # fmt: skip


def tested(result: EvaluationResult) -> str:
    return _("%(n)s of %(total)s samples tested") % {
        "n": f"{result.n_samples:,}",
        "total": f"{result.n_total:,}",
    }


def predictions_url(run: Run, **query: str) -> str:
    return f"{reverse('experiments:tab', args=[run.project.slug, run.number, 'predictions'])}?{urlencode(query)}"


def tiles(result: EvaluationResult) -> list[dict[str, Any]]:
    head = result.headline
    gain = head.gain_over_best_single
    also = _(", ").join(
        f"{figures.metric(name)} {figures.score(result.metrics[name].value)}"
        for name in BESIDE[result.task]
        if name in result.metrics
    )
    before = _("%(value)s before temperature") % {
        "value": figures.score(result.calibration.before.ece.value)
    }
    rows = [
        {"label": plots.metric(result), "value": head.score.value, "interval": ci(head.score), "note": also},
        {"label": _("Gain over %(modality)s alone") % {"modality": gain.over}, "value": figures.signed(gain.value), "interval": ci(gain),
         "note": verdict_words(verdict(gain.verdict))},
        {"label": _("Calibration, ECE"), "value": head.ece.value, "interval": ci(head.ece), "note": before},
    ]  # fmt: skip
    return [*rows, *_fourth(result)]


BESIDE: dict[TaskName, tuple[str, ...]] = {
    "classification": ("auroc", "accuracy"),
    "ordinal": ("kappa", "mae_steps"),
    "regression": ("mae", "spearman"),
    "multi-label": ("micro_f1", "exact_match"),
}
"""Metrics that stand under the headline."""


def _fourth(result: EvaluationResult) -> list[dict[str, Any]]:
    """The weakest subgroup; where there are no subgroups, the weakest label."""
    if weak := plots.weakest(result):
        label = _("Weakest: %(group)s") % {"group": plots.weakest_label(result)}
        note = _("%(metric)s of %(n)s samples") % {
            "metric": plots.metric(result),
            "n": f"{weak.n:,}",
        }
        return [
            {"label": label, "value": weak.score.value, "interval": ci(weak.score), "note": note}
        ]
    if not result.per_class:
        return []
    worst = min(result.per_class, key=lambda one: one.f1.value)
    label = _("Hardest label: %(label)s") % {"label": worst.label}
    note = _("F1 of %(n)s samples") % {"n": f"{worst.n:,}"}
    return [{"label": label, "value": worst.f1.value, "interval": ci(worst.f1), "note": note}]


def ci(one: Any) -> str:
    return (
        figures.interval(one.low, one.high)
        if one.low is not None
        else _("no interval: too few clusters")
    )


def verdict(words: str) -> str:
    return {"clearly better": "better", "clearly worse": "worse"}.get(words, "same")


def caption(result: EvaluationResult) -> str:
    """What the intervals mean, for these people and these clusters."""
    clusters, split = result.clusters, result.split
    unit = plots.short(clusters.column) if clusters.column else _("sample")
    words = {
        "n": f"{clusters.n:,}",
        "unit": unit,
        "draws": f"{clusters.draws:,}",
        "seeds": len(result.seeds),
        "folds": len(split.folds),
    }
    text = (
        ngettext(
            "Second line: 95 %% interval, bootstrap over %(n)s values of %(unit)s. One seed, out of fold.",
            "Second line: 95 %% interval, bootstrap over %(n)s values of %(unit)s. Mean of %(seeds)s seeds, out of fold.",
            len(result.seeds),
        )
        % words
    )
    if not result.seeds:
        text = (
            _(
                "Second line: 95 %% interval, bootstrap over %(n)s values of %(unit)s. All seeds answer together, out of fold."
            )
            % words
        )
    if split.policy == "leave-one-group-out" and split.groups:
        held = _("These %(folds)s folds each leave one %(group)s out.") % {
            "folds": len(split.folds),
            "group": plots.short(split.groups[0]),
        }
        return f"{text} {held}"
    return text


def notes(result: EvaluationResult) -> list[str]:
    """What a careful reader must know before believing the figures."""
    found = [engine_note(result.clusters.note)] if result.clusters.note else []
    if len(result.seeds) == 1:
        found.append(_("One seed only: another seed may give another figure."))
    return found


@dataclass
class Setup:
    rows: list[tuple[str, str]]
    command: str
    seeds: list[tuple[str, str]] = field(default_factory=list)


def setup(run: Run) -> Setup:
    recipe, result = Recipe.parse(run.recipe), run.evaluation
    kinds = {one["name"]: one["kind"] for one in run.modalities}
    rows = [
        (_("Alignment"), run.alignment.name),
        (_("Split"), alignment_facts.split_words(run.alignment)),
        (_("Fusion method"), method_name(run.method)),
    ]
    rows += [(name, encoders_in_words(recipe, name, kind)) for name, kind in kinds.items()]
    training = recipe.training
    rows += [
        (_("Modality dropout"), f"{training.modality_dropout:g}"),
        (_("Epochs, batch"), f"{training.epochs}, {training.batch_size}"),
        (_("Learning rate"), f"{training.learning_rate:g}"),
        (_("Seeds"), ", ".join(str(seed) for seed in training.seeds)),
    ]
    if result:
        rows.append(
            (
                _("Left out"),
                _(", ").join(
                    reason_in_words(reason, n) for reason, n in result.left_out.items() if n
                )
                or _("none"),
            )
        )
        rows.append((_("Took"), took(run)))
    seeds = (
        [(_("Seed %(n)s") % {"n": one.seed}, figures.score(one.score)) for one in result.seeds]
        if result
        else []
    )
    return Setup(rows, f"python -m fusion train \\\n  FOLDER --recipe run-{run.number}.yaml", seeds)


def took(run: Run) -> str:
    job = run.job
    return (
        duration((job.finished_at - job.started_at).total_seconds())
        if job.started_at and job.finished_at
        else ""
    )


def encoders_in_words(recipe: Recipe, name: str, kind: str) -> str:
    """`MiniLM L6 v2 (LoRA, 3 epochs)`: each encoder of a modality, and how it is trained."""
    how = [finetune_fields.in_words(choice) for choice in recipe.encoders.get(name, [])]
    titles = [encoder_choices.called(one) for one in encoders_of(recipe, name, kind)]
    return ", ".join(
        f"{title} ({words})" if words else title
        for title, words in zip_longest(titles, how, fillvalue="")
    )


def settings_rows(run: Run) -> list[dict[str, Any]]:
    """Every setting of the recipe, those that differ from the standard recipe first."""
    mine, plain = flat(run.recipe), flat(Recipe.default().model_dump(mode="json"))
    skipped = {"title", "description", "schema_version"}
    rows = [
        {
            "name": name,
            "value": shown(value),
            "default": shown(plain.get(name)),
            "differs": value != plain.get(name),
        }
        for name, value in mine.items()
        if name not in skipped
    ]
    return sorted(rows, key=lambda row: not row["differs"])


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[dict[str, str]]:
    """Settings of which two recipes say different things."""
    before, after = flat(old), flat(new)
    names = [
        name for name in dict.fromkeys([*before, *after]) if name not in ("title", "description")
    ]
    return [
        {"name": name, "old": shown(before.get(name)), "new": shown(after.get(name))}
        for name in names
        if before.get(name) != after.get(name)
    ]


def flat(data: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """`training.epochs`; lists stay whole."""
    found: dict[str, Any] = {}
    for name, value in data.items():
        if isinstance(value, dict) and value:
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def shown(value: Any) -> str:
    if value is None or value in ([], {}):
        return _("default")
    if isinstance(value, bool):
        return _("on") if value else _("off")
    if isinstance(value, list):
        return ", ".join(_encoder(one) if isinstance(one, dict) else str(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {shown(one)}" for name, one in value.items() if one is not None)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _encoder(one: dict[str, Any]) -> str:
    options = [
        f"{name} {shown(value)}"
        for name, value in one.items()
        if name != "name" and value not in (None, "frozen", False)
    ]
    return f"{one.get('name', '')} ({'; '.join(options)})" if options else str(one.get("name", ""))


def curve_tab(run: Run, where: str) -> dict[str, Any]:
    """Small multiples of one round's fits: loss a model, and the validation scores of all of them."""
    fits = curves.fits(run)
    places = list(dict.fromkeys(fit.where for fit in fits))
    inside = [fit.where for fit in fits if fit.inner is not None]
    chosen = where if where in places else (inside or places or [""])[-1]
    beside = [fit for fit in fits if fit.where == chosen]
    seed = beside[0].seed if beside else 0
    told = curves.points(run, [fit.fold for fit in beside], seed)
    epochs = Recipe.parse(run.recipe).training.epochs
    kinds = {one["name"]: one["kind"] for one in run.modalities}
    losses = [
        (
            curves.model_label(fit.model),
            curves.loss(
                told.get(fit.fold, {}),
                0 if fit.tunes else epochs,
                False,
                f"loss-{fit.model}".replace(":", "-"),
            ),
        )
        for fit in beside
        if fit.seed == seed
    ]
    metric, by_model = curves.scored([(fit.model, told.get(fit.fold, {})) for fit in beside])
    return {
        "places": places,
        "chosen": chosen,
        "scores": curves.scores(by_model, metric, kinds, epochs, False),
        "losses": [one for one in losses if one[1]],
        "fits": len(fits),
    }
