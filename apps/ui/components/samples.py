"""Parts of a sample's card: picture, waveform, text, hatch for what is not there."""

from collections.abc import Sequence
from typing import Any

from django.template import Context
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.ui.components.basics import icon, icon_button
from apps.ui.html import attributes, classes
from apps.ui.library import register

SMALL = 64
BARS = 56


@register.simple_block_tag
def sample_card(
    content: str, sample_key: str = "", href: str = "", selected: bool = False
) -> SafeString:
    """Picture, strip and facts of one sample; the key is the link."""
    return format_html(
        '<article class="{}"{}>{}</article>',
        classes("sample", "is-selected" if selected else ""),
        attributes({"id": f"s-{sample_key}"}),
        content,
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
    """Black pane of 6 to 4.6; pictures under 64 px keep hard pixels; `note` and `corner` are chips
    over the picture.
    """
    if missing or not src:
        return format_html(
            '<div class="pane hatch"><span>{}</span></div>', missing or _("no image")
        )
    chips = format_html_join(
        "",
        '<span class="{}">{}</span>',
        [(look, text) for look, text in (("pane__note", note), ("pane__corner", corner)) if text],
    )
    picture = format_html(
        '<img src="{}" alt="{}" loading="lazy" decoding="async"{}>',
        src,
        alt,
        SafeString(' class="pixels"') if small else "",
    )
    return format_html('<div class="pane">{}{}</div>', picture, chips)


@register.simple_tag(takes_context=True)
def waveform(
    context: Context,
    peaks: Sequence[float] | None = None,
    src: str = "",
    missing: Any = "",
    silent: bool = False,
    label: Any = "",
    tall: bool = False,
) -> SafeString:
    """Strip of 30 px from a list of peaks (0..1); playable where it has a src, with the browser's
    own player without JavaScript.
    """
    look = classes("wave", "wave--tall" if tall else "")
    if missing or not peaks:
        return format_html(
            '<div class="{} hatch"><span>{}</span></div>', look, missing or _("no recording")
        )
    drawing = _bars(peaks)
    flag = (
        format_html('<span class="wave__flag">{}{}</span>', icon("volume-x", 14), _("silent"))
        if silent
        else ""
    )
    if not src:
        return format_html(
            '<div class="{}" role="img" aria-label="{}">{}{}</div>',
            look,
            label or _("Waveform"),
            drawing,
            flag,
        )
    play = icon_button(
        context,
        "play",
        _("Play"),
        data_play=True,
        class_="wave__play",
        hidden=True,
        data_pause=_("Pause"),
        data_play_label=_("Play"),
    )
    return format_html(
        '<cs-audio class="{}">{}{}{}<audio controls preload="none" src="{}" aria-label="{}"></audio></cs-audio>',
        look, drawing, flag, play, src, label or _("Recording"),
    )  # fmt: skip


def _bars(peaks: Sequence[float]) -> SafeString:
    width = 1000 / len(peaks)
    path = " ".join(
        f"M{(i + 0.5) * width:.1f} {500 - 480 * _clip(p):.0f}V{500 + 480 * _clip(p):.0f}"
        for i, p in enumerate(peaks)
    )
    return format_html(
        '<svg viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true"><path d="{}"></path></svg>',
        path,
    )


def _clip(peak: float) -> float:
    return min(1.0, max(0.015, abs(peak)))


@register.simple_tag
def hatch(text: Any) -> SafeString:
    """Hatched box for an input that is not there."""
    return format_html('<div class="hatch hatch--line"><span>{}</span></div>', text)


@register.simple_tag
def blanks(text: Any) -> SafeString:
    """Report or clue in the serif; "____" becomes a line to fill in."""
    parts = [conditional_escape(part) for part in str(text).replace("_____", "____").split("____")]
    line = format_html('<span class="blank"><span class="sr">{}</span></span>', _("blank"))
    joined = format_html_join(
        "",
        "{}{}",
        ((part, line if index < len(parts) - 1 else "") for index, part in enumerate(parts)),
    )
    return format_html('<span class="serif" translate="no">{}</span>', joined)
