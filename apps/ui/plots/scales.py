"""Scales turn values into percent of a plot's area."""

import math
from collections.abc import Iterable, Sequence


def present(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None and math.isfinite(value)]


def share(value: float, low: float, high: float) -> float:
    """0..100 along the scale, clipped at its ends."""
    if high <= low:
        return 0.0
    return min(100.0, max(0.0, 100 * (value - low) / (high - low)))


def nice_step(span: float, about: int = 4) -> float:
    """1, 2, 2.5 or 5 times a power of ten, so that about `about` steps fill the span."""
    if span <= 0:
        return 1.0
    raw = span / about
    power = 10 ** math.floor(math.log10(raw))
    return next(
        factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * (1 - 1e-9)
    )


def ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round values inside the scale."""
    step = nice_step(high - low, about)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(step * index, 10) for index in range(first, last + 1)]


def span(values: Iterable[float | None], pad: float = 0.06) -> tuple[float, float]:
    """Scale that shows all values with some air; never of no height."""
    known = present(values)
    if not known:
        return 0.0, 1.0
    low, high = min(known), max(known)
    air = (high - low) * pad or abs(high) * pad or 0.5
    return low - air, high + air


def nice_span(values: Iterable[float | None], about: int = 4) -> tuple[float, float]:
    """The same, rounded outwards to whole steps, so that axis labels stand at both ends."""
    low, high = span(values, 0.02)
    step = nice_step(high - low, about)
    return round(math.floor(low / step) * step, 10), round(math.ceil(high / step) * step, 10)


def spread(
    places: Sequence[float], gap: float, low: float = 0.0, high: float = 100.0
) -> list[float]:
    """Moves labels apart to at least `gap`, keeping their order and as near to their places as that
    allows.
    """
    order = sorted(range(len(places)), key=lambda index: places[index])
    moved = [places[index] for index in order]
    for index in range(1, len(moved)):
        moved[index] = max(moved[index], moved[index - 1] + gap)
    ceiling = high
    for index in range(len(moved) - 1, -1, -1):
        moved[index] = max(low, min(moved[index], ceiling))
        ceiling = moved[index] - gap
    result = [0.0] * len(places)
    for place, index in zip(moved, order, strict=True):
        result[index] = place
    return result


def segments(xs: Sequence[float], ys: Sequence[float | None]) -> list[list[tuple[float, float]]]:
    """Runs of points without a gap: a missing value breaks the line."""
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in zip(xs, ys):
        if y is None or not math.isfinite(y):
            runs.append([])
        else:
            runs[-1].append((x, y))
    return [run for run in runs if run]
