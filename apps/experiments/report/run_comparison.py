"""Runs side by side: what each reaches on the same test samples, paired with one of them, and the
settings that differ.
"""

from dataclasses import dataclass, field
from typing import Any

from django.core.cache import cache
from django.db.models import Avg, Count, Q
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.experiments import queries
from apps.experiments.artifacts.predictions import Cannot
from apps.experiments.models import Metric, Run
from apps.experiments.recipe import recipe_settings
from apps.experiments.recipe.forms import RunForm
from apps.experiments.recipe.training_fields import NUMBERS
from apps.experiments.report import interval_scales
from apps.experiments.report.curves import VALIDATION
from apps.experiments.report.disciplines.protocols import counted, measure
from apps.experiments.words import column_names, list_in_words, method_name, note_in_words
from apps.projects.models import Project
from apps.ui.plots import model as ui
from fusion.schema.comparison import Compared, Comparison, Difference
from fusion.schema.intervals import Interval
from fusion.schema.metrics import METRICS
from fusion.schema.result import Level

MOST = 6
"""Runs side by side; more do not fit on a page."""
CACHE_SECONDS = 24 * 3600
ALIGNMENT = "alignment"
LOOKS: tuple[dict[str, Any], ...] = (
    {"style": "muted", "dash": "6 4"},
    {"style": "accent"},
    {"style": "pale", "dash": "9 4 2 4"},
    {"style": "control", "dash": "1.5 4"},
    {"style": "subtle", "dash": "2 3"},
    {"style": "pale", "dash": "3 3"},
)
"""Runs have no hue: the reference muted, the first beside it in the accent, the others pale."""


@dataclass(frozen=True)
class RunFigure:
    """A figure of one run, and its difference to the reference's; None for the reference."""

    value: Interval
    difference: Difference | None

    @property
    def verdict(self) -> str:
        return interval_scales.verdict(self.difference.verdict) if self.difference else ""


@dataclass(frozen=True)
class FigureOfRuns:
    """`lower`: less is better."""

    name: str
    lower: bool
    runs: list[RunFigure]


@dataclass(frozen=True)
class SettingOfRuns:
    """A value for each run; None for one that is the reference's."""

    name: str
    values: list[str | None]


@dataclass
class RunComparison:
    runs: list[Run]
    figures: list[FigureOfRuns] = field(default_factory=list)
    settings: list[SettingOfRuns] = field(default_factory=list)
    met: list[tuple[str, list[str]]] = field(default_factory=list)
    caption: str = ""
    note: str = ""
    refused: str = ""
    learning: ui.Lines | None = None
    subgroups: ui.Forest | None = None
    missing: list[tuple[str, ui.Lines]] = field(default_factory=list)

    @property
    def reference(self) -> Run:
        return self.runs[0]


def chosen(project: Project, params: QueryDict) -> tuple[list[Run], list[int]]:
    """The finished runs that the address names, in its order, and the numbers of those that have no
    result. Raises Http404 for others.
    """
    numbers = list(dict.fromkeys(params.getlist("run")))[: MOST + 1]
    runs = queries.find_all(project, numbers)
    return [run for run in runs if run.result], [run.number for run in runs if not run.result]


def compared(runs: list[Run], wanted: str) -> RunComparison:
    """Compare with the run whose number is wanted, else with the oldest of them."""
    oldest = min(runs, key=lambda run: run.number)
    reference = next((run for run in runs if str(run.number) == wanted), oldest)
    runs = [reference, *(run for run in runs if run is not reference)]
    page = RunComparison(runs, settings=settings(runs), met=[met(run) for run in runs])
    if all(run.metric == reference.metric for run in runs):
        page.learning, page.subgroups, page.missing = learning(runs), subgroups(runs), missing(runs)
    try:
        comparison = comparison_of(runs)
    except Cannot as refused:
        page.refused = str(refused)
        return page
    page.caption, page.note = caption(comparison), note_in_words(comparison.clusters.note)
    by_name = {row.name: row for row in comparison.runs}
    rows = [by_name[str(run.number)] for run in runs]
    page.figures = [figure(metric, rows) for metric in comparison.runs[0].metrics]
    return page


def figure(metric: str, runs: list[Compared]) -> FigureOfRuns:
    figures = [RunFigure(run.metrics[metric], run.differences.get(metric)) for run in runs]
    return FigureOfRuns(measure(metric), METRICS[metric].lower_is_better, figures)


def comparison_of(runs: list[Run]) -> Comparison:
    """The engine's comparison, cached for a day, as predictions never change. Raises Cannot."""
    key = "compared-" + "-".join(f"{run.pk}.{run.bundle_digest[:16]}" for run in runs)
    if text := cache.get(key):
        return Comparison.model_validate_json(text)
    from apps.experiments.artifacts import compared_predictions  # loads numpy

    comparison = compared_predictions.comparison_of(runs)
    cache.set(key, comparison.model_dump_json(), CACHE_SECONDS)
    return comparison


def caption(comparison: Comparison) -> str:
    text = _(
        "Value, 95 %% interval, and the difference to run %(run)s, paired on the same %(n)s test "
        "samples; bootstrap over %(clusters)s clusters, %(draws)s draws."
    )
    if comparison.corrected > 1:
        text += " " + ngettext(
            "The words are corrected for %(m)d difference a metric (Holm).",
            "The words are corrected for %(m)d differences a metric (Holm).",
            comparison.corrected,
        )
    return text % {
        "n": f"{comparison.n:,}",
        "clusters": f"{comparison.clusters.n:,}",
        "draws": f"{comparison.clusters.draws:,}",
        "run": comparison.reference,
        "m": comparison.corrected,
    }


def settings(runs: list[Run]) -> list[SettingOfRuns]:
    """Settings in which the runs differ, alignment first."""
    recipes = [
        {ALIGNMENT: f"{run.alignment.number}: {run.alignment.name}"}
        | recipe_settings.flat(run.recipe)
        for run in runs
    ]
    names = dict.fromkeys(name for recipe in recipes for name in recipe)
    rows = []
    for name in names:
        first, *others = [recipe.get(name) for recipe in recipes]
        if name in recipe_settings.TEXTS or all(value == first for value in others):
            continue
        texts = [None if value == first else shown(name, value) for value in others]
        rows.append(SettingOfRuns(setting_name(name), [shown(name, first), *texts]))
    return rows


def setting_name(name: str) -> str:
    """The form's label; for a setting that the form does not show, its place in the recipe."""
    section, _dot, field = name.rpartition(".")
    if name == ALIGNMENT:
        return _("Alignment")
    if section == "encoders":
        return _("Encoder of %(modality)s") % {"modality": field}
    if section == "training" and field in NUMBERS:
        return str(NUMBERS[field][1])
    if section in ("", "training", "evaluation") and field in RunForm.base_fields:
        return str(RunForm.base_fields[field].label or name)
    return name


def shown(name: str, value: Any) -> str:
    if name in ("method", "compare") and value:
        codes = [value] if isinstance(value, str) else value
        return list_in_words([method_name(code) for code in codes])
    if name.startswith("encoders.") and value:
        return " + ".join(map(recipe_settings.encoder_in_words, value))
    return recipe_settings.shown(value)


def met(run: Run) -> tuple[str, list[str]]:
    """Count the criteria of its protocols that are met, and list the states of those that could be
    judged.
    """
    protocols = run.evaluation.protocols if run.evaluation else []
    criteria = [criterion for protocol in protocols for criterion in protocol.criteria]
    states = [criterion.state for criterion in criteria if criterion.state]
    return (counted(states.count("met"), len(criteria)), states) if criteria else ("", [])


def learning(runs: list[Run]) -> ui.Lines | None:
    """The validation score by epoch of each run that predicts by one network: the mean over folds
    and seeds, while half of them are trained.
    """
    own = Q()
    for run in runs:
        own |= Q(run=run, model=run.recipe.get("method", ""))
    rows = (
        Metric.objects.filter(own, name=f"{VALIDATION}{runs[0].metric}")
        .order_by("epoch")
        .values_list("run", "epoch")
    )
    means: dict[int, list[tuple[int, float, int]]] = {}
    for run_id, epoch, mean, n in rows.annotate(Avg("value"), Count("id")):
        means.setdefault(run_id, []).append((epoch, mean, n))
    lines = []
    for run, look in zip(runs, LOOKS):
        curve = means.get(run.pk, [])
        shown = [(epoch, mean) for epoch, mean, n in curve if 2 * n >= curve[0][2]]
        if len(shown) > 1:
            epochs, values = zip(*shown)
            lines.append(ui.Line(label=str(run.number), xs=epochs, ys=values, **look))
    if not lines:
        return None
    return ui.Lines(
        lines=lines,
        x_range=(1, max(line.xs[-1] for line in lines)),
        x_label=_("Epoch"),
        y_label=runs[0].metric_name,
        name="compared-learning",
    )


def subgroups(runs: list[Run]) -> ui.Forest | None:
    """The score by subgroup of the first run beside the reference, which is a grey tick."""
    before, after = (
        {(row.column, row.value): row for row in run.evaluation.subgroups}
        for run in runs[:2]
        if run.evaluation
    )
    shared = [place for place in after if place in before]
    if not shared:
        return None
    names = column_names([column for column, _value in shared])
    scores = [by_place[place].score for by_place in (before, after) for place in shared]
    low, high = interval_scales.scale(scores)
    rows = [
        ui.ForestRow(
            group=names[column],
            label=value,
            n=after[column, value].n,
            reference=before[column, value].score.value,
            **interval_scales.span(after[column, value].score),
        )
        for column, value in shared
    ]
    return ui.Forest(
        rows=rows,
        low=low,
        high=high,
        metric=runs[0].metric_name,
        reference_label=_("run %(n)d") % {"n": runs[0].number},
        show_state=False,
        name="compared-subgroups",
    )


def missing(runs: list[Run]) -> list[tuple[str, ui.Lines]]:
    """A plot for each modality that all of them read: the score as more of it is taken away."""
    levels_of = [
        {row.modality: row.levels for row in run.evaluation.degradation}
        for run in runs
        if run.evaluation
    ]
    shared = [name for name in levels_of[0] if all(name in levels for levels in levels_of)]
    return [(name, lines(name, runs, [levels[name] for levels in levels_of])) for name in shared]


def lines(name: str, runs: list[Run], levels_of: list[list[Level]]) -> ui.Lines:
    return ui.Lines(
        lines=[
            ui.Line(
                label=str(run.number),
                xs=[level.share for level in levels],
                ys=[level.value for level in levels],
                **look,
            )
            for run, levels, look in zip(runs, levels_of, LOOKS)
        ],
        x_range=(0, 1),
        x_percent=True,
        name=f"compared-missing-{name}",
        y_label=runs[0].metric_name,
        height=160,
    )
