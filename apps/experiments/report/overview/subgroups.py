"""The card "For whom is it worse?": the score by subgroup."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.experiments.report.interval_scales import scale, span
from apps.experiments.words import column_names, note_in_words, short_name
from apps.ui import figures
from apps.ui.plots import model as ui
from fusion.schema.result import EvaluationResult, Subgroup


@dataclass(frozen=True)
class SubgroupsSection:
    plot: ui.Forest
    words: str
    weakest: str


def section(result: EvaluationResult) -> SubgroupsSection | None:
    """The card; None for a run without subgroups."""
    forest = plot(result)
    if forest is None:
        return None
    return SubgroupsSection(forest, words(result), weakest_label(result))


def plot(result: EvaluationResult) -> ui.Forest | None:
    if not result.subgroups:
        return None
    low, high = scale([subgroup.score for subgroup in result.subgroups])
    names = column_names([subgroup.column for subgroup in result.subgroups])
    rows = [
        ui.ForestRow(
            group=names[subgroup.column],
            label=subgroup.value,
            n=subgroup.n,
            note=note_in_words(subgroup.note),
            state="too_few" if subgroup.score.low is None else "met",
            **span(subgroup.score),
        )
        for subgroup in result.subgroups
    ]
    return ui.Forest(
        rows=rows,
        low=low,
        high=high,
        metric=figures.metric(result.headline.metric),
        reference_label="",
        show_state=False,
        name="subgroups",
        target=result.headline.score.value,
        target_label=_("all samples"),
    )


def weakest(result: EvaluationResult) -> Subgroup | None:
    worst = result.worst_subgroup
    if worst is None:
        return None
    place = (worst.column, worst.value)
    named = (row for row in result.subgroups if (row.column, row.value) == place)
    return next(named, None)


def weakest_label(result: EvaluationResult) -> str:
    subgroup = weakest(result)
    if subgroup is None:
        return ""
    name, value = short_name(subgroup.column), subgroup.value
    return value if value.lower().startswith(name.lower()) else f"{name} {value}"


def words(result: EvaluationResult) -> str:
    subgroup = weakest(result)
    if subgroup is None:
        return ""
    score, overall = subgroup.score, result.headline.score.value
    values = {
        "group": weakest_label(result),
        "value": figures.score(score.value),
        "all": figures.score(overall),
    }
    if score.high is not None and score.high < overall:
        text = _(
            "Lowest: %(group)s with %(value)s, its whole interval under the %(all)s of all samples."
        )
    else:
        text = _(
            "Lowest: %(group)s with %(value)s; its interval still holds the %(all)s of all samples."
        )
    return text % values
