"""Runs side by side: what each reaches on the same test samples, paired with one of them, and which
settings differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.cache import cache
from django.db.models import Avg, Count, Q
from django.http import Http404, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.experiments import queries
from apps.experiments.artifacts.predictions import Cannot
from apps.experiments.models import Metric, Run
from apps.experiments.recipe import forms
from apps.experiments.report import plots, sections
from apps.experiments.report.curves import SEPARATOR, VALIDATION
from apps.experiments.report.protocols import counted, measure
from apps.experiments.report.search import encoder
from apps.experiments.words import list_in_words, method_name, note_in_words
from apps.projects.models import Project
from apps.ui.plots import model as ui
from fusion.schema.comparison import Comparison, Difference
from fusion.schema.intervals import Interval
from fusion.schema.metrics import METRICS

MOST = 6
"""Runs side by side; more do not fit on a page."""
KEPT_SECONDS = 24 * 3600
ALIGNMENT = "alignment"
LOOKS: tuple[dict[str, Any], ...] = (
    {"style": "muted", "dash": "6 4"}, {"style": "accent"}, {"style": "pale", "dash": "9 4 2 4"}, {"style": "control", "dash": "1.5 4"},
    {"style": "subtle", "dash": "2 3"}, {"style": "pale", "dash": "3 3"},
)  # fmt: skip
"""Runs have no hue: the reference muted, the first beside it in the accent, the others pale."""


@dataclass
class Cell:
    value: Interval
    difference: Difference | None

    @property
    def verdict(self) -> str:
        return sections.verdict(self.difference.verdict) if self.difference else ""


@dataclass
class Figure:
    name: str
    lower: bool
    cells: list[Cell]


@dataclass
class Setting:
    """values: one a run; None where it is that of the reference."""

    name: str
    values: list[str | None]


@dataclass
class Compared:
    runs: list[Run]
    reference: Run
    figures: list[Figure] = field(default_factory=list)
    settings: list[Setting] = field(default_factory=list)
    met: list[tuple[str, list[str]]] = field(default_factory=list)
    caption: str = ""
    note: str = ""
    refused: str = ""
    learning: ui.Lines | None = None
    groups: ui.Forest | None = None
    missing: list[tuple[str, ui.Lines]] = field(default_factory=list)


def chosen(project: Project, params: QueryDict) -> tuple[list[Run], list[int]]:
    """The finished runs that the address names, in its order, and the numbers of those that have no
    result. Raises Http404 for others.
    """
    wanted = list(dict.fromkeys(params.getlist("run")))[: MOST + 1]
    if any(not number.isdecimal() or len(number) > 8 for number in wanted):
        raise Http404
    found = {run.number: run for run in queries.runs_of(project).filter(number__in=wanted)}
    if len(found) < len(wanted):
        raise Http404
    runs = [found[int(number)] for number in wanted]
    return [run for run in runs if run.result], [run.number for run in runs if not run.result]


def compared(runs: list[Run], wanted: str) -> Compared:
    """wanted: the number of the reference; the oldest of them where it is none."""
    reference = next(
        (run for run in runs if str(run.number) == wanted), min(runs, key=lambda run: run.number)
    )
    runs = [reference, *(run for run in runs if run is not reference)]
    found = Compared(runs, reference, settings=settings(runs), met=[met(run) for run in runs])
    if all(run.metric == reference.metric for run in runs):
        found.learning, found.groups, found.missing = learning(runs), groups(runs), missing(runs)
    try:
        comparison = judged(runs)
    except Cannot as refused:
        found.refused = str(refused)
        return found
    found.caption, found.note = caption(comparison), note_in_words(comparison.clusters.note)
    by_name = {one.name: one for one in comparison.runs}
    found.figures = [
        Figure(
            measure(metric),
            METRICS[metric].lower_is_better,
            [cell(by_name[str(run.number)], metric) for run in runs],
        )
        for metric in comparison.runs[0].metrics
    ]
    return found


def judged(runs: list[Run]) -> Comparison:
    """The engine's comparison, kept for a day: what runs answered never changes. Raises Cannot."""
    key = "compared-" + "-".join(f"{run.pk}.{run.bundle_digest[:16]}" for run in runs)
    if found := cache.get(key):
        return Comparison.model_validate_json(found)
    from apps.experiments.artifacts.compared_predictions import comparison_of

    comparison = comparison_of(runs)
    cache.set(key, comparison.model_dump_json(), KEPT_SECONDS)
    return comparison


def cell(one: Any, metric: str) -> Cell:
    return Cell(one.metrics[metric], one.differences.get(metric))


def caption(found: Comparison) -> str:
    words = {
        "n": f"{found.n:,}",
        "clusters": f"{found.clusters.n:,}",
        "draws": f"{found.clusters.draws:,}",
        "run": found.reference,
    }
    text = _(
        "Value, 95 %% interval, and the difference to run %(run)s, paired on the same %(n)s test samples; bootstrap over %(clusters)s clusters, %(draws)s draws."
    )
    if found.corrected > 1:
        text += " " + ngettext(
            "The words are corrected for %(m)d difference a metric (Holm).", "The words are corrected for %(m)d differences a metric (Holm).", found.corrected
        )  # fmt: skip
    return text % (words | {"m": found.corrected})


def settings(runs: list[Run]) -> list[Setting]:
    """Those in which the runs differ, alignment first."""
    told = [
        {ALIGNMENT: f"{run.alignment.number}: {run.alignment.name}"} | sections.flat(run.recipe)
        for run in runs
    ]
    names = [
        name
        for name in dict.fromkeys(name for one in told for name in one)
        if name not in ("title", "description")
    ]
    return [row for name in names if (row := setting(name, told)) is not None]


def setting(name: str, told: list[dict[str, Any]]) -> Setting | None:
    first, *others = [one.get(name) for one in told]
    if all(value == first for value in others):
        return None
    return Setting(
        setting_name(name),
        [shown(name, first), *(None if value == first else shown(name, value) for value in others)],
    )


def setting_name(name: str) -> str:
    """As the form calls it; one that the form does not show by its place in the recipe."""
    section, _dot, field = name.rpartition(".")
    if section == "encoders":
        return _("Encoder of %(modality)s") % {"modality": field}
    label = forms.NUMBERS[field][1] if section == "training" and field in forms.NUMBERS else None
    if (
        label is None
        and section in ("", "training", "evaluation")
        and field in forms.RunForm.base_fields
    ):
        label = forms.RunForm.base_fields[field].label
    return _("Alignment") if name == ALIGNMENT else str(label or name)


def shown(name: str, value: Any) -> str:
    if name in ("method", "compare") and value:
        return list_in_words(
            [method_name(code) for code in ([value] if isinstance(value, str) else value)]
        )
    if name.startswith("encoders.") and value:
        return " + ".join(map(encoder, value))
    return sections.shown(value)


def met(run: Run) -> tuple[str, list[str]]:
    """How many criteria of its protocols are met, and the states of those that could be judged."""
    criteria = [
        one
        for protocol in (run.evaluation.protocols if run.evaluation else [])
        for one in protocol.criteria
    ]
    states = [one.state for one in criteria if one.state]
    return (counted(states.count("met"), len(criteria)), states) if criteria else ("", [])


def learning(runs: list[Run]) -> ui.Lines | None:
    """The validation score by epoch of each run that answers by one network: the mean over rounds
    and seeds, while half of them are trained.
    """
    own = Q()
    for run in runs:
        own |= Q(run=run, fold__startswith=f"{run.recipe.get('method')}{SEPARATOR}")
    rows = (
        Metric.objects.filter(own, name=f"{VALIDATION}{runs[0].metric}")
        .order_by("epoch")
        .values_list("run", "epoch")
    )
    told: dict[int, list[tuple[int, float, int]]] = {}
    for run_id, epoch, mean, number in rows.annotate(Avg("value"), Count("id")):
        told.setdefault(run_id, []).append((epoch, mean, number))
    drawn = []
    for run, look in zip(runs, LOOKS):
        found = told.get(run.pk, [])
        kept = [(epoch, mean) for epoch, mean, number in found if 2 * number >= found[0][2]]
        if len(kept) > 1:
            drawn.append(
                ui.Line(
                    label=str(run.number),
                    xs=[epoch for epoch, _mean in kept],
                    ys=[mean for _epoch, mean in kept],
                    **look,
                )
            )
    if not drawn:
        return None
    return ui.Lines(
        lines=drawn,
        x_range=(1, max(line.xs[-1] for line in drawn)),
        x_label=_("Epoch"),
        y_label=runs[0].metric_name,
        name="compared-learning",
    )


def groups(runs: list[Run]) -> ui.Forest | None:
    """The score by subgroup of the first run beside the reference, which is a grey tick."""
    before, after = (
        {(one.column, one.value): one for one in run.evaluation.subgroups}
        for run in runs[:2]
        if run.evaluation
    )
    shared = [place for place in after if place in before]
    if not shared:
        return None
    names = plots.column_names([column for column, _value in shared])
    low, high = plots.scale([one[place].score for one in (before, after) for place in shared])
    rows = [
        ui.ForestRow(
            group=names[place[0]],
            label=place[1],
            n=after[place].n,
            reference=before[place].score.value,
            **plots.span(after[place].score),
        )
        for place in shared
    ]
    label = _("run %(n)d") % {"n": runs[0].number}
    return ui.Forest(
        rows=rows,
        low=low,
        high=high,
        metric=runs[0].metric_name,
        reference_label=label,
        show_state=False,
        name="compared-subgroups",
    )


def missing(runs: list[Run]) -> list[tuple[str, ui.Lines]]:
    """A plot a modality that all of them read: the score as more of it is taken away."""
    told: list[Mapping[str, Any]] = [
        {one.modality: one.levels for one in run.evaluation.degradation}
        for run in runs
        if run.evaluation
    ]
    shared = [name for name in told[0] if all(name in one for one in told)]
    return [(name, lines(name, runs, [one[name] for one in told])) for name in shared]


def lines(name: str, runs: list[Run], levels: list[Any]) -> ui.Lines:
    drawn = [
        ui.Line(
            label=str(run.number),
            xs=[level.share for level in each],
            ys=[level.value for level in each],
            **look,
        )
        for run, each, look in zip(runs, levels, LOOKS)
    ]
    return ui.Lines(
        lines=drawn,
        x_range=(0, 1),
        x_percent=True,
        name=f"compared-missing-{name}",
        y_label=runs[0].metric_name,
        height=160,
    )
