"""Modalities: hue, icon and dash belong together and to nothing else."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.ui.html import component
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
    """Return one of the kinds that have a hue; other column kinds are shown as a table's."""
    name = ALIASES.get(name, name)
    return name if name in MODALITIES else "table"


@register.simple_tag
def modality(kind: str, label: Any = "", count: int | None = None, href: str = "") -> SafeString:
    """Draw a chip: icon, name and count."""
    kind = kind_of(kind)
    known = MODALITIES[kind]
    return component(
        "modalities/modality",
        element="a" if href else "span",
        kind=kind,
        href=href,
        icon=known.icon,
        label=label or known.label,
        count=count,
    )


@register.simple_tag
def modality_dot(kind: str, label: Any = "", missing: bool = False) -> SafeString:
    """Draw a square of 22 px; a missing input has a dashed border, a strike and says so."""
    kind = kind_of(kind)
    name = label or MODALITIES[kind].label
    words = _("%(modality)s missing") % {"modality": name} if missing else name
    icon = MODALITIES[kind].icon
    return component("modalities/modality_dot", kind=kind, missing=missing, words=words, icon=icon)


@register.simple_tag
def modality_dots(present: Collection[str], kinds: Iterable[str] | None = None) -> SafeString:
    """Draw a row of dots; those of `kinds` that are not `present` are struck."""
    shown = kinds if kinds is not None else present
    return component(
        "modalities/modality_dots", dots=[(kind, kind not in present) for kind in shown]
    )


@register.simple_tag
def modality_icon(kind: str, size: int = 16) -> SafeString:
    """Draw the icon alone, in the modality's ink."""
    kind = kind_of(kind)
    return component("modalities/modality_icon", kind=kind, icon=MODALITIES[kind].icon, size=size)
