"""Which recipes ask for tuning that cannot be. Light: the web process asks as well."""

from fusion.encoders import catalogue
from fusion.encoders.catalogue import Entry
from fusion.recipe import Recipe


def untunable(recipe: Recipe) -> list[tuple[str, int, Entry]]:
    """Modality, number of the encoder and its entry, of each that is to be tuned and has no weights."""
    return [
        (name, place, entry)
        for name, choices in recipe.encoders.items()
        for place, choice in enumerate(choices)
        if choice.tune != "frozen" and (entry := catalogue.get(choice.name)) and not entry.tunable
    ]


def refusals(recipe: Recipe) -> list[str]:
    """One line for each encoder that cannot be tuned; it names the field and what to do."""
    return [
        f"encoders.{name}.{place}.tune: {entry.title} has no weights that could be tuned; choose frozen, or another encoder."
        for name, place, entry in untunable(recipe)
    ]
