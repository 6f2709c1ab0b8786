"""Sparkline: 34 px high, dashed reference, dot at the end."""

from collections.abc import Sequence

from django.utils.html import format_html
from django.utils.safestring import SafeString


def sparkline(values: Sequence[float], reference: float | None = None) -> SafeString:
    """`values` in order; the picture is decorative, since the number stands beside it."""
    if len(values) < 2:
        return SafeString('<span class="spark"></span>')
    shown = [*values, *([reference] if reference is not None else [])]
    low, high = min(shown), max(shown)
    span = (high - low) or 1.0

    def y(value: float) -> float:
        return 900 - 800 * (value - low) / span

    step = 985 / (len(values) - 1)
    points = " ".join(f"{index * step:.1f},{y(value):.1f}" for index, value in enumerate(values))
    line = (
        format_html(
            '<line class="spark__ref" x1="0" x2="1000" y1="{}" y2="{}"></line>',
            *[f"{y(reference):.1f}"] * 2,
        )
        if reference is not None
        else ""
    )
    end = format_html('<path class="spark__dot" d="M985 {}h.01"></path>', f"{y(values[-1]):.1f}")
    return format_html(
        '<svg class="spark" viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true">{}<polyline points="{}"></polyline>{}</svg>',
        line,
        points,
        end,
    )
