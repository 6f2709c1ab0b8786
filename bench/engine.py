"""The default recipe by command: score, gain, calibration, beside logistic regression; the same
with pooled image features.
"""

import tempfile
from pathlib import Path
from typing import Any

import yaml

from .rows import Place, Row, fact, under
from .servers import Ended, fusion
from .study import real_study, study_of

F1, ECE, SECONDS, REPEATS = 0.86, 0.04, 30.0, 3
POOLED = {
    "compare": ["concat", "gated"],
    "encoders": {
        "image": [
            {"name": "efficientnet-lite0", "layers": [16], "pooling": "mean", "resolution": 128}
        ]
    },
}
"""The network's last layer averaged over the picture, as most people would take it."""


def measure(place: Place) -> list[Row]:
    study = study_of(place)
    recipe = place.folder / "pooled.yaml"
    recipe.write_text(yaml.safe_dump(POOLED))
    first = train(study, place, [])
    warm = sorted((train(study, place, []) for _ in range(REPEATS)), key=lambda ended: ended.wall)[
        REPEATS // 2
    ]
    pooled = train(study, place, ["--recipe", str(recipe)])
    rows = [
        Row(
            "study",
            f"{study.name}, {first.result['n_samples']:,} samples scored, "
            f"{len(first.result['seeds'])} seeds",
        )
    ]
    rows += scores(first.result, study == real_study())
    rows += [
        fact("seconds of CPU, embedding included", first.cpu, "s"),
        fact("peak memory", first.peak_mb, "MB"),
    ]
    rows += [under("seconds from a warm cache", warm.wall, SECONDS, "s")]
    rows += [
        fact(f"  {stage}", warm.result["seconds"][stage], "s")
        for stage in ("read", "embed", "train", "evaluate", "bundle")
    ]
    return [*rows, Row("with pooled image features", ""), *scores(pooled.result, False)]


def train(study: Path, place: Place, more: list[str]) -> Ended:
    """Embeddings are kept for the next one."""
    with tempfile.TemporaryDirectory() as out:
        return fusion(
            place.folder / "home",
            "train",
            str(study),
            "--out",
            out,
            "--cache",
            str(place.folder / "embeddings"),
            *more,
        )


def scores(result: dict[str, Any], held: bool) -> list[Row]:
    """held: against the bars, which are those of the real study."""
    head, value, ece = (
        result["headline"],
        result["headline"]["score"]["value"],
        result["headline"]["ece"]["value"],
    )
    gain, regression = (
        head["gain_over_best_single"],
        max(one["score"]["value"] for one in result["baselines"]),
    )
    others = [one for one in result["methods"] if one["name"] != result["method"]]
    return [
        held_at(
            f"macro-F1, {result['method']}",
            interval(head["score"]),
            f"at least {F1}",
            value >= F1,
            held,
        ),
        *(
            Row(f"  {one['name']}", interval(one["score"]))
            for one in (*others, *result["baselines"])
        ),
        held_at(
            "  less the best logistic regression",
            f"{value - regression:+.3f}",
            "at least 0",
            value >= regression,
            held,
        ),
        held_at(
            f"gain over the best single modality ({gain['over']})",
            interval(gain),
            "clearly above 0",
            gain["low"] > 0,
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


def held_at(what: str, measured: str, bar: str, met: bool, held: bool) -> Row:
    return Row(what, measured, bar, met) if held else Row(what, measured)


def interval(score: dict[str, Any]) -> str:
    low, high = score.get("low"), score.get("high")
    return (
        f"{score['value']:.3f}"
        if low is None
        else f"{score['value']:.3f} ({low:.3f} to {high:.3f})"
    )
