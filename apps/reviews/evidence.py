"""The figures a reviewer looks at, from the run's result, drawn by the plots of the
run's own page.
"""

from dataclasses import dataclass

from apps.experiments.models import Run
from apps.experiments.report.overview import (
    calibration,
    contributions,
    headline,
    missing,
    subgroups,
)
from apps.experiments.report.overview.headline import Tile
from apps.ui.plots import model as ui


@dataclass(slots=True)
class ReviewEvidence:
    run: Run
    tiles: list[Tile]
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
    return ReviewEvidence(
        run=run,
        tiles=headline.tiles(result),
        caption=headline.caption(result),
        rely=contributions.plot(result, run.kinds),
        rely_words=contributions.words(result),
        missing=missing.plot(result, run.kinds),
        missing_words=missing.words(result),
        subgroups=subgroups.plot(result),
        subgroup_words=subgroups.words(result),
        reliability=calibration.plot(result),
        reliability_words=calibration.words(result),
    )
