"""Intervals as plots, tiles and sentences show them."""

import math
from collections.abc import Iterable

from django.utils.translation import gettext as _

from apps.ui import figures
from fusion.schema.intervals import Interval

STEPS = 20
"""Steps of a scale in 1."""
VERDICTS = {"clearly better": "better", "clearly worse": "worse"}


def scale(intervals: Iterable[Interval]) -> tuple[float, float]:
    """One labelled scale for all rows: whole steps of .05 around everything shown."""
    values = [
        value
        for interval in intervals
        for value in (interval.value, interval.low, interval.high)
        if value is not None
    ]
    low, high = min(values, default=0.0), max(values, default=1.0)
    return math.floor(low * STEPS) / STEPS, min(1.0, math.ceil(high * STEPS) / STEPS)


def span(interval: Interval) -> dict[str, float | None]:
    """Arguments of a row of a forest plot."""
    return {"value": interval.value, "low": interval.low, "high": interval.high}


def in_words(interval: Interval) -> str:
    if interval.low is None:
        return _("no interval: too few clusters")
    return figures.interval(interval.low, interval.high)


def verdict(words: str) -> str:
    """The code of the engine's words of a difference: better, worse, same."""
    return VERDICTS.get(words, "same")
