"""What the disciplines ask of a run, as its page shows it: a forest a protocol and metric, in four
states, and every criterion in words.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.experiments.models import Run
from apps.experiments.report.rules import phrases
from apps.experiments.words import list_in_words, note_in_words
from apps.projects.models import Discipline
from apps.ui import figures
from apps.ui.plots import model as ui
from fusion.knowledge import explain
from fusion.schema.discipline_scores import CriterionScore, ProtocolScore
from fusion.schema.protocol import (
    BEST_SINGLE,
    REFERENCE_RUN,
    Criterion,
    check,
    protocols_of,
    together,
)
from fusion.schema.recipe import Recipe


@dataclass
class Asked:
    """One discipline's protocol. states: of every criterion that could be judged; unknown: sentence
    and reason of the others.
    """

    discipline: Discipline | None
    code: str
    counted: str
    states: list[str]
    forests: list[ui.Forest]
    sentences: list[str]
    unknown: list[tuple[str, str]]


@dataclass
class Protocols:
    words: str
    asked: list[Asked]


def protocols(run: Run) -> Protocols | None:
    """None for a run of which nobody asked anything."""
    result = run.evaluation
    if result is None or not result.protocols:
        return None
    met, all_of = (
        sum(one.n_met for one in result.protocols),
        sum(len(one.criteria) for one in result.protocols),
    )
    return Protocols(counted(met, all_of), [asked(run, one) for one in result.protocols])


def counted(met: int, n: int) -> str:
    return ngettext("%(met)d of %(n)d criterion met", "%(met)d of %(n)d criteria met", n) % {
        "met": met,
        "n": n,
    }


def asked(run: Run, one: ProtocolScore) -> Asked:
    known = [score for score in one.criteria if score.state]
    kinds = list(
        dict.fromkeys((score.criterion.metric, bool(score.criterion.over)) for score in known)
    )
    forests = [
        forest([s for s in known if (s.criterion.metric, bool(s.criterion.over)) == kind])
        for kind in kinds
    ]
    return Asked(
        discipline=run.disciplines.get(one.discipline), code=one.discipline, counted=counted(one.n_met, len(one.criteria)),
        states=[score.state for score in known if score.state], forests=forests, sentences=[sentence(s.criterion) for s in one.criteria],
        unknown=[(sentence(s.criterion), note_in_words(s.unknown)) for s in one.criteria if not s.state],
    )  # fmt: skip


def forest(scores: list[CriterionScore]) -> ui.Forest:
    """Criteria of one metric on one scale, each with its own dashed bound."""
    first = scores[0].criterion
    name = measure(first.metric)
    low, high = scale(scores)
    return ui.Forest(
        rows=[row(one) for one in scores], low=low, high=high, first_column=_("Criterion"), target_label=_("bound"),
        metric=_("difference in %(metric)s") % {"metric": name} if first.over else name, name=f"protocol-{first.metric}",
    )  # fmt: skip


def row(one: CriterionScore) -> ui.ForestRow:
    criterion, value = one.criterion, one.value
    sign = "≥" if criterion.at_most is None else "≤"
    notes = [
        f"{sign} {figures.score(criterion.bound)}",
        *([_("to %(other)s") % {"other": against(one)}] if one.over else []),
    ]
    return ui.ForestRow(
        label=criterion.name or about(criterion), n=one.n, state=one.state or "", target=criterion.bound,
        value=value.value if value else None, low=value.low if value else None, high=value.high if value else None,
        note=_(", ").join([*notes, *([note_in_words(one.note)] if one.note else [])]),
    )  # fmt: skip


def scale(scores: list[CriterionScore]) -> tuple[float, float]:
    """Whole steps of .05 around every figure and every bound."""
    values = [one.criterion.bound for one in scores]
    values += [
        v
        for one in scores
        if one.value
        for v in (one.value.value, one.value.low, one.value.high)
        if v is not None
    ]
    low, high = math.floor(min(values) * 20) / 20, math.ceil(max(values) * 20) / 20
    return low, max(high, low + 0.05)


def about(criterion: Criterion) -> str:
    """The slice and the situation alone: "samples.speaker is “S3”, without image"."""
    parts = [explain(criterion.condition, None, phrases())] if criterion.condition else []
    parts += [situation(criterion)] if situation(criterion) else []
    return _(", ").join(parts) or _("All samples")


def situation(criterion: Criterion) -> str:
    for name, level in criterion.noise.items():
        return _("with noise of %(level)s on %(name)s") % {"level": level, "name": name}
    if criterion.without:
        return _("without %(names)s") % {"names": list_in_words(criterion.without)}
    return (
        _("with only %(names)s") % {"names": list_in_words(criterion.only)}
        if criterion.only
        else ""
    )


def sentence(criterion: Criterion) -> str:
    """ "Macro-F1 where samples.speaker is “S3”, without image, is at least .680 (on 50 samples or
    more)."
    """
    name = measure(criterion.metric)
    words = {
        "what": _("The difference in %(metric)s to %(other)s")
        % {"metric": name, "other": other(criterion.over)}
        if criterion.over
        else name,
        "about": about(criterion),
        "bound": figures.score(criterion.bound),
        "n": f"{criterion.min_n:,}",
    }
    if criterion.at_most is None:
        return _("%(what)s is at least %(bound)s: %(about)s (on %(n)s samples or more).") % words
    return _("%(what)s is at most %(bound)s: %(about)s (on %(n)s samples or more).") % words


def other(name: str) -> str:
    return {BEST_SINGLE: _("the best single modality"), REFERENCE_RUN: _("the reference run")}.get(
        name
    ) or _("%(name)s alone") % {"name": name}


def against(one: CriterionScore) -> str:
    """What the difference turned out to be to."""
    if one.criterion.over == REFERENCE_RUN:
        return one.over
    return _("%(name)s alone") % {"name": one.over}


def measure(metric: str) -> str:
    name = figures.metric(metric)
    return name[:1].upper() + name[1:]


def problems(
    recipe: Recipe,
    study: list[dict[str, Any]],
    columns: Iterable[str],
    modalities: Mapping[str, str],
) -> list[str]:
    """What the engine would refuse about the protocols of recipe and study, as far as names alone
    can tell.
    """
    return check(
        together(recipe.protocols, protocols_of(study)), dict.fromkeys(columns, ""), modalities
    )
