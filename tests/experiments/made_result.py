"""A result of made-up but well-formed figures: four speakers, ten digits, three modalities."""

from fusion.schema.intervals import Clusters, Gain, Interval
from fusion.schema.notes import Note
from fusion.schema.result import (
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
    return [Degradation(modality=name, levels=values) for name, values in levels.items()]


def missing(score: float) -> list[Missing]:
    lost = {"image": 0.09, "speech": 0.12, "text": 0.05}
    return [
        Missing(without=[name], score=around(score - d), change=around(-d))
        for name, d in lost.items()
    ]


def shortfalls() -> list[Shortfall]:
    rows = []
    for name, value in ALONE.items():
        same = Gain(value=0, low=0, high=0, over=name, verdict="no clear difference")
        worse = Gain(value=-0.04, low=-0.057, high=-0.025, over=name, verdict="clearly worse")
        rows.append(
            Shortfall(
                method="late",
                modality=name,
                score=around(value),
                alone=around(value),
                difference=same,
            )
        )
        rows.append(
            Shortfall(
                method="gated",
                modality=name,
                score=around(value - 0.04),
                alone=around(value),
                difference=worse,
            )
        )
    return rows


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
            modality=name,
            score=around(value),
            n_present=1120,
            where_present=around(value + 0.04),
            temperature=1.4,
            ece_before=0.13,
            ece_after=0.03,
        )
        for name, value in ALONE.items()
    ]


def split() -> Split:
    folds = [
        Fold(name=name, n_train=900, n_test=300, score=0.88, best_epochs=[14, 15, 12])
        for name in SPEAKERS
    ]
    return Split(policy="leave-one-group-out", groups=["samples.speaker"], folds=folds)


def disagreements() -> list[Disagreement]:
    of_modality = {
        "image": Said(answer="five", confidence=0.51),
        "speech": Said(answer="nine", confidence=0.97),
        "text": None,
    }
    label = Disagreement(
        key="D00378",
        kind="label",
        score=4.1,
        truth="five",
        answer="nine",
        said=of_modality,
        between=["speech"],
    )
    sure = {**of_modality, "image": Said(answer="five", confidence=0.92)}
    other = Disagreement(
        key="D00007",
        kind="modalities",
        score=0.89,
        truth="nine",
        answer="nine",
        said=sure,
        between=["image", "speech"],
    )
    return [label, other]


def result(score: float = 0.876, method: str = "late") -> EvaluationResult:
    return EvaluationResult(
        method=method,
        labels=LABELS,
        modalities=list(MODALITIES),
        n_total=1215,
        n_samples=1200,
        left_out={"duplicate": 15, "no label": 0},
        split=split(),
        clusters=Clusters(column="samples.writer", n=196, draws=1000),
        headline=headline(score),
        metrics={
            "macro_f1": around(score),
            "accuracy": around(score),
            "auroc": around(0.981, 0.004),
            "log_loss": around(0.41),
            "ece": around(0.021, 0.008),
        },
        seeds=[Seed(seed=s, score=score + s / 1000) for s in range(3)],
        per_class=[
            ClassScore(label=label, n=120, precision=0.87, recall=0.86, f1=around(0.9 - i / 100))
            for i, label in enumerate(LABELS)
        ],
        singles=singles(),
        baselines=[Baseline(name="Logistic regression, features joined", score=around(0.842))],
        methods=[
            Baseline(name=name, score=around(score - i / 100))
            for i, name in enumerate(("late", "concat", "gated"))
        ],
        missing=missing(score),
        shortfalls=shortfalls(),
        degradation=degradation(score),
        contributions=contributions(score),
        subgroups=subgroups(),
        confusion=confusion(),
        calibration=Calibration(before=reliability(0.08, 0.094), after=reliability(0.01, 0.021)),
        disagreements=disagreements(),
        retrieval=retrieval(),
        seconds={"embed": 34.0, "train": 61.0, "evaluate": 8.0},
        environment={"python": "3.11", "torch": "2.13"},
    )
