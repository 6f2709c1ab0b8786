"""The overview of a finished run: every section of the page, by the name that the template uses."""

from collections.abc import Mapping
from typing import Any

from apps.experiments.models import Run
from apps.experiments.report.disciplines import concepts, disagreements, protocols, rules
from apps.experiments.report.overview import (
    calibration,
    confusion,
    contributions,
    headline,
    label_scores,
    methods,
    missing,
    noise,
    numbers,
    retrieval,
    search,
    shortfalls,
    subgroups,
)


def sections(run: Run, params: Mapping[str, str]) -> dict[str, Any]:
    """`params`: the address, which chooses the list of disagreements and its page."""
    result, kinds = run.evaluation, run.kinds
    assert result is not None
    return {
        "headline": headline.section(result),
        "contributions": contributions.section(result, kinds),
        "missing": missing.section(result, kinds),
        "shortfalls": shortfalls.section(
            result, run.recipe.get("training", {}).get("floor", False)
        ),
        "noise": noise.section(result, kinds),
        "protocols": protocols.section(run),
        "methods": methods.section(result),
        "search": search.section(result, kinds),
        "subgroups": subgroups.section(result),
        "numbers": numbers.section(result),
        "confusion": confusion.section(run, result),
        "errors_url": confusion.predictions_url(run, show="wrong"),
        "rules": rules.section(run),
        "concepts": concepts.section(run),
        "disagreements": disagreements.section(run, params),
        "retrieval": retrieval.section(result),
        "labels": label_scores.plot(result),
        "calibration": calibration.section(result),
    }
