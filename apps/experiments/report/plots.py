"""From a result to the plots and sentences of a run's page. Pure: no queries, no request."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from apps.experiments.words import list_in_words, method_name, note_in_words
from apps.ui import figures
from apps.ui.plots import model as ui
from fusion.schema.intervals import Interval
from fusion.schema.result import RULES, EvaluationResult

Kinds = Mapping[str, str]
"""Modality name -> its kind (image, audio, text, table, series)."""


def scale(intervals: list[Interval]) -> tuple[float, float]:
    """One labelled scale for all rows: whole steps of .05 around everything shown."""
    values = [v for one in intervals for v in (one.value, one.low, one.high) if v is not None]
    low, high = min(values, default=0.0), max(values, default=1.0)
    return math.floor(low * 20) / 20, min(1.0, math.ceil(high * 20) / 20)


def metric(result: EvaluationResult) -> str:
    """What every score of the result is measured in."""
    return figures.metric(result.headline.metric)


def contributions(result: EvaluationResult, kinds: Kinds) -> ui.Bars:
    kinds = {**kinds, RULES: "knowledge"}
    rows = [
        ui.Bar(player(one.modality), one.value, one.low, one.high, kinds.get(one.modality, ""))
        for one in result.contributions.shares
    ]
    rows.sort(key=lambda bar: -(bar.value or 0))
    return ui.Bars(
        rows=rows,
        signed=True,
        name="contributions",
        metric=_("Shapley share of %(metric)s") % {"metric": metric(result)},
    )


def contributions_words(result: EvaluationResult) -> str:
    parts = result.contributions
    words = {
        "total": figures.score(parts.total - parts.prior),
        "prior": figures.score(parts.prior),
        "n": len(parts.shares),
    }
    words["metric"] = metric(result)
    return (
        _("Shapley share of %(metric)s above guessing (%(prior)s); the %(n)s add up to %(total)s.")
        % words
    )


def contributions_by_class(result: EvaluationResult, kinds: Kinds) -> ui.Stacked | None:
    if not result.contributions.per_class:
        return None
    players = [one.modality for one in result.contributions.shares]
    keys = hues(players, {**kinds, RULES: "knowledge"})
    rows = [
        ui.StackRow(one.label, dict(zip(keys, one.shares)))
        for one in result.contributions.per_class
    ]
    return ui.Stacked(
        rows=rows, names=dict(zip(keys, map(player, players))), name="contributions-by-class"
    )


def player(name: str) -> str:
    return _("rules") if name == RULES else name


def hues(modalities: list[str], kinds: Kinds) -> list[str]:
    """A hue for each modality: its kind's, or its own name's where two have the same kind."""
    found: list[str] = []
    for name in modalities:
        kind = kinds.get(name, name)
        found.append(name if kind in found else kind)
    return found


def degradation(result: EvaluationResult, kinds: Kinds) -> ui.Lines | None:
    if not result.degradation:
        return None
    lines = [
        ui.Line(
            label=_("no %(modality)s") % {"modality": one.modality}, kind=kinds.get(one.modality, ""),
            xs=[level.share for level in one.levels], ys=[level.value for level in one.levels],
            low=[level.low for level in one.levels], high=[level.high for level in one.levels],
        )
        for one in result.degradation
    ]  # fmt: skip
    best = best_single(result)
    label = _("best single modality, %(modality)s %(value)s") % {
        "modality": best.modality,
        "value": figures.score(best.score.value),
    }
    levels = [ui.Level(best.score.value, label)]
    return ui.Lines(
        lines=lines,
        x_range=(0, 1),
        x_percent=True,
        levels=levels,
        height=220,
        name="missing-inputs",
        y_label=metric(result),
    )


def best_single(result: EvaluationResult) -> Any:
    over = result.headline.gain_over_best_single.over
    return next((one for one in result.singles if one.modality == over), result.singles[0])


def missing_words(result: EvaluationResult) -> str:
    """`Without any one input it stays above the best single modality. Losing speech costs most:
    -.120.`
    """
    single = [one for one in result.missing if len(one.without) == 1]
    if not single:
        return ""
    floor = best_single(result).score.value
    below = [one.without[0] for one in single if one.score.value < floor]
    worst = min(single, key=lambda one: one.change.value)
    last = _("Losing %(modality)s costs most: %(change)s.") % {
        "modality": worst.without[0],
        "change": figures.signed(worst.change.value),
    }
    if below:
        return (
            _("Without %(names)s it falls below the best single modality.")
            % {"names": list_in_words(below)}
            + " "
            + last
        )
    return _("Without any one input it stays above the best single modality.") + " " + last


def comparison(result: EvaluationResult) -> ui.Forest:
    """This run beside the other methods, each modality alone and the baselines, all on the same
    test samples.
    """
    rows = [
        ui.ForestRow(
            group=_("Joined"),
            label=method_name(result.method),
            state="met",
            **span(result.headline.score),
        )
    ]
    rows += [
        _row(_("Joined"), method_name(one.name), one.score)
        for one in result.methods
        if one.name != result.method
    ]
    for one in sorted(result.singles, key=lambda single: -single.score.value):
        words = {"n": f"{one.n_present:,}", "value": figures.score(one.where_present.value)}
        rows.append(
            _row(
                _("Alone"),
                one.modality,
                one.score,
                _("%(value)s on the %(n)s that have it") % words,
            )
        )
    rows += [_row(_("Baseline"), baseline_name(one.name), one.score) for one in result.baselines]
    low, high = scale([Interval(value=row.value or 0, low=row.low, high=row.high) for row in rows])
    return ui.Forest(
        rows=rows,
        low=low,
        high=high,
        metric=metric(result),
        show_state=False,
        first_column=_("Way"),
        name="comparison",
    )


def baseline_name(name: str) -> str:
    names = {
        "Logistic regression, features joined": _("Logistic regression, features joined"),
        "Logistic regression, calibrated product": _("Logistic regression, calibrated product"),
        "Ridge regression, features joined": _("Ridge regression, features joined"),
        "Ridge regression, calibrated product": _("Ridge regression, calibrated product"),
    }
    return names.get(name, name)


def comparison_words(result: EvaluationResult) -> str:
    """Methods whose intervals overlap are not told apart; a plain baseline that scores higher is
    named.
    """
    mine, found = result.headline.score, []
    close = [
        method_name(one.name)
        for one in result.methods
        if one.name != result.method and overlap(one.score, mine)
    ]
    if close:
        words = {"names": list_in_words(close)}
        found.append(
            _(
                "The intervals of %(names)s overlap with this run's: no clear winner among the methods."
            )
            % words
        )
    for one in result.baselines:
        if one.score.value > mine.value:
            words = {"name": baseline_name(one.name), "value": figures.score(one.score.value)}
            found.append(
                _("A plain baseline scores higher on the same features: %(name)s, %(value)s.")
                % words
            )
    return " ".join(found)


def overlap(one: Interval, other: Interval) -> bool:
    low, high = (
        one.low if one.low is not None else one.value,
        one.high if one.high is not None else one.value,
    )
    return low <= (other.high if other.high is not None else other.value) and high >= (
        other.low if other.low is not None else other.value
    )


def span(one: Interval) -> dict[str, float | None]:
    return {"value": one.value, "low": one.low, "high": one.high}


def _row(group: str, label: str, one: Interval, note: str = "") -> ui.ForestRow:
    return ui.ForestRow(group=group, label=label, note=note, **span(one))


def short(column: str) -> str:
    return column.split(".", 1)[-1].replace("_", " ")


def column_names(columns: list[str]) -> dict[str, str]:
    """`Speaker`; with its data set where two columns have the same name."""
    each = list(dict.fromkeys(columns))
    shorts = [short(column) for column in each]
    return {
        column: (
            name if shorts.count(name) == 1 else f"{name}, {column.split('.', 1)[0]}"
        ).capitalize()
        for column, name in zip(each, shorts)
    }


def subgroups(result: EvaluationResult) -> ui.Forest | None:
    if not result.subgroups:
        return None
    low, high = scale([one.score for one in result.subgroups])
    names = column_names([one.column for one in result.subgroups])
    rows = [
        ui.ForestRow(
            group=names[one.column], label=one.value, n=one.n, note=note_in_words(one.note),
            state="too_few" if one.score.low is None else "met", **span(one.score),
        )
        for one in result.subgroups
    ]  # fmt: skip
    return ui.Forest(
        rows=rows, low=low, high=high, metric=metric(result), reference_label="", show_state=False, name="subgroups",
        target=result.headline.score.value, target_label=_("all samples"),
    )  # fmt: skip


def weakest(result: EvaluationResult) -> Any | None:
    worst = result.worst_subgroup
    return next(
        (
            one
            for one in result.subgroups
            if worst and (one.column, one.value) == (worst.column, worst.value)
        ),
        None,
    )


def weakest_label(result: EvaluationResult) -> str:
    one = weakest(result)
    if one is None:
        return ""
    name = short(one.column)
    return one.value if one.value.lower().startswith(name.lower()) else f"{name} {one.value}"


def subgroup_words(result: EvaluationResult) -> str:
    one = weakest(result)
    if not one:
        return ""
    clear = one.score.high is not None and one.score.high < result.headline.score.value
    words = {
        "group": weakest_label(result),
        "value": figures.score(one.score.value),
        "all": figures.score(result.headline.score.value),
    }
    if clear:
        return (
            _(
                "Lowest: %(group)s with %(value)s, its whole interval under the %(all)s of all samples."
            )
            % words
        )
    return (
        _("Lowest: %(group)s with %(value)s; its interval still holds the %(all)s of all samples.")
        % words
    )


def per_class(result: EvaluationResult) -> ui.Forest | None:
    if not result.per_class:
        return None
    low, high = scale([one.f1 for one in result.per_class])
    rows = [
        ui.ForestRow(
            label=one.label, n=one.n, **span(one.f1),
            note=_("precision %(precision)s, recall %(recall)s") % {"precision": figures.score(one.precision), "recall": figures.score(one.recall)},
        )
        for one in result.per_class
    ]  # fmt: skip
    return ui.Forest(
        rows=rows,
        low=low,
        high=high,
        metric=_("F1"),
        show_state=False,
        first_column=_("Label"),
        name="per-label",
    )


def confusion(result: EvaluationResult, url: Callable[[str, str], str]) -> ui.Confusion | None:
    """`url(truth, answer)`: the list of these samples."""
    if result.confusion is None:
        return None
    labels, counts = result.labels, result.confusion.counts
    urls = {
        (i, j): url(labels[i], labels[j])
        for i in range(len(labels))
        for j in range(len(labels))
        if counts[i][j]
    }
    return ui.Confusion(
        labels=labels,
        counts=counts,
        urls=urls,
        marked=frozenset(pair_cells(result)),
        name="confusion",
    )


def pair_cells(result: EvaluationResult) -> list[tuple[int, int]]:
    """The two labels that are taken for each other most often, both ways."""
    counts = result.confusion.counts if result.confusion else []
    pairs = [(counts[i][j] + counts[j][i], i, j) for i in range(len(counts)) for j in range(i)]
    if not pairs or not max(pairs)[0]:
        return []
    _n, i, j = max(pairs)
    return [(i, j), (j, i)]


def confusion_words(result: EvaluationResult) -> str:
    cells = pair_cells(result)
    if not cells:
        return _("No label is taken for another.")
    assert result.confusion is not None
    (i, j), n = cells[0], sum(result.confusion.counts[a][b] for a, b in cells)
    return _("%(one)s and %(other)s are taken for each other %(n)s times.") % {
        "one": result.labels[j],
        "other": result.labels[i],
        "n": n,
    }


def against(result: EvaluationResult) -> ui.Lines | None:
    """Of numbers: the mean answer of each tenth of the samples, over the mean of their truth."""
    if not result.against:
        return None
    truth = [one.truth for one in result.against]
    lines = [
        ui.Line(label=_("truth"), xs=truth, ys=truth, style="muted", dash="6 4"),
        ui.Line(
            label=_("answer"), xs=truth, ys=[one.answer.value for one in result.against], low=[one.answer.low for one in result.against],
            high=[one.answer.high for one in result.against], dots=True,
        ),
    ]  # fmt: skip
    span = max(truth) - min(truth)
    digits = max(0, 2 - math.floor(math.log10(span))) if span > 0 else 2
    return ui.Lines(
        lines=lines, x_range=(min(truth), max(truth)), x_label=_("Truth"), y_label=_("Answer"), digits=min(digits, 6),
        tick_digits=min(digits, 6), height=260, name="answers",
    )  # fmt: skip


def against_words(result: EvaluationResult) -> str:
    """How far off it usually is, and whether it shies away from the ends."""
    if not result.against:
        return ""
    off = {
        "mae": figures.score(result.metrics["mae"].value),
        "rmse": figures.score(result.metrics["rmse"].value),
    }
    text = _("Off by %(mae)s on average (RMSE %(rmse)s).") % off
    low, high = result.against[0], result.against[-1]
    if low.answer.value > low.truth and high.answer.value < high.truth:
        text += " " + _(
            "The smallest are answered too large and the largest too small, as by everyone who is not sure."
        )
    return text


def reliability(result: EvaluationResult) -> ui.Reliability:
    after, before = result.calibration.after, result.calibration.before
    bins = [
        ui.Bin(one.confidence, one.accuracy.value, one.accuracy.low, one.accuracy.high, one.n)
        for one in after.bins
    ]
    line = [(one.confidence, one.accuracy.value) for one in before.bins if one.n]
    return ui.Reliability(bins=bins, before=line, name="calibration")


def reliability_words(result: EvaluationResult) -> str:
    after, before = result.calibration.after, result.calibration.before
    if result.task == "regression":
        return intervals_words(result)
    full = [one for one in after.bins if one.n]
    near = min(full, key=lambda one: abs(one.confidence - 0.8), default=None)
    parts = []
    if near:
        words = {
            "says": figures.percent(near.confidence),
            "right": round(100 * near.accuracy.value),
        }
        parts.append(_("When it says %(says)s, it is right in %(right)s of 100.") % words)
    values = {
        "after": figures.score(after.ece.value),
        "ci": figures.interval(after.ece.low, after.ece.high),
        "before": figures.score(before.ece.value),
    }
    parts.append(_("ECE %(after)s (%(ci)s) with temperature; %(before)s without.") % values)
    return " ".join(parts)


def intervals_words(result: EvaluationResult) -> str:
    after, inside = result.calibration.after, result.metrics["coverage_90"]
    words = {"n": round(100 * inside.value), "ece": figures.score(after.ece.value)}
    return (
        _(
            "Of its 90 %% intervals %(n)s of 100 hold the truth; over all levels it is off by %(ece)s."
        )
        % words
    )
