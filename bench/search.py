"""The search recipe by command: score, calibration, what is left with an input absent, and its
time.
"""

from typing import Any

from .engine import held_at, interval, train
from .rows import Place, Row, at_least, fact, under
from .study import real_study, study_of

F1, ECE, SECONDS = 0.88, 0.03, 300.0


def measure(place: Place) -> list[Row]:
    study = study_of(place)
    cold = train(study, place, ["--recipe", "search"])
    warm = train(study, place, ["--recipe", "search"])
    rows = [
        Row("study", f"{study.name}, {warm.result['n_samples']:,} samples scored"),
        *chosen(warm.result),
    ]
    rows += scores(warm.result, study == real_study())
    rows += [
        fact("seconds with nothing in the cache", cold.wall, "s"),
        under("seconds from a warm cache", warm.wall, SECONDS, "s"),
    ]
    return [*rows, fact("  of CPU", warm.cpu, "s"), fact("peak memory", warm.peak_mb, "MB")]


def chosen(result: dict[str, Any]) -> list[Row]:
    search = result["search"]
    rows = [
        Row(f"{one['method']}, log loss inside {one['loss']:.3f}", interval(one["score"]))
        for one in search["tried"]
    ]
    rows += [Row("not tried", name) for name in search["not_tried"]]
    read = {
        name: next(one for one in reads if one["kept"]) for name, reads in search["probe"].items()
    }
    return rows + [
        Row(f"{name} read with", " + ".join(choice["name"] for choice in one["encoders"]))
        for name, one in read.items()
    ]


def scores(result: dict[str, Any], held: bool) -> list[Row]:
    """held: against the bars, which are those of the real study."""
    head, alone = (
        result["headline"],
        {one["modality"]: one["score"]["value"] for one in result["singles"]},
    )
    f1, ece = head["score"]["value"], head["ece"]["value"]
    rows = [
        held_at(
            f"macro-F1, {result['method']}",
            interval(head["score"]),
            f"at least {F1}",
            f1 >= F1,
            held,
        ),
        held_at(
            "expected calibration error (ECE)",
            interval(head["ece"]),
            f"at most {ECE}",
            ece <= ECE,
            held,
        ),
    ]
    for one in result["missing"]:
        left = {name: value for name, value in alone.items() if name not in one["without"]}
        best = max(left, key=lambda name: left[name])
        rows.append(
            at_least(
                f"  without {', '.join(one['without'])}, against {best} alone",
                one["score"]["value"],
                left[best] - 1e-9,
            )
        )
    return rows
