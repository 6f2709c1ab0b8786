"""The samples on which rules fire, and those on which hard ones leave no label."""

from collections.abc import Sequence
from dataclasses import dataclass

from fusion.knowledge.conditions import listed
from fusion.knowledge.evaluator import Columns, Kinds, holds
from fusion.knowledge.rules import Rule, allowed_labels


@dataclass(frozen=True)
class Contradiction:
    """Hard rules leave no label together. rules: their numbers, from 0; rows: the samples."""

    rules: tuple[int, ...]
    rows: tuple[int, ...]
    message: str

    def __str__(self) -> str:
        return self.message


def fired(rules: Sequence[Rule], columns: Columns, kinds: Kinds | None = None) -> list[list[bool]]:
    """Return for each rule and sample whether the condition is known to hold, (R, n). Raises
    ConditionError.
    """
    return [[truth is True for truth in holds(rule.condition, columns, kinds)] for rule in rules]


def contradictions(
    rules: Sequence[Rule], fires: Sequence[Sequence[bool]], labels: Sequence[str]
) -> list[Contradiction]:
    """Find the samples on which the hard rules that fire leave no label, by the fewest rules that
    suffice for it. fires: (R, n), see `fired`.
    """
    allowed = {
        number: frozenset(
            label for label, fits in zip(labels, allowed_labels(rule, labels)) if fits
        )
        for number, rule in enumerate(rules)
        if rule.hard
    }
    rows: dict[tuple[int, ...], list[int]] = {}
    for row in range(len(fires[0]) if fires else 0):
        firing = tuple(number for number in allowed if fires[number][row])
        if leave_no_label(firing, allowed):
            rows.setdefault(firing, []).append(row)
    merged: dict[tuple[int, ...], list[int]] = {}
    for firing, samples in rows.items():
        merged.setdefault(core(firing, allowed), []).extend(samples)
    return [contradiction(rules, numbers, sorted(samples)) for numbers, samples in merged.items()]


def leave_no_label(numbers: Sequence[int], allowed: dict[int, frozenset[str]]) -> bool:
    return bool(numbers) and not frozenset.intersection(*(allowed[number] for number in numbers))


def core(firing: tuple[int, ...], allowed: dict[int, frozenset[str]]) -> tuple[int, ...]:
    """Leave out each rule without which no label is left all the same."""
    needed = list(firing)
    for number in firing:
        others = [other for other in needed if other != number]
        if leave_no_label(others, allowed):
            needed = others
    return tuple(needed)


def contradiction(
    rules: Sequence[Rule], numbers: tuple[int, ...], rows: list[int]
) -> Contradiction:
    names = listed([rules[number].title for number in numbers], last=" and ")
    samples = "1 sample" if len(rows) == 1 else f"{len(rows)} samples"
    verb = "contradict each other" if len(numbers) > 1 else "forbids every label"
    message = f"{names} {verb} on {samples}: no label is left there"
    return Contradiction(numbers, tuple(rows), message)
