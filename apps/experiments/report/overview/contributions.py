"""The card "What does it rely on?": the Shapley share of each modality, overall and by label."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.ui import figures
from apps.ui.plots import model as ui
from fusion.schema.result import RULES, EvaluationResult


@dataclass(frozen=True)
class ContributionsSection:
    plot: ui.Bars
    words: str
    by_label: ui.Stacked | None


def section(result: EvaluationResult, kinds: Mapping[str, str]) -> ContributionsSection:
    return ContributionsSection(plot(result, kinds), words(result), by_label(result, kinds))


def plot(result: EvaluationResult, kinds: Mapping[str, str]) -> ui.Bars:
    """Bars, the largest first; `kinds`: modality -> kind."""
    kinds = {**kinds, RULES: "knowledge"}
    rows = [
        ui.Bar(
            player(share.modality),
            share.value,
            share.low,
            share.high,
            kinds.get(share.modality, ""),
        )
        for share in result.contributions.shares
    ]
    rows.sort(key=lambda bar: -(bar.value or 0))
    metric = figures.metric(result.headline.metric)
    return ui.Bars(
        rows=rows,
        signed=True,
        name="contributions",
        metric=_("Shapley share of %(metric)s") % {"metric": metric},
    )


def words(result: EvaluationResult) -> str:
    contributions = result.contributions
    text = _(
        "Shapley share of %(metric)s above guessing (%(prior)s); the %(n)s add up to %(total)s."
    )
    return text % {
        "metric": figures.metric(result.headline.metric),
        "total": figures.score(contributions.total - contributions.prior),
        "prior": figures.score(contributions.prior),
        "n": len(contributions.shares),
    }


def by_label(result: EvaluationResult, kinds: Mapping[str, str]) -> ui.Stacked | None:
    if not result.contributions.per_class:
        return None
    players = [share.modality for share in result.contributions.shares]
    hues = hues_of(players, {**kinds, RULES: "knowledge"})
    rows = [
        ui.StackRow(label.label, dict(zip(hues, label.shares)))
        for label in result.contributions.per_class
    ]
    names = dict(zip(hues, map(player, players)))
    return ui.Stacked(rows=rows, names=names, name="contributions-by-class")


def player(name: str) -> str:
    return _("rules") if name == RULES else name


def hues_of(modalities: list[str], kinds: Mapping[str, str]) -> list[str]:
    """A hue for each modality: its kind's, or its own name's where two have the same kind."""
    hues: list[str] = []
    for name in modalities:
        kind = kinds.get(name, name)
        hues.append(name if kind in hues else kind)
    return hues
