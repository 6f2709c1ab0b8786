"""Sparkline: 34 px high, dashed reference, dot at the end."""

from collections.abc import Sequence

from django.utils.safestring import SafeString

from apps.ui.html import component


def sparkline(values: Sequence[float], reference: float | None = None) -> SafeString:
    """Draw `values` in order; decorative, since the number stands beside it."""
    if len(values) < 2:
        return component("plots/spark")
    shown = [*values, *([reference] if reference is not None else [])]
    low, high = min(shown), max(shown)
    span = (high - low) or 1.0

    def y(value: float) -> str:
        return f"{900 - 800 * (value - low) / span:.1f}"

    step = 985 / (len(values) - 1)
    return component(
        "plots/spark",
        points=" ".join(f"{index * step:.1f},{y(value)}" for index, value in enumerate(values)),
        reference=y(reference) if reference is not None else "",
        end=y(values[-1]),
    )
