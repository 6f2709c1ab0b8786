"""Parts of a sample's card: picture, waveform, text, hatch for what is not there."""

from collections.abc import Sequence
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.ui.html import component
from apps.ui.library import register


@register.simple_block_tag
def sample_card(
    content: str, sample_key: str = "", href: str = "", selected: bool = False
) -> SafeString:
    """Draw picture, strip and facts of one sample; the key is the link."""
    return component(
        "samples/sample_card", content=content, sample_key=sample_key, selected=selected
    )


@register.simple_tag
def sample_image(
    src: str = "",
    alt: Any = "",
    missing: Any = "",
    small: bool = False,
    note: Any = "",
    corner: Any = "",
) -> SafeString:
    """Draw a black pane of 6 to 4.6; pictures under 64 px keep hard pixels; `note` and `corner` are
    chips over the picture.
    """
    if not src:
        missing = missing or _("no image")
    return component(
        "samples/sample_image",
        src=src,
        alt=alt,
        missing=missing,
        small=small,
        note=note,
        corner=corner,
    )


@register.simple_tag
def waveform(
    peaks: Sequence[float] | None = None,
    src: str = "",
    missing: Any = "",
    silent: bool = False,
    label: Any = "",
    tall: bool = False,
) -> SafeString:
    """Draw a strip of 30 px from a list of peaks (0..1); playable where it has a src, with the
    browser's own player without JavaScript.
    """
    if not peaks:
        missing = missing or _("no recording")
    return component(
        "samples/waveform",
        element="cs-audio" if src else "div",
        path="" if missing else _bars(peaks or []),
        src=src,
        missing=missing,
        silent=silent,
        label=label or (_("Recording") if src else _("Waveform")),
        tall=tall,
    )


def _bars(peaks: Sequence[float]) -> str:
    width = 1000 / len(peaks)
    heights = [480 * min(1.0, max(0.015, abs(peak))) for peak in peaks]
    return " ".join(
        f"M{(index + 0.5) * width:.1f} {500 - height:.0f}V{500 + height:.0f}"
        for index, height in enumerate(heights)
    )


@register.simple_tag
def hatch(text: Any) -> SafeString:
    """Draw a hatched box for an input that is not there."""
    return component("samples/hatch", text=text)


@register.simple_tag
def blanks(text: Any) -> SafeString:
    """Draw a report or clue in the serif; "____" becomes a line to fill in."""
    return component("samples/blanks", parts=str(text).replace("_____", "____").split("____"))
