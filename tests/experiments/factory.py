"""A finished run on the figures of `made_result`, for pages; and the run with more sections."""

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
from fusion.schema.intervals import Pair
from fusion.schema.noise_levels import LEVELS as NOISE_LEVELS
from fusion.schema.notes import Note
from fusion.schema.protocol import Criterion, state_of
from fusion.schema.recipe import Recipe
from fusion.schema.result import (
    RULES,
    EvaluationResult,
    Noise,
    NoisyLevel,
    Share,
)
from tests.experiments.made_result import LABELS, MODALITIES, SPEAKERS, around, result

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
        project=project,
        number=next_number(project, "alignment"),
        name="digits",
        spec=SPEC,
        summary=SUMMARY,
        state=Alignment.State.FROZEN,
        digest=uuid.uuid4().hex * 2,
        created_by=user,
        frozen_at=timezone.now(),
    )


def finished_run(
    project: Project,
    user: User,
    aligned: Alignment | None = None,
    score: float = 0.876,
    **fields: Any,
) -> Run:
    evaluation = result(score)
    now = timezone.now()
    job = Job.objects.create(
        project=project,
        kind="run",
        queue="cpu",
        state=Job.State.FINISHED,
        stages=["read", "embed", "train", "evaluate", "bundle"],
        stage="bundle",
        stage_times={"read": 2.0, "embed": 34.0, "train": 61.0},
        attempt=1,
        started_at=now,
        finished_at=now,
        created_by=user,
    )
    head = evaluation.headline
    gain = head.gain_over_best_single
    return Run.objects.create(
        project=project,
        number=next_number(project, "run"),
        alignment=aligned or alignment(project, user),
        job=job,
        created_by=user,
        **{
            "question": "Does speech help where the handwriting is poor?",
            "recipe": Recipe.default().model_dump(mode="json"),
            "method": evaluation.method,
            "modalities": [{"name": name, "kind": kind} for name, kind in MODALITIES.items()],
            "result": evaluation.model_dump(mode="json"),
            "score": score,
            "score_low": head.score.low,
            "score_high": head.score.high,
            "gain": gain.value,
            "gain_low": gain.low,
            "gain_high": gain.high,
            "ece": head.ece.value,
            "bundle_path": "runs/x/1",
            "bundle_digest": "0" * 64,
            **fields,
        },
    )


def with_rules(run: Run) -> Run:
    """The run as if it had two rules: one that helps on twelve samples, one that hurts and that
    labels break.
    """
    evaluation = run.evaluation
    assert evaluation is not None
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
    evaluation.rules = [
        RuleScore(
            rule=good,
            sentence=good.sentence(),
            n=1200,
            n_covered=12,
            n_labelled=12,
            labels_obey=around(1.0, 0),
            answers_obey=around(0.92),
            n_labels_break=0,
            labels_break=[],
            n_answers_break=1,
            answers_break=["D00007"],
            **shares,
            effect=RuleEffect(
                score=whole, accuracy=there, verdict="helps", note=Note.of("few_clusters", n=10)
            ),
        ),
        RuleScore(
            rule=bad,
            sentence=bad.sentence(),
            n=1200,
            n_covered=1080,
            n_labelled=1080,
            labels_obey=around(0.3),
            answers_obey=around(1.0, 0),
            n_labels_break=1020,
            labels_break=[f"D{i:05}" for i in range(100)],
            **shares,
            effect=RuleEffect(score=worse, accuracy=worse, verdict="hurts"),
        ),
    ]
    evaluation.contributions.shares.append(Share(modality=RULES, value=0.01, low=-0.01, high=0.03))
    for label in evaluation.contributions.per_class:
        label.shares.append(0.02)
    return save(run, evaluation)


def save(run: Run, evaluation: EvaluationResult) -> Run:
    run.result = evaluation.model_dump(mode="json")
    run.save()
    return run


def with_noise(run: Run) -> Run:
    """The run as if each input had been made worse; speech loses most."""
    evaluation = run.evaluation
    assert evaluation is not None
    lost = {"image": 0.02, "speech": 0.06, "text": 0.01}
    evaluation.noise = [
        Noise(
            modality=name,
            kind=kind,
            levels=[
                NoisyLevel(
                    level=level.name,
                    change=around(-lost[name] * (i + 1), 0.01),
                    **around(0.876 - lost[name] * (i + 1)).model_dump(),
                )
                for i, level in enumerate(NOISE_LEVELS[kind])
            ],
        )
        for name, kind in MODALITIES.items()
    ]
    return save(run, evaluation)


def with_protocols(run: Run) -> Run:
    """The run as if two disciplines had asked something of it: one criterion in each state, and one
    that cannot be judged.
    """
    evaluation = run.evaluation
    assert evaluation is not None

    def score(value: float | None, n: int = 300, **fields: Any) -> CriterionScore:
        criterion = Criterion.model_validate(
            {"metric": "macro_f1", "at_least": 0.68, "min_n": 50} | fields
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
    evaluation.protocols = [
        ProtocolScore(discipline="SP", criteria=speech),
        ProtocolScore(discipline="XX", criteria=[score(0.9)]),
    ]
    return save(run, evaluation)
