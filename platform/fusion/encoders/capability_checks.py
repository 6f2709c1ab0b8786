"""Checks of a recipe against the capabilities of its encoders. Light, for the web process."""

from collections.abc import Iterator

from fusion.encoders import catalogue
from fusion.encoders.catalogue import Entry
from fusion.schema.recipe import EncoderChoice, Recipe

EncoderPosition = tuple[str, int, Entry]
"""Modality, number of the encoder and its entry."""


def untunable(recipe: Recipe) -> list[EncoderPosition]:
    """Return the encoders to be tuned that have no weights."""
    return [
        (name, number, entry)
        for name, number, choice, entry in encoder_choices(recipe)
        if choice.tune != "frozen" and not entry.tunable
    ]


def unpoolable(recipe: Recipe) -> list[tuple[str, int, str, Entry]]:
    """Return the encoders that lack the chosen pooling, which stands before the entry."""
    return [
        (name, number, choice.pooling, entry)
        for name, number, choice, entry in encoder_choices(recipe)
        if choice.pooling and entry.poolings and choice.pooling not in entry.poolings
    ]


def encoder_choices(recipe: Recipe) -> Iterator[tuple[str, int, EncoderChoice, Entry]]:
    for name, choices in recipe.encoders.items():
        for number, choice in enumerate(choices):
            if entry := catalogue.get(choice.name):
                yield name, number, choice, entry


def check_capabilities(recipe: Recipe) -> list[str]:
    """Return a line for each problem, with the field and the remedy."""
    untunable_text = "has no weights that could be tuned; choose frozen, or another encoder."
    return [
        *(
            f"encoders.{name}.{number}.tune: {entry.title} {untunable_text}"
            for name, number, entry in untunable(recipe)
        ),
        *(
            f"encoders.{name}.{number}.pooling: {entry.title} can be pooled by "
            f"{', '.join(entry.poolings)}, not by {pooling}."
            for name, number, pooling, entry in unpoolable(recipe)
        ),
    ]
