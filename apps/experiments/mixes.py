"""What a run reads of the layers of an encoder that it mixes, in words."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.ui import figures
from fusion.encoders import catalogue
from fusion.result import EvaluationResult, LayerMix

from . import encoders


@dataclass
class Mix:
    """rows: each layer with its share."""

    modality: str
    encoder: str
    words: str
    rows: list[tuple[str, str]]


def mixes(result: EvaluationResult) -> list[Mix]:
    found = []
    for one in result.mixes:
        entry = catalogue.get(one.encoder)
        last = entry.layers[-1] if entry and entry.layers else None
        rows = [
            (_("Layer %(n)d") % {"n": place(layer, last)}, figures.percent(share))
            for layer, share in sorted(zip(one.layers, one.shares), key=lambda each: -each[1])
        ]
        found.append(Mix(one.modality, encoders.name(entry) if entry else one.encoder, sentence(one, last), rows))
    return found


def sentence(one: LayerMix, last: int | None) -> str:
    """`It reads mostly layer 7 of 12.`"""
    layer, share = one.most
    words = {"layer": place(layer, last), "last": last, "n": len(one.layers)}
    if share < 1.2 / len(one.layers):
        return _("It reads its %(n)d layers about alike.") % words
    if last is None:
        return _("It reads mostly layer %(layer)d.") % words
    return _("It reads mostly layer %(layer)d of %(last)d.") % words


def place(layer: int, last: int | None) -> int:
    """Negative ones are counted from the end."""
    return last + 1 + layer if layer < 0 and last is not None else layer
