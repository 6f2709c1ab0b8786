"""The card "Is it good enough, by each discipline's own protocol?": a forest a protocol and metric,
in four states, and every criterion in words.
"""

import math
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.experiments.models import Run
from apps.experiments.report.disciplines.rules import phrases
from apps.experiments.report.interval_scales import STEPS, span
from apps.experiments.words import list_in_words, note_in_words
from apps.projects.models import Discipline
from apps.ui import figures
from apps.ui.plots import model as ui
from fusion.knowledge import explain
from fusion.schema.discipline_scores import CriterionScore, ProtocolScore
from fusion.schema.protocol import BEST_SINGLE, REFERENCE_RUN, Criterion


@dataclass(frozen=True)
class JudgedProtocol:
    """One discipline's protocol. `states`: of every criterion that could be judged; `unknown`:
    sentence and reason of the others.
    """

    discipline: Discipline | None
    code: str
    counted: str
    states: list[str]
    forests: list[ui.Forest]
    sentences: list[str]
    unknown: list[tuple[str, str]]


@dataclass(frozen=True)
class ProtocolsSection:
    words: str
    protocols: list[JudgedProtocol]


def section(run: Run) -> ProtocolsSection | None:
    """The card; None for a run without protocols."""
    result = run.evaluation
    if result is None or not result.protocols:
        return None
    met = sum(protocol.n_met for protocol in result.protocols)
    n = sum(len(protocol.criteria) for protocol in result.protocols)
    return ProtocolsSection(counted(met, n), [judged(run, row) for row in result.protocols])


def counted(met: int, n: int) -> str:
    words = ngettext("%(met)d of %(n)d criterion met", "%(met)d of %(n)d criteria met", n)
    return words % {"met": met, "n": n}


def judged(run: Run, protocol: ProtocolScore) -> JudgedProtocol:
    by_metric: dict[tuple[str, bool], list[CriterionScore]] = {}
    known = [score for score in protocol.criteria if score.state]
    for score in known:
        place = score.criterion.metric, bool(score.criterion.over)
        by_metric.setdefault(place, []).append(score)
    return JudgedProtocol(
        discipline=run.disciplines.get(protocol.discipline),
        code=protocol.discipline,
        counted=counted(protocol.n_met, len(protocol.criteria)),
        states=[score.state for score in known if score.state],
        forests=[forest(scores) for scores in by_metric.values()],
        sentences=[sentence(score.criterion) for score in protocol.criteria],
        unknown=[
            (sentence(score.criterion), note_in_words(score.unknown))
            for score in protocol.criteria
            if not score.state
        ],
    )


def forest(scores: list[CriterionScore]) -> ui.Forest:
    """Criteria of one metric on one scale, each with its own dashed bound."""
    first = scores[0].criterion
    name = measure(first.metric)
    low, high = scale(scores)
    return ui.Forest(
        rows=[row(score) for score in scores],
        low=low,
        high=high,
        first_column=_("Criterion"),
        target_label=_("bound"),
        metric=_("difference in %(metric)s") % {"metric": name} if first.over else name,
        name=f"protocol-{first.metric}",
    )


def row(score: CriterionScore) -> ui.ForestRow:
    criterion = score.criterion
    sign = "≥" if criterion.at_most is None else "≤"
    notes = [f"{sign} {figures.score(criterion.bound)}"]
    if score.over:
        notes.append(_("to %(other)s") % {"other": compared_to(score)})
    if score.note:
        notes.append(note_in_words(score.note))
    return ui.ForestRow(
        label=criterion.name or about(criterion),
        n=score.n,
        state=score.state or "",
        target=criterion.bound,
        note=_(", ").join(notes),
        **(span(score.value) if score.value else {"value": None}),
    )


def scale(scores: list[CriterionScore]) -> tuple[float, float]:
    """Whole steps of .05 around every figure and every bound."""
    bounds = [score.criterion.bound for score in scores]
    spans = [span(score.value).values() for score in scores if score.value]
    values = [*bounds, *(value for values in spans for value in values if value is not None)]
    low, high = math.floor(min(values) * STEPS) / STEPS, math.ceil(max(values) * STEPS) / STEPS
    return low, max(high, low + 1 / STEPS)


def about(criterion: Criterion) -> str:
    """The slice and the situation alone: `samples.speaker is “S3”, without image`."""
    condition = criterion.condition
    parts = [explain(condition, None, phrases()) if condition else "", situation(criterion)]
    return _(", ").join(part for part in parts if part) or _("All samples")


def situation(criterion: Criterion) -> str:
    for name, level in criterion.noise.items():
        return _("with noise of %(level)s on %(name)s") % {"level": level, "name": name}
    if criterion.without:
        return _("without %(names)s") % {"names": list_in_words(criterion.without)}
    if criterion.only:
        return _("with only %(names)s") % {"names": list_in_words(criterion.only)}
    return ""


def sentence(criterion: Criterion) -> str:
    """`Macro-F1 is at least .680: samples.speaker is “S3” (on 50 samples or more).`"""
    metric = measure(criterion.metric)
    if criterion.over:
        names = {"metric": metric, "other": other(criterion.over)}
        metric = _("The difference in %(metric)s to %(other)s") % names
    if criterion.at_most is None:
        text = _("%(what)s is at least %(bound)s: %(about)s (on %(n)s samples or more).")
    else:
        text = _("%(what)s is at most %(bound)s: %(about)s (on %(n)s samples or more).")
    return text % {
        "what": metric,
        "about": about(criterion),
        "bound": figures.score(criterion.bound),
        "n": f"{criterion.min_n:,}",
    }


def other(name: str) -> str:
    names = {BEST_SINGLE: _("the best single modality"), REFERENCE_RUN: _("the reference run")}
    return names.get(name) or _("%(name)s alone") % {"name": name}


def compared_to(score: CriterionScore) -> str:
    """The model or run that the difference turned out to be to."""
    if score.criterion.over == REFERENCE_RUN:
        return score.over
    return _("%(name)s alone") % {"name": score.over}


def measure(metric: str) -> str:
    """Return the name of a metric as a sentence or a row begins with it."""
    if metric == "ece":
        return _("Calibration, ECE")
    name = figures.metric(metric)
    return name[:1].upper() + name[1:]
