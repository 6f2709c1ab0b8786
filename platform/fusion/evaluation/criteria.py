"""Criteria of protocols held against a model's answers, by the same bootstrap as
everything else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fusion.core.arrays import Bools, Floats
from fusion.evaluation.compare import Answered, CannotCompare, against
from fusion.knowledge import ConditionError, holds
from fusion.schema.discipline_scores import CriterionScore, ProtocolScore
from fusion.schema.intervals import Interval
from fusion.schema.notes import Note
from fusion.schema.protocol import BEST_SINGLE, REFERENCE_RUN, Criterion, Protocol, state_of
from fusion.tasks.bootstrap import Resampler, cluster_note, interval
from fusion.tasks.predictions import MethodPredictions, Scored


class CannotJudge(Exception):
    """A criterion about which these predictions say nothing; `note` says why."""

    def __init__(self, note: Note) -> None:
        super().__init__(str(note))
        self.note = note


@dataclass(frozen=True)
class Evidence:
    """The evidence by which criteria are judged.

    metrics: those that can be known; singles: modality -> (S, n, D) where it answers every sample;
    reference: the run that a difference may be to; noisy: answers by modality and level of noise;
    columns: dataset.column -> (n,) values, for slices.
    """

    answers: MethodPredictions
    scored: Scored
    resampler: Resampler
    metrics: Sequence[str]
    singles: Mapping[str, Floats]
    best_single: str | None = None
    reference: Answered | None = None
    noisy: Mapping[tuple[str, str], MethodPredictions] = field(default_factory=dict)
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)

    def slice(self, criterion: Criterion) -> Bools:
        """(n,): the samples that the criterion is about, those on which its condition is known to
        hold.
        """
        if criterion.condition is None:
            return np.ones(len(self.scored), bool)
        try:
            return np.array(
                [answer is True for answer in holds(criterion.condition, self.columns, self.kinds)]
            )
        except ConditionError as error:
            raise CannotJudge(Note.of("text", text=str(error))) from error

    def situation(self, criterion: Criterion) -> Floats:
        """(S, n, D): what the model answers with the inputs that the criterion leaves it."""
        for place in criterion.noise.items():
            if place not in self.noisy:
                raise CannotJudge(Note.of("noise_not_measured"))
            return self.noisy[place].whole
        if not criterion.without and not criterion.only:
            return self.answers.whole
        names = self.scored.modalities
        if absent := [name for name in criterion.only if name not in names]:
            raise CannotJudge(Note.of("modality_not_read", name=absent[0]))
        coalition = tuple(
            i
            for i, name in enumerate(names)
            if (name in criterion.only if criterion.only else name not in criterion.without)
        )
        predictions = self.answers.by_coalition.get(coalition)
        if predictions is None:
            raise CannotJudge(Note.of("inputs_not_measured"))
        return predictions

    def other(self, criterion: Criterion) -> tuple[str, Floats]:
        """Return the name of what the difference is to, and its predictions, (S, n, D)."""
        if criterion.over == REFERENCE_RUN:
            if self.reference is None:
                raise CannotJudge(Note.of("no_reference"))
            try:
                return self.reference.name, against(self.reference, self.scored)
            except CannotCompare as error:
                raise CannotJudge(error.note) from error
        name = self.best_single if criterion.over == BEST_SINGLE else criterion.over
        if name is None:
            raise CannotJudge(Note.of("no_single"))
        if name not in self.singles:
            raise CannotJudge(Note.of("single_unknown", name=name))
        return name, self.singles[name]

    def draws(self, criterion: Criterion, p: Floats, chosen: Bools) -> Floats:
        """(1 + draws,)"""
        return self.scored.scores(self.resampler, p, chosen).draws(criterion.metric)


def protocol_scores(protocols: Sequence[Protocol], evidence: Evidence) -> list[ProtocolScore]:
    return [
        ProtocolScore(
            discipline=protocol.discipline,
            criteria=[criterion_score(criterion, evidence) for criterion in protocol.criteria],
        )
        for protocol in protocols
    ]


def criterion_score(criterion: Criterion, evidence: Evidence) -> CriterionScore:
    score = CriterionScore(criterion=criterion, sentence=criterion.sentence())
    try:
        chosen = evidence.slice(criterion)
        score.n = int(chosen.sum())
        score.over, value = measured(criterion, evidence, chosen)
    except CannotJudge as refusal:
        score.unknown = refusal.note
        return score
    if value is not None:
        score.value, score.margin = value, criterion.margin(value.value)
        score.note = cluster_note(len(np.unique(evidence.resampler.index[chosen])))
    score.state = state_of(
        criterion, value.low if value else None, value.high if value else None, score.n
    )
    return score


def measured(
    criterion: Criterion, evidence: Evidence, chosen: Bools
) -> tuple[str, Interval | None]:
    """Return what a difference is to, and the value; no value where the slice is empty, and no
    interval of a single cluster.
    """
    if criterion.metric not in evidence.metrics:
        task = evidence.scored.task.name
        if task in criterion.measure.tasks:
            raise CannotJudge(Note.of("needs_probabilities", metric=criterion.metric))
        raise CannotJudge(Note.of("metric_of_another_task", metric=criterion.metric, task=task))
    p, (over, other) = (
        evidence.situation(criterion),
        evidence.other(criterion) if criterion.over else ("", None),
    )
    if not chosen.any():
        return over, None
    if criterion.metric == "auroc" and len(np.unique(evidence.scored.y[chosen])) < 2:
        raise CannotJudge(Note.of("one_label"))
    draws = evidence.draws(criterion, p, chosen) - (
        0.0 if other is None else evidence.draws(criterion, other, chosen)
    )
    one_cluster = len(np.unique(evidence.resampler.index[chosen])) == 1
    return over, Interval(value=float(draws[0])) if one_cluster else interval(draws)
