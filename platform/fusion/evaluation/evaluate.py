"""The evaluation: predictions become the one form of a result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fusion.core.arrays import Floats
from fusion.evaluation import contributions, robustness, subgroups
from fusion.evaluation.compare import Answered
from fusion.evaluation.criteria import Evidence, protocol_scores
from fusion.evaluation.disagreements import disagreements
from fusion.evaluation.retrieval import retrieval
from fusion.evaluation.shortfall import shortfalls
from fusion.features.representation import Space
from fusion.schema.intervals import Clusters, Gain, Interval
from fusion.schema.metrics import metrics_of
from fusion.schema.protocol import Protocol
from fusion.schema.result import (
    Baseline,
    Calibration,
    EvaluationResult,
    Fold,
    Headline,
    Seed,
    Single,
    Split,
)
from fusion.tasks.bootstrap import Resampler, cluster_note, interval
from fusion.tasks.label_scores import TaskScores, gain
from fusion.tasks.predictions import MethodPredictions, Scored, coalitions


@dataclass
class Question:
    """All that one evaluation needs. singles: modality -> (S, n, D) calibrated and not; baselines:
    name -> (S, n, D).

    What a model trained elsewhere cannot say is left out: temperatures, and the answers of its
    modalities together in every coalition. only_answers: the probabilities are 1 for the answer, so
    that nothing which needs real ones is told; not soft_singles: the same of the single modalities.
    space: the fused representation of these samples, where there is one. unanswered: single
    modalities that are absent on some samples, where nobody knows what the prior would answer.
    protocols: what the disciplines ask; reference: the run that their differences may be to; facts:
    all columns that a slice may ask for, with their kinds in `kinds`, as `columns` has those of
    subgroups.
    """

    scored: Scored
    method: str
    methods: dict[str, MethodPredictions]
    singles: dict[str, tuple[Floats, Floats]]
    best_single: str | None
    temperatures: dict[str, float]
    seeds: list[int]
    cluster_column: str | None
    split: Split
    n_total: int
    left_out: dict[str, int]
    baselines: dict[str, Floats] = field(default_factory=dict)
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    draws: int = 1000
    degradation: bool = True
    only_answers: bool = False
    soft_singles: bool = True
    space: Space | None = None
    unanswered: frozenset[str] = frozenset()
    noisy: Mapping[tuple[str, str], MethodPredictions] = field(default_factory=dict)
    """Of `method`, by modality and level of noise."""
    modality_kinds: Mapping[str, str] = field(default_factory=dict)
    protocols: Sequence[Protocol] = ()
    reference: Answered | None = None
    facts: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)

    @property
    def alone(self) -> dict[str, Floats]:
        """Single modalities, calibrated."""
        return {name: calibrated for name, (calibrated, _) in self.singles.items()}


def evaluate(question: Question) -> EvaluationResult:
    """The whole report; `seconds` and `environment` are left to the caller."""
    scored, answers = question.scored, question.methods[question.method]
    resampler = Resampler(scored.cluster, question.draws)
    model = scored.scores(resampler, answers.whole)
    known = metrics_of(scored.task.name, probabilities=not question.only_answers)
    metrics = model.all(known)
    return EvaluationResult(
        task=scored.task.name,
        method=question.method,
        labels=scored.labels,
        modalities=scored.modalities,
        n_total=question.n_total,
        n_samples=len(scored),
        left_out=question.left_out,
        split=scored_split(question, answers.whole),
        clusters=clusters(question, resampler),
        headline=headline(question, model, metrics),
        metrics=metrics,
        seeds=seed_scores(question, answers.whole),
        per_class=model.per_class(scored.labels),
        singles=[single(name, question, resampler) for name in scored.modalities],
        baselines=baselines(scored, resampler, question.baselines),
        methods=baselines(scored, resampler, {n: m.whole for n, m in question.methods.items()}),
        noise=robustness.noise(question.noisy, question.modality_kinds, answers, scored, resampler),
        subgroups=subgroups.subgroups(answers.whole, scored, resampler, question.columns, known),
        confusion=model.confusion(),
        against=model.against(),
        calibration=None if question.only_answers else calibration(question, answers, model),
        disagreements=disagreements(question.alone, scored) if question.soft_singles else [],
        retrieval=retrieval(question.space, scored, resampler) if question.space else [],
        protocols=protocol_scores(question.protocols, evidence(question, resampler, known)),
        seconds={},
        environment={},
        **parts_of_coalitions(question, answers, resampler),
    )


def parts_of_coalitions(
    question: Question, answers: MethodPredictions, resampler: Resampler
) -> dict[str, Any]:
    """Return the parts of a result that need predictions with modalities taken away; empty ones
    where nobody knows these.
    """
    scored = question.scored
    wanted = set(coalitions(len(scored.modalities)))
    if not scored.modalities or not wanted <= set(answers.by_coalition):
        return {"missing": [], "degradation": [], "contributions": None}
    curves = robustness.degradation(answers, scored, resampler) if question.degradation else []
    return {
        "missing": robustness.missing(answers, scored, resampler),
        "shortfalls": shortfalls(question.methods, question.alone, scored, resampler),
        "degradation": curves,
        "contributions": contributions.contributions(answers, scored, resampler),
    }


def clusters(question: Question, resampler: Resampler) -> Clusters:
    return Clusters(
        column=question.cluster_column,
        n=resampler.n,
        draws=question.draws,
        note=cluster_note(resampler.n),
    )


def seed_scores(question: Question, probabilities: Floats) -> list[Seed]:
    return [
        Seed(seed=seed, score=score(question.scored, p))
        for seed, p in zip(question.seeds, probabilities)
    ]


def evidence(question: Question, resampler: Resampler, known: Sequence[str]) -> Evidence:
    singles = {name: p for name, p in question.alone.items() if name not in question.unanswered}
    return Evidence(
        answers=question.methods[question.method],
        scored=question.scored,
        resampler=resampler,
        metrics=known,
        singles=singles,
        best_single=question.best_single,
        reference=question.reference,
        noisy=question.noisy,
        columns=question.facts,
        kinds=question.kinds,
    )


def headline(question: Question, model: TaskScores, metrics: Mapping[str, Interval]) -> Headline:
    over = gain_over_best(question, model)
    return Headline(
        metric=model.headline,
        score=metrics[model.headline],
        gain_over_best_single=over,
        ece=metrics.get("ece"),
    )


def gain_over_best(question: Question, model: TaskScores) -> Gain | None:
    if question.best_single is None:
        return None
    best = question.scored.scores(model.resampler, question.singles[question.best_single][0])
    return gain(model, best, question.best_single)


def calibration(question: Question, answers: MethodPredictions, model: TaskScores) -> Calibration:
    plain = question.scored.scores(model.resampler, answers.uncalibrated)
    return Calibration(
        before=plain.reliability() if question.temperatures else None, after=model.reliability()
    )


def score(scored: Scored, answers: Floats, at: Any = slice(None)) -> float:
    """The headline metric of one seed's answers (n, D), on the samples `at`."""
    return scored.task.score(scored.y[at], answers[at])


def scored_split(question: Question, probabilities: Floats) -> Split:
    """The split with each fold's own score, the mean over the seeds."""
    scored, folds = question.scored, []
    for fold in question.split.folds:
        at = scored.fold == fold.name
        mean = float(np.mean([score(scored, p, at) for p in probabilities])) if at.any() else None
        folds.append(Fold(**fold.model_dump(exclude={"score"}), score=mean))
    return Split(policy=question.split.policy, groups=question.split.groups, folds=folds)


def single(name: str, question: Question, resampler: Resampler) -> Single:
    scored = question.scored
    calibrated, plain = question.singles[name]
    present = scored.mask[:, scored.modalities.index(name)]
    known, on_present = name in question.temperatures, scored.scores(resampler, calibrated, present)
    return Single(
        modality=name,
        score=None
        if name in question.unanswered
        else interval(scored.scores(resampler, calibrated).score),
        n_present=int(present.sum()),
        where_present=interval(on_present.draws(on_present.headline)),
        temperature=question.temperatures.get(name),
        ece_before=ece(scored, plain, present) if known else None,
        ece_after=ece(scored, calibrated, present) if known else None,
    )


def ece(scored: Scored, answers: Floats, present: np.ndarray) -> float:
    """Return the ECE where the modality is present: the prior says nothing about its model."""
    return float(scored.scores(Resampler(scored.cluster, 0), answers, present).draws("ece")[0])


def baselines(
    scored: Scored, resampler: Resampler, predictions: Mapping[str, Floats]
) -> list[Baseline]:
    return [
        Baseline(name=name, score=interval(scored.scores(resampler, p).score))
        for name, p in predictions.items()
    ]
