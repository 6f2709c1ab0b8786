"""Modalities: hue, icon and dash belong together and to nothing else."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.ui.components.basics import icon
from apps.ui.html import classes
from apps.ui.library import register


@dataclass(frozen=True, slots=True)
class Modality:
    icon: str
    label: Any


MODALITIES: dict[str, Modality] = {
    "image": Modality("image", gettext_lazy("Image")),
    "text": Modality("file-text", gettext_lazy("Text")),
    "audio": Modality("audio-lines", gettext_lazy("Audio")),
    "table": Modality("table", gettext_lazy("Table")),
    "series": Modality("activity", gettext_lazy("Time series")),
    "knowledge": Modality("waypoints", gettext_lazy("Knowledge")),
    "fusion": Modality("merge", gettext_lazy("Fusion")),
}
ALIASES = {
    "speech": "audio",
    "tabular": "table",
    "number": "table",
    "category": "table",
    "time": "series",
    "time_series": "series",
}


def kind_of(name: str) -> str:
    """The six kinds that have a hue; other column kinds are shown as a table's."""
    name = ALIASES.get(name, name)
    return name if name in MODALITIES else "table"


@register.simple_tag
def modality(kind: str, label: Any = "", count: int | None = None, href: str = "") -> SafeString:
    """Chip: icon, name and count."""
    kind = kind_of(kind)
    known = MODALITIES[kind]
    number = format_html(' <b class="num">{}</b>', f"{count:,}") if count is not None else ""
    inner = format_html("{}<span>{}{}</span>", icon(known.icon, 15), label or known.label, number)
    if href:
        return format_html('<a class="chip" data-m="{}" href="{}">{}</a>', kind, href, inner)
    return format_html('<span class="chip" data-m="{}">{}</span>', kind, inner)


@register.simple_tag
def modality_dot(kind: str, label: Any = "", missing: bool = False) -> SafeString:
    """22 px square; a missing input has a dashed border, a strike and says so."""
    kind = kind_of(kind)
    name = label or MODALITIES[kind].label
    words = _("%(modality)s missing") % {"modality": name} if missing else name
    look = classes("dot", "dot--missing" if missing else "")
    return format_html(
        '<span class="{}" data-m="{}" role="img" aria-label="{}" title="{}">{}</span>',
        look,
        kind,
        words,
        words,
        icon(MODALITIES[kind].icon, 13),
    )


@register.simple_tag
def modality_dots(present: Collection[str], kinds: Iterable[str] | None = None) -> SafeString:
    """A row of dots; those of `kinds` that are not `present` are struck."""
    shown = list(kinds if kinds is not None else present)
    return format_html(
        '<span class="dots">{}</span>',
        format_html_join(
            "", "{}", ((modality_dot(kind, "", kind not in present),) for kind in shown)
        ),
    )


@register.simple_tag
def modality_icon(kind: str, size: int = 16) -> SafeString:
    """The icon alone, in the modality's ink."""
    kind = kind_of(kind)
    return format_html(
        '<span class="m-ink" data-m="{}">{}</span>', kind, icon(MODALITIES[kind].icon, size)
    )
