"""What a search may read a modality with: encoders, the depth of their layers, their pooling.
Light, for estimates before a run.
"""

from collections.abc import Sequence

from fusion.encoders import catalogue
from fusion.encoders.catalogue import Entry
from fusion.schema.recipe import EncoderChoice

DEPTHS = (0.25, 0.5, 0.75)
"""Of the way through an encoder, beside its own layers: a middle layer is often the best one for
another task (fusion.training.search.probe).
"""
FRAMES = ("audio", "series")
"""Kinds of which one frame alone, the first or the last, says little."""

PROBED = 2_000
"""Samples whose vectors are compared, at most; the rest is read only with what was chosen."""

Reading = tuple[EncoderChoice, ...]
"""Encoders whose vectors stand side by side."""


def candidates(
    kind: str, given: Sequence[EncoderChoice], allowed: Sequence[str] | None = None
) -> list[Reading]:
    """The recipe's own reading first. given: what the recipe says, the default of the kind where
    nothing; allowed: encoders that may be tried, by default all that are installed, without those
    that are only for tests.
    """
    own = tuple(given) or tuple(EncoderChoice(name=name) for name in catalogue.default(kind))
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
    singles = [(choice,) for entry in entries if entry.kind == kind for choice in of_entry(entry)]
    return [own, *(reading for reading in singles if reading != own)]


def of_entry(entry: Entry) -> list[EncoderChoice]:
    """As it comes, then other poolings, then other depths."""
    poolings = [
        name
        for name in entry.poolings
        if name != entry.pooling and not (entry.kind in FRAMES and name in ("first", "last"))
    ]
    last = entry.layers[-1] if entry.layers else 0
    depths = sorted({round(last * share) for share in DEPTHS} - {0, last, *entry.default_layers})
    found = [EncoderChoice(name=entry.name)]
    found += [
        EncoderChoice.model_validate({"name": entry.name, "pooling": pooling})
        for pooling in poolings
    ]
    return found + [EncoderChoice(name=entry.name, layers=[depth]) for depth in depths]
