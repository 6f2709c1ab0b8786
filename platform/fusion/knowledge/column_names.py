"""Columns by their names: `dataset.column`, or the bare column where only one data set has it."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from difflib import get_close_matches

from fusion.knowledge.conditions import (
    And,
    ColumnRef,
    Condition,
    ConditionError,
    Not,
    Or,
    joined,
    listed,
)

SHOWN = 6
"""Number of columns listed where none has a similar name."""


def resolve(condition: Condition, known: Iterable[str], text: str = "") -> Condition:
    """Return the condition with full names. Raises ConditionError for a column that is not known
    or that several data sets have.
    """
    names = list(known)
    return renamed(condition, lambda column: with_dataset(column, names, text))


def renamed(condition: Condition, rename: Callable[[ColumnRef], ColumnRef]) -> Condition:
    """Return the condition over other columns."""
    match condition:
        case And(parts):
            return joined(And, [renamed(part, rename) for part in parts])
        case Or(parts):
            return joined(Or, [renamed(part, rename) for part in parts])
        case Not(part):
            return Not(renamed(part, rename))
        case _:
            return replace(condition, column=rename(condition.column))


def with_dataset(column: ColumnRef, known: list[str], text: str) -> ColumnRef:
    if column.name in known:
        return column
    candidates = [name for name in known if without_dataset(name) == column.name]
    if len(candidates) == 1:
        return replace(column, name=candidates[0])
    message = (
        f"{column.name} stands in several data sets; write {listed(sorted(candidates))}"
        if candidates
        else unknown_column(column.name, known)
    )
    raise ConditionError(message, text, column.start if text else None, len(str(column)))


def without_dataset(name: str) -> str:
    return name.split(".", 1)[-1]


def unknown_column(name: str, known: list[str]) -> str:
    """Say that there is no such column, and list the nearest ones."""
    if near := nearest_names(name, known):
        return f"there is no column {name}; did you mean {listed(near)}?"
    shown = ", ".join(sorted(known)[:SHOWN]) + (", ..." if len(known) > SHOWN else "")
    return f"there is no column {name}; " + (
        f"there are {shown}" if known else "there are no columns at all"
    )


def nearest_names(name: str, known: Iterable[str]) -> list[str]:
    """Return up to three names that look like this one, as a whole or without the data set."""
    lowered = {column.lower(): column for column in known}
    bare = {without_dataset(column): whole for column, whole in lowered.items()}
    close = get_close_matches(name.lower(), lowered, n=3, cutoff=0.75)
    close_bare = get_close_matches(without_dataset(name.lower()), bare, n=3, cutoff=0.75)
    return list(
        dict.fromkeys([lowered[name] for name in close] + [bare[name] for name in close_bare])
    )[:3]
