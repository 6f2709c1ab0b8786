"""Which recipes ask of an encoder what it cannot do. Light: the web process asks as well."""

from collections.abc import Iterator

from fusion.encoders import catalogue
from fusion.encoders.catalogue import Entry
from fusion.schema.recipe import EncoderChoice, Recipe

Asked = tuple[str, int, Entry]
"""Modality, number of the encoder and its entry."""


def untunable(recipe: Recipe) -> list[Asked]:
    """Those that are to be tuned and have no weights."""
    return [
        (name, place, entry)
        for name, place, choice, entry in chosen(recipe)
        if choice.tune != "frozen" and not entry.tunable
    ]


def unpoolable(recipe: Recipe) -> list[tuple[str, int, str, Entry]]:
    """Those that do not know the pooling that is asked for, which stands before the entry."""
    return [
        (name, place, one.pooling, entry)
        for name, place, one, entry in chosen(recipe)
        if one.pooling and entry.poolings and one.pooling not in entry.poolings
    ]


def chosen(recipe: Recipe) -> Iterator[tuple[str, int, EncoderChoice, Entry]]:
    for name, choices in recipe.encoders.items():
        for place, choice in enumerate(choices):
            if entry := catalogue.get(choice.name):
                yield name, place, choice, entry


def refusals(recipe: Recipe) -> list[str]:
    """One line for each; it names the field and what to do."""
    weightless = "has no weights that could be tuned; choose frozen, or another encoder."
    return [
        *(
            f"encoders.{name}.{place}.tune: {entry.title} {weightless}"
            for name, place, entry in untunable(recipe)
        ),
        *(
            f"encoders.{name}.{place}.pooling: {entry.title} can be pooled by {', '.join(entry.poolings)}, not by {asked}."
            for name, place, asked, entry in unpoolable(recipe)
        ),
    ]
