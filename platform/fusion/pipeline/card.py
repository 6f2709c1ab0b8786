"""The card of a bundle: what it is, how good it is and where it fails, as Markdown. Every figure in
it stands in the result.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from fusion.encoders import catalogue
from fusion.schema.intervals import Interval
from fusion.schema.recipe import Recipe
from fusion.schema.result import EvaluationResult

Encoders = Mapping[str, list[dict[str, Any]]]


def references(encoders: Encoders) -> dict[str, list[dict[str, Any]]]:
    """Each encoder with what a person needs to get the same one: source, version, licence, and the
    SHA-256 of its weight file.
    """
    return {
        name: [part | reference(part["name"]) for part in parts] for name, parts in encoders.items()
    }


def reference(name: str) -> dict[str, str]:
    entry = catalogue.get(name)
    facts = ("source", "version", "licence", "sha256")
    return {fact: getattr(entry, fact) for fact in facts if entry and getattr(entry, fact)}


def card(recipe: Recipe, encoders: Encoders, result: EvaluationResult) -> str:
    parts = [
        f"# {recipe.title}: {result.method} fusion of {', '.join(result.modalities)}",
        recipe.description,
        f"Answers one of {len(result.labels)} labels: {', '.join(result.labels)}.",
        "## How good it is",
        how_good(result),
        table(["", "value", "95 % interval"], figures(result)),
        "## Where it is weak",
        *weak(result),
        "## Encoders",
        "An encoder with another SHA-256 is refused.",
        table(
            ["modality", "encoder", "source", "licence", "SHA-256 of the weights", "fingerprint"],
            rows_of(encoders),
        ),
        "## Use",
        "```python\nimport fusion\n\nbundle = fusion.load(FOLDER)\n"
        f"bundle.predict({{{', '.join(f'{name!r}: ...' for name in result.modalities)}}})  # any "
        "of them may be left out\n```",
        "```\npython -m fusion predict FOLDER TABLE_OR_STUDY --out answers.parquet\n```",
        "## Repeat",
        f"Recipe `{result.environment.get('recipe', '')}`, alignment "
        f"`{result.environment.get('alignment', '')}`.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def how_good(result: EvaluationResult) -> str:
    tested = (
        f"Judged on {result.n_samples:,} of {result.n_total:,} samples, none of which the "
        "judged networks were trained on"
    )
    clusters = (
        f"{result.clusters.n:,} values of {result.clusters.column}"
        if result.clusters.column
        else f"{result.clusters.n:,} samples"
    )
    note = f" ({result.clusters.note})" if result.clusters.note else ""
    return (
        f"{tested}. Intervals over {clusters}{note}. The networks in this bundle were then "
        "trained on every sample."
    )


def figures(result: EvaluationResult) -> list[list[str]]:
    gain = result.headline.gain_over_best_single
    rows = [[name.replace("_", " "), *cells(interval)] for name, interval in result.metrics.items()]
    if gain is None:
        return rows
    return [*rows, [f"gain over {gain.over} alone: {gain.verdict}", *cells(gain)]]


def weak(result: EvaluationResult) -> list[str]:
    lines = [
        f"- Without {', '.join(missing.without)}: {missing.score.value:.3f} "
        f"({missing.change.value:+.3f})."
        for missing in result.missing
        if len(missing.without) == 1
    ]
    if result.subgroups:
        worst = min(result.subgroups, key=lambda subgroup: subgroup.score.value)
        lines.append(
            f"- Weakest subgroup: {worst.column} = {worst.value}, {worst.score.value:.3f} on "
            f"{worst.n:,} samples."
        )
    if result.per_class:
        hard = min(result.per_class, key=lambda score: score.f1.value)
        lines.append(
            f"- Hardest label: {hard.label}, F1 {hard.f1.value:.3f} on {hard.n:,} samples."
        )
    return ["\n".join(lines)]


def rows_of(encoders: Encoders) -> Iterable[list[str]]:
    for name, parts in encoders.items():
        for part in parts:
            source = " ".join(part[fact] for fact in ("source", "version") if fact in part)
            yield [
                name,
                part["name"],
                source,
                part.get("licence", ""),
                f"`{part['sha256']}`" if "sha256" in part else "",
                f"`{part['fingerprint']}`",
            ]


def cells(interval: Interval) -> list[str]:
    return [
        f"{interval.value:.3f}",
        "none"
        if interval.low is None or interval.high is None
        else f"{interval.low:.3f} to {interval.high:.3f}",
    ]


def table(heads: list[str], rows: Iterable[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines
    )
