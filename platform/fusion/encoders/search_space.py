"""The search space of a modality: encoders, the depth of their layers, their pooling. Light, for
estimates before a run.
"""

from collections.abc import Sequence

from fusion.encoders import catalogue
from fusion.encoders.catalogue import Entry
from fusion.schema.recipe import EncoderChoice

DEPTHS = (0.25, 0.5, 0.75)
"""Shares of an encoder's layers, beside its own default: a middle layer is often the best one for
another task (fusion.training.search.probe).
"""
SEQUENCES = ("audio", "series")
"""Kinds that the first or the last frame alone represents badly."""

PROBED = 2_000
"""Number of samples to compare readings by, at most; the rest is read by the chosen one only."""

Reading = tuple[EncoderChoice, ...]
"""Encoders whose vectors stand side by side."""


def search_space(
    kind: str, chosen: Sequence[EncoderChoice], allowed: Sequence[str] | None = None
) -> list[Reading]:
    """Return the readings to compare, the recipe's own first.

    chosen: encoders of the recipe, the default of the kind where there are none; allowed: names of
    encoders to try, by default all that are installed except those for tests.
    """
    own = tuple(chosen) or tuple(EncoderChoice(name=name) for name in catalogue.default(kind))
    if any(choice.tune != "frozen" for choice in own):
        return [own]
    names = (
        [entry.name for entry in catalogue.entries(kind, tiny=False) if entry.installed]
        if allowed is None
        else allowed
    )
    entries = [
        entry
        for name in dict.fromkeys([*(choice.name for choice in own), *names])
        if (entry := catalogue.get(name))
    ]
    singles = [(choice,) for entry in entries if entry.kind == kind for choice in choices_of(entry)]
    return [own, *(reading for reading in singles if reading != own)]


def choices_of(entry: Entry) -> list[EncoderChoice]:
    """Return the default options of an encoder, then other poolings, then other depths."""
    poolings = [
        name
        for name in entry.poolings
        if name != entry.pooling and not (entry.kind in SEQUENCES and name in ("first", "last"))
    ]
    last = entry.layers[-1] if entry.layers else 0
    depths = sorted({round(last * share) for share in DEPTHS} - {0, last, *entry.default_layers})
    return [
        EncoderChoice(name=entry.name),
        *(
            EncoderChoice.model_validate({"name": entry.name, "pooling": pooling})
            for pooling in poolings
        ),
        *(EncoderChoice(name=entry.name, layers=[depth]) for depth in depths),
    ]
