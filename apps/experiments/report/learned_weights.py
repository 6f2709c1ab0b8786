"""What a run reads of the layers and of the places that it weighs, in words."""

from dataclasses import dataclass, field
from math import isqrt

from django.utils.translation import gettext as _

from apps.experiments.recipe import encoder_choices
from apps.ui import figures
from fusion.encoders import catalogue
from fusion.schema.result import Attended, EvaluationResult, LayerMix


@dataclass
class Mix:
    """rows: each layer or stretch with its share; cells: the shares of a picture, row by row."""

    modality: str
    encoder: str
    words: str
    rows: list[tuple[str, str]] = field(default_factory=list)
    cells: list[list[str]] = field(default_factory=list)


def mixes(result: EvaluationResult) -> list[Mix]:
    found = []
    for one in result.mixes:
        last = last_of(one.encoder)
        rows = [
            (_("Layer %(n)d") % {"n": place(layer, last)}, figures.percent(share))
            for layer, share in sorted(zip(one.layers, one.shares), key=lambda each: -each[1])
        ]
        found.append(
            Mix(one.modality, encoder_choices.called(one.encoder), sentence(one, last), rows)
        )
    return found


def attended(result: EvaluationResult) -> list[Mix]:
    return [attention(one) for one in result.attended]


def attention(one: Attended) -> Mix:
    entry, n = catalogue.get(one.encoder), len(one.shares)
    shares, side = [figures.percent(share) for share in one.shares], isqrt(n)
    title = encoder_choices.called(one.encoder)
    if one.layer is not None:
        title = _(", ").join(
            [title, _("Layer %(n)d") % {"n": place(one.layer, last_of(one.encoder))}]
        )
    most = max(range(n), key=lambda at: one.shares[at])
    if entry and entry.kind == "image":
        words = _("It reads mostly row %(row)d, column %(column)d.") % {
            "row": most // side + 1,
            "column": most % side + 1,
        }
        found = Mix(
            one.modality,
            title,
            words,
            cells=[shares[row * side : (row + 1) * side] for row in range(side)],
        )
    else:
        words = _("It reads mostly stretch %(stretch)d of %(n)d.") % {"stretch": most + 1, "n": n}
        found = Mix(
            one.modality,
            title,
            words,
            [(_("Stretch %(n)d") % {"n": at + 1}, share) for at, share in enumerate(shares)],
        )
    if one.shares[most] < 1.2 / n:
        found.words = _("It reads its %(n)d places about alike, in the mean.") % {"n": n}
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


def last_of(encoder: str) -> int | None:
    entry = catalogue.get(encoder)
    return entry.layers[-1] if entry and entry.layers else None


def place(layer: int, last: int | None) -> int:
    """Negative ones are counted from the end."""
    return last + 1 + layer if layer < 0 and last is not None else layer
