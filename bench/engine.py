"""The default recipe by command: score, gain, calibration, beside logistic regression; the same with pooled image features."""

import tempfile
from pathlib import Path
from typing import Any

import yaml

from .rows import Place, Row, at_least, fact
from .servers import Ended, fusion
from .study import real_study, study_of

F1 = 0.84
POOLED = {
    "compare": ["concat", "gated"],
    "encoders": {"image": [{"name": "efficientnet-lite0", "layers": [16], "pooling": "mean", "resolution": 128}]},
}
"""The network's last layer averaged over the picture, as most people would take it."""


def measure(place: Place) -> list[Row]:
    study = study_of(place)
    recipe = place.folder / "pooled.yaml"
    recipe.write_text(yaml.safe_dump(POOLED))
    first = train(study, place, [])
    warm = train(study, place, [])
    pooled = train(study, place, ["--recipe", str(recipe)])
    rows = [Row("study", f"{study.name}, {first.result['n_samples']:,} samples scored, {len(first.result['seeds'])} seeds")]
    rows += scores(first.result, F1 if study == real_study() else None)
    rows += [fact("seconds of CPU, embedding included", first.cpu, "s"), fact("peak memory", first.peak_mb, "MB")]
    rows += [fact("seconds from a warm cache", warm.wall, "s")]
    return [*rows, Row("with pooled image features", ""), *scores(pooled.result, None)]


def train(study: Path, place: Place, more: list[str]) -> Ended:
    """Embeddings are kept for the next one."""
    with tempfile.TemporaryDirectory() as out:
        return fusion(place.folder / "home", "train", str(study), "--out", out, "--cache", str(place.folder / "embeddings"), *more)


def scores(result: dict[str, Any], bar: float | None) -> list[Row]:
    head, scored = result["headline"], result["headline"]["score"]
    gain, regression = head["gain_over_best_single"], max(result["baselines"], key=lambda one: one["score"]["value"])
    best = max(result["methods"], key=lambda one: one["score"]["value"])
    value = best["score"]["value"]
    rows = [
        Row(f"macro-F1, {result['method']}", interval(scored)),
        at_least(f"macro-F1, best method ({best['name']})", value, bar)
        if bar
        else Row(f"macro-F1, best method ({best['name']})", f"{value:.3f}"),
        *(Row(f"  {one['name']}", interval(one["score"])) for one in result["baselines"]),
    ]
    if bar:
        best_regression = regression["score"]["value"]
        rows.append(
            Row(
                "  best method less the best logistic regression", f"{value - best_regression:+.3f}", "at least 0", value >= best_regression
            )
        )
    rows.append(Row(f"gain over the best single modality ({gain['over']})", interval(gain), "clearly above 0", gain["low"] > 0))
    return [*rows, Row("expected calibration error (ECE)", interval(head["ece"]))]


def interval(score: dict[str, Any]) -> str:
    low, high = score.get("low"), score.get("high")
    return f"{score['value']:.3f}" if low is None else f"{score['value']:.3f} ({low:.3f} to {high:.3f})"
