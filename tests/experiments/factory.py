"""A finished run on made-up but well-formed figures, for pages: four speakers, ten digits, three
modalities.
"""

import uuid
from typing import Any

from django.utils import timezone

from apps.accounts.models import User
from apps.datasets.models import Alignment
from apps.experiments.models import Run
from apps.jobs.models import Job
from apps.projects.models import Project
from apps.projects.services import next_number
from fusion.knowledge import Rule
from fusion.schema.discipline_scores import CriterionScore, ProtocolScore, RuleEffect, RuleScore
from fusion.schema.intervals import Clusters, Gain, Interval, Pair
from fusion.schema.noise_levels import LEVELS as NOISE_LEVELS
from fusion.schema.notes import Note
from fusion.schema.protocol import Criterion, state_of
from fusion.schema.recipe import Recipe
from fusion.schema.result import (
    RULES,
    Baseline,
    Bin,
    Calibration,
    ClassScore,
    ClassShares,
    Confusion,
    Contributions,
    Degradation,
    Disagreement,
    EvaluationResult,
    Fold,
    Headline,
    Level,
    Missing,
    Noise,
    NoisyLevel,
    Reliability,
    Retrieval,
    Said,
    Seed,
    Share,
    Shortfall,
    Single,
    Split,
    Subgroup,
)

LABELS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
MODALITIES = {"image": "image", "speech": "audio", "text": "text"}
SPEAKERS = ["S1", "S2", "S3", "S4"]
ALONE = {"image": 0.724, "speech": 0.741, "text": 0.612}
SHARES = {"image": 0.262, "speech": 0.298, "text": 0.172}


def around(value: float, half: float = 0.022) -> Interval:
    return Interval(value=value, low=value - half, high=value + half)


def headline(score: float) -> Headline:
    gain = Gain(
        value=score - 0.741,
        low=score - 0.764,
        high=score - 0.718,
        over="speech",
        verdict="clearly better",
    )
    return Headline(score=around(score), gain_over_best_single=gain, ece=around(0.021, 0.008))


def confusion() -> Confusion:
    rows = [[96 if i == j else (i * 7 + j * 3) % 4 for j in range(10)] for i in range(10)]
    rows[5][9], rows[9][5] = 15, 13
    return Confusion(counts=rows)


def reliability(shift: float, ece: float) -> Reliability:
    bins = [
        Bin(
            lower=i / 10,
            upper=(i + 1) / 10,
            n=20 + i * i * 4,
            confidence=i / 10 + 0.05,
            accuracy=around(min(1, max(0, i / 10 + 0.05 - shift)), 0.05),
        )
        for i in range(2, 10)
    ]
    return Reliability(ece=around(ece, 0.008), bins=bins)


def contributions(total: float) -> Contributions:
    per_class = [
        ClassShares(
            label=label, n=120, shares=[0.2 + i % 3 / 20, 0.3 - i % 4 / 30, 0.1 + i % 5 / 40]
        )
        for i, label in enumerate(LABELS)
    ]
    shares = [
        Share(modality=name, **around(value, 0.02).model_dump()) for name, value in SHARES.items()
    ]
    return Contributions(
        prior=total - sum(SHARES.values()), total=total, shares=shares, per_class=per_class
    )


def subgroups() -> list[Subgroup]:
    speakers = [
        Subgroup(
            column="samples.speaker", value=name, n=300, score=around(0.89 - i % 3 * 0.04, 0.04)
        )
        for i, name in enumerate(SPEAKERS)
    ]
    rare = Subgroup(
        column="clues.source",
        value="bible",
        n=9,
        score=Interval(value=0.7),
        note=Note.of("few_samples", n=9),
    )
    return [
        *speakers,
        Subgroup(column="clues.source", value="wordnet", n=441, score=around(0.87)),
        rare,
    ]


def degradation(score: float) -> list[Degradation]:
    lost = {"image": 0.09, "speech": 0.12, "text": 0.05}
    levels = {
        name: [
            Level(share=s / 4, **around(score - d * s / 4, 0.02 + s / 200).model_dump())
            for s in range(5)
        ]
        for name, d in lost.items()
    }
    return [Degradation(modality=name, levels=found) for name, found in levels.items()]


def missing(score: float) -> list[Missing]:
    lost = {"image": 0.09, "speech": 0.12, "text": 0.05}
    return [
        Missing(without=[name], score=around(score - d), change=around(-d))
        for name, d in lost.items()
    ]


def shortfalls() -> list[Shortfall]:
    found = []
    for name, value in ALONE.items():
        same = Gain(value=0, low=0, high=0, over=name, verdict="no clear difference")
        worse = Gain(value=-0.04, low=-0.057, high=-0.025, over=name, verdict="clearly worse")
        found.append(
            Shortfall(
                method="late",
                modality=name,
                score=around(value),
                alone=around(value),
                difference=same,
            )
        )
        found.append(
            Shortfall(
                method="gated",
                modality=name,
                score=around(value - 0.04),
                alone=around(value),
                difference=worse,
            )
        )
    return found


def retrieval() -> list[Retrieval]:
    pairs = [("image", "speech", 0.22), ("speech", "image", 0.19), ("text", "speech", 0.045)]
    return [
        Retrieval(
            query=query,
            target=target,
            n=1057,
            candidates=280,
            recall=around(value),
            chance=0.036,
            same_label=around(3 * value),
            same_label_by_chance=0.1,
        )
        for query, target, value in pairs
    ]


def singles() -> list[Single]:
    return [
        Single(
            modality=name, score=around(value), n_present=1120, where_present=around(value + 0.04),
            temperature=1.4, ece_before=0.13, ece_after=0.03,
        )
        for name, value in ALONE.items()
    ]  # fmt: skip


def split() -> Split:
    folds = [
        Fold(name=name, n_train=900, n_test=300, score=0.88, best_epochs=[14, 15, 12])
        for name in SPEAKERS
    ]
    return Split(policy="leave-one-group-out", groups=["samples.speaker"], folds=folds)


def disagreements() -> list[Disagreement]:
    said = {
        "image": Said(answer="five", confidence=0.51),
        "speech": Said(answer="nine", confidence=0.97),
        "text": None,
    }
    label = Disagreement(
        key="D00378", kind="label", score=4.1, truth="five", answer="nine", said=said, between=["speech"],
    )  # fmt: skip
    sure = {**said, "image": Said(answer="five", confidence=0.92)}
    other = Disagreement(
        key="D00007", kind="modalities", score=0.89, truth="nine", answer="nine", said=sure, between=["image", "speech"],
    )  # fmt: skip
    return [label, other]


def result(score: float = 0.876, method: str = "late") -> EvaluationResult:
    return EvaluationResult(
        method=method, labels=LABELS, modalities=list(MODALITIES), n_total=1215, n_samples=1200, left_out={"duplicate": 15, "no label": 0},
        split=split(), clusters=Clusters(column="samples.writer", n=196, draws=1000), headline=headline(score),
        metrics={"macro_f1": around(score), "accuracy": around(score), "auroc": around(0.981, 0.004), "log_loss": around(0.41), "ece": around(0.021, 0.008)},
        seeds=[Seed(seed=s, score=score + s / 1000) for s in range(3)],
        per_class=[ClassScore(label=label, n=120, precision=0.87, recall=0.86, f1=around(0.9 - i / 100)) for i, label in enumerate(LABELS)],
        singles=singles(), baselines=[Baseline(name="Logistic regression, features joined", score=around(0.842))],
        methods=[Baseline(name=name, score=around(score - i / 100)) for i, name in enumerate(("late", "concat", "gated"))],
        missing=missing(score), shortfalls=shortfalls(), degradation=degradation(score), contributions=contributions(score), subgroups=subgroups(),
        confusion=confusion(), calibration=Calibration(before=reliability(0.08, 0.094), after=reliability(0.01, 0.021)),
        disagreements=disagreements(), retrieval=retrieval(), seconds={"embed": 34.0, "train": 61.0, "evaluate": 8.0}, environment={"python": "3.11", "torch": "2.13"},
    )  # fmt: skip


SPEC: dict[str, Any] = {
    "modalities": {
        "image": {"kind": "image", "columns": ["handwriting.file"]},
        "speech": {"kind": "audio", "columns": ["recordings.file"]},
        "text": {"kind": "text", "columns": ["clues.clue"]},
    },
    "label": {"source": "samples.label_name"},
    "groups": ["samples.speaker"],
    "cluster": "samples.writer",
    "split": {"policy": "leave-one-group-out"},
    "extras": [],
}
SUMMARY: dict[str, Any] = {
    "n_samples": 1215,
    "n_labelled": 1215,
    "n_usable": 1200,
    "labels": dict.fromkeys(LABELS, 120),
    "modalities": {
        "image": {"kind": "image", "present": 1151},
        "speech": {"kind": "audio", "present": 1130},
        "text": {"kind": "text", "present": 1137},
    },
    "patterns": [{"present": ["image", "speech", "text"], "count": 991}],
    "left_out": {"duplicate": 15, "no label": 0},
    "n_duplicates": 15,
    "groups": {"samples.speaker": dict.fromkeys(SPEAKERS, 300)},
    "clusters": {"column": "samples.writer", "count": 196},
    "folds": [{"name": name, "train": 900, "test": 300} for name in SPEAKERS],
}


def alignment(project: Project, user: User) -> Alignment:
    """A frozen one by its summary alone; no table stands behind it."""
    return Alignment.objects.create(
        project=project, number=next_number(project, "alignment"), name="digits", spec=SPEC, summary=SUMMARY,
        state=Alignment.State.FROZEN, digest=uuid.uuid4().hex * 2, created_by=user, frozen_at=timezone.now(),
    )  # fmt: skip


def finished_run(
    project: Project,
    user: User,
    aligned: Alignment | None = None,
    score: float = 0.876,
    **fields: Any,
) -> Run:
    found = result(score)
    now = timezone.now()
    job = Job.objects.create(
        project=project, kind="run", queue="cpu", state=Job.State.FINISHED, stages=["read", "embed", "train", "evaluate", "bundle"],
        stage="bundle", stage_times={"read": 2.0, "embed": 34.0, "train": 61.0}, attempt=1, started_at=now, finished_at=now, created_by=user,
    )  # fmt: skip
    head = found.headline
    gain = head.gain_over_best_single
    return Run.objects.create(
        project=project, number=next_number(project, "run"), alignment=aligned or alignment(project, user), job=job, created_by=user,
        **{
            "question": "Does speech help where the handwriting is poor?", "recipe": Recipe.default().model_dump(mode="json"), "method": found.method,
            "modalities": [{"name": name, "kind": kind} for name, kind in MODALITIES.items()], "result": found.model_dump(mode="json"),
            "score": score, "score_low": head.score.low, "score_high": head.score.high, "gain": gain.value, "gain_low": gain.low,
            "gain_high": gain.high, "ece": head.ece.value, "bundle_path": "runs/x/1", "bundle_digest": "0" * 64, **fields,
        },
    )  # fmt: skip


def with_rules(run: Run) -> Run:
    """The run as if it had two rules: one that helps on twelve samples, one that hurts and that
    labels break.
    """
    found = run.evaluation
    assert found is not None
    good = Rule.parse(
        {
            "discipline": "LI",
            "when": 'clues.clue contains "pair"',
            "label_in": ["two", "eight"],
            "weight": 0.5,
        }
    )
    bad = Rule.parse(
        {
            "name": "long",
            "when": "not recordings.seconds > 0.75",
            "label_not_in": ["seven"],
            "hard": True,
        }
    )
    shares = {"labels_obey_elsewhere": 0.1, "answers_obey_without": around(0.71), "mass": 0.8}
    there, whole = (
        Pair(with_it=around(0.92), without=around(0.71), change=around(0.21)),
        Pair(with_it=around(0.88), without=around(0.87), change=around(0.01)),
    )
    worse = Pair(with_it=around(0.6), without=around(0.8), change=around(-0.2))
    found.rules = [
        RuleScore(
            rule=good, sentence=good.sentence(), n=1200, n_covered=12, n_labelled=12, labels_obey=around(1.0, 0), answers_obey=around(0.92),
            n_labels_break=0, labels_break=[], n_answers_break=1, answers_break=["D00007"], **shares,
            effect=RuleEffect(score=whole, accuracy=there, verdict="helps", note=Note.of("few_clusters", n=10)),
        ),
        RuleScore(
            rule=bad, sentence=bad.sentence(), n=1200, n_covered=1080, n_labelled=1080, labels_obey=around(0.3), answers_obey=around(1.0, 0),
            n_labels_break=1020, labels_break=[f"D{i:05}" for i in range(100)], **shares,
            effect=RuleEffect(score=worse, accuracy=worse, verdict="hurts"),
        ),
    ]  # fmt: skip
    found.contributions.shares.append(Share(modality=RULES, value=0.01, low=-0.01, high=0.03))
    for label in found.contributions.per_class:
        label.shares.append(0.02)
    return kept(run, found)


def kept(run: Run, found: EvaluationResult) -> Run:
    run.result = found.model_dump(mode="json")
    run.save()
    return run


def with_noise(run: Run) -> Run:
    """The run as if each input had been made worse; speech loses most."""
    found = run.evaluation
    assert found is not None
    lost = {"image": 0.02, "speech": 0.06, "text": 0.01}
    found.noise = [
        Noise(
            modality=name, kind=kind,
            levels=[
                NoisyLevel(level=level.name, change=around(-lost[name] * (i + 1), 0.01), **around(0.876 - lost[name] * (i + 1)).model_dump())
                for i, level in enumerate(NOISE_LEVELS[kind])
            ],
        )
        for name, kind in MODALITIES.items()
    ]  # fmt: skip
    return kept(run, found)


def with_protocols(run: Run) -> Run:
    """The run as if two disciplines had asked something of it: one criterion in each state, and one
    that cannot be judged.
    """
    found = run.evaluation
    assert found is not None

    def score(value: float | None, n: int = 300, **asked: Any) -> CriterionScore:
        criterion = Criterion.model_validate(
            {"metric": "macro_f1", "at_least": 0.68, "min_n": 50} | asked
        )
        at = None if value is None else around(value)
        state = state_of(criterion, at.low, at.high, n) if at else None
        return CriterionScore(
            criterion=criterion, sentence=criterion.sentence(), n=n, value=at, state=state
        )

    unknown = score(None, over="reference run", at_least=-0.02)
    unknown.unknown = Note.of("no_reference")
    speech = [
        score(0.74),
        score(0.69, where="samples.speaker = 'S3'", name="Every speaker: S3"),
        score(0.6, without=["speech"]),
        score(0.7, 9, where="recordings.seconds < 0.28"),
        score(0.041, metric="ece", at_least=None, at_most=0.08),
        unknown,
    ]
    found.protocols = [
        ProtocolScore(discipline="SP", criteria=speech),
        ProtocolScore(discipline="XX", criteria=[score(0.9)]),
    ]
    return kept(run, found)
