"""Columns by their names: `dataset.column`, or the bare column where only one data set has it."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from difflib import get_close_matches

from fusion.knowledge.language import (
    And,
    Column,
    Condition,
    ConditionError,
    Not,
    Or,
    joined,
    listed,
)

SHOWN = 6
"""So many columns are listed where none is near."""


def resolve(condition: Condition, known: Iterable[str], text: str = "") -> Condition:
    """The same with full names. Raises ConditionError for a column that is not known or that
    several data sets have.
    """
    names = list(known)
    return renamed(condition, lambda column: full(column, names, text))


def renamed(condition: Condition, call: Callable[[Column], Column]) -> Condition:
    """The same over other columns."""
    match condition:
        case And(parts):
            return joined(And, [renamed(part, call) for part in parts])
        case Or(parts):
            return joined(Or, [renamed(part, call) for part in parts])
        case Not(part):
            return Not(renamed(part, call))
        case _:
            return replace(condition, column=call(condition.column))


def full(column: Column, known: list[str], text: str) -> Column:
    if column.name in known:
        return column
    found = [name for name in known if short(name) == column.name]
    if len(found) == 1:
        return replace(column, name=found[0])
    message = (
        f"{column.name} stands in several data sets; write {listed(sorted(found))}"
        if found
        else unknown(column.name, known)
    )
    raise ConditionError(message, text, column.at if text else None, len(str(column)))


def short(name: str) -> str:
    """The column without its data set."""
    return name.split(".", 1)[-1]


def unknown(name: str, known: list[str]) -> str:
    """That there is no such column, and the nearest ones."""
    near = nearest(name, known)
    if near:
        return f"there is no column {name}; did you mean {listed(near)}?"
    shown = ", ".join(sorted(known)[:SHOWN]) + (", ..." if len(known) > SHOWN else "")
    return f"there is no column {name}; " + (
        f"there are {shown}" if known else "there are no columns at all"
    )


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Up to three names that look like this one, as a whole or without the data set."""
    lowered = {one.lower(): one for one in known}
    shorts = {short(one): whole for one, whole in lowered.items()}
    found = get_close_matches(name.lower(), lowered, n=3, cutoff=0.75)
    found_short = get_close_matches(short(name.lower()), shorts, n=3, cutoff=0.75)
    return list(
        dict.fromkeys([lowered[one] for one in found] + [shorts[one] for one in found_short])
    )[:3]
