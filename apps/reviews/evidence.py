"""The figures a reviewer looks at, from the run's result, drawn by the plots of the
run's own page.
"""

from dataclasses import dataclass
from typing import Any

from apps.experiments.models import Run
from apps.experiments.report import plots
from apps.experiments.report.sections import caption, tiles
from apps.ui.plots import model as ui


@dataclass(slots=True)
class ReviewEvidence:
    run: Run
    tiles: list[dict[str, Any]]
    caption: str
    rely: ui.Bars
    rely_words: str
    missing: ui.Lines | None
    missing_words: str
    subgroups: ui.Forest | None
    subgroup_words: str
    reliability: ui.Reliability
    reliability_words: str


def of(run: Run) -> ReviewEvidence:
    result = run.evaluation
    if result is None:
        raise ValueError("A version under review has a result.")
    kinds = {modality["name"]: modality["kind"] for modality in run.modalities}
    return ReviewEvidence(
        run=run,
        tiles=tiles(result),
        caption=caption(result),
        rely=plots.contributions(result, kinds),
        rely_words=plots.contributions_words(result),
        missing=plots.degradation(result, kinds),
        missing_words=plots.missing_words(result),
        subgroups=plots.subgroups(result),
        subgroup_words=plots.subgroup_words(result),
        reliability=plots.reliability(result),
        reliability_words=plots.reliability_words(result),
    )
