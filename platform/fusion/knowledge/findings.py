"""Rules held against data: where they fire, which never do, and where hard ones leave no label."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from fusion.core.column_values import is_time
from fusion.knowledge.language import listed
from fusion.knowledge.rules import Rule, allowed
from fusion.knowledge.values import Columns, Kinds, holds, is_number

if TYPE_CHECKING:
    from fusion.data.alignment import Aligned

SEEN = 200
"""So many values decide what a column holds."""


@dataclass(frozen=True)
class Finding:
    """Something that a person should look at. rules: numbers of the rules concerned, from 0; rows:
    the samples concerned.
    """

    kind: Literal["never", "always", "contradiction"]
    rules: tuple[int, ...]
    rows: tuple[int, ...]
    message: str

    def __str__(self) -> str:
        return self.message


def fired(rules: Sequence[Rule], columns: Columns, kinds: Kinds | None = None) -> list[list[bool]]:
    """(R, n): on which samples each rule fires, that is, where its condition is known to hold.
    Raises ConditionError.
    """
    return [[answer is True for answer in holds(rule.condition, columns, kinds)] for rule in rules]


def findings(
    rules: Sequence[Rule], fires: Sequence[Sequence[bool]], labels: Sequence[str]
) -> list[Finding]:
    """Rules that never fire, that always fire, and hard rules that contradict each other on
    samples. fires: (R, n), see `fired`.
    """
    found = []
    for number, (rule, row) in enumerate(zip(rules, fires)):
        if row and not any(row):
            found.append(
                Finding(
                    "never",
                    (number,),
                    (),
                    f"{rule.title}: the condition holds on none of the {len(row)} samples",
                )
            )
        if row and all(row):
            message = f"{rule.title}: the condition holds on all {len(row)} samples, so the rule tells none apart"
            found.append(Finding("always", (number,), (), message))
    return found + contradictions(rules, fires, labels)


def contradictions(
    rules: Sequence[Rule], fires: Sequence[Sequence[bool]], labels: Sequence[str]
) -> list[Finding]:
    """Samples on which the hard rules that fire leave no label, by the fewest rules that suffice
    for it.
    """
    hard = [number for number, rule in enumerate(rules) if rule.hard]
    sets = {
        number: frozenset(
            label for label, fits in zip(labels, allowed(rules[number], labels)) if fits
        )
        for number in hard
    }
    rows: dict[tuple[int, ...], list[int]] = {}
    for row in range(len(fires[0]) if fires else 0):
        together = tuple(number for number in hard if fires[number][row])
        if together and not frozenset.intersection(*(sets[number] for number in together)):
            rows.setdefault(together, []).append(row)
    merged: dict[tuple[int, ...], list[int]] = {}
    for together, found in rows.items():
        merged.setdefault(core(together, sets), []).extend(found)
    return [contradiction(rules, core_rules, sorted(found)) for core_rules, found in merged.items()]


def core(together: tuple[int, ...], sets: dict[int, frozenset[str]]) -> tuple[int, ...]:
    """The rules without those that may be left out while no label is left all the same."""
    kept = list(together)
    for number in together:
        without = [sets[other] for other in kept if other != number]
        if without and not frozenset.intersection(*without):
            kept.remove(number)
    return tuple(kept)


def contradiction(rules: Sequence[Rule], numbers: tuple[int, ...], rows: list[int]) -> Finding:
    names = listed([rules[number].title for number in numbers], last=" and ")
    samples = "1 sample" if len(rows) == 1 else f"{len(rows)} samples"
    verb = "contradict each other" if len(numbers) > 1 else "forbids every label"
    return Finding(
        "contradiction",
        numbers,
        tuple(rows),
        f"{names} {verb} on {samples}: no label is left there",
    )


def columns_of(aligned: "Aligned") -> dict[str, list[Any]]:
    """dataset.column -> a value a sample: all that a rule may ask for. A file stands as its digest,
    so that `is missing` can be asked.
    """
    found = {**aligned.groups, **aligned.extras}
    for modality in aligned.modalities.values():
        if len(modality.columns) == 1 and modality.columns[0] not in found:
            found[modality.columns[0]] = [
                None if cell is None else cell.digest for cell in modality.cells
            ]
    return found


def kinds_of(aligned: "Aligned") -> dict[str, str]:
    """dataset.column -> number, tags, time, text, or the kind of the modality that is made of it;
    as far as the values tell.
    """
    media = {m.columns[0]: m.kind for m in aligned.modalities.values() if len(m.columns) == 1}
    return {
        name: media[name] if media.get(name) in ("image", "audio", "series") else kind_of(v)
        for name, v in columns_of(aligned).items()
    }


def kind_of(values: Sequence[Any]) -> str:
    seen = [value for value in values if value is not None][:SEEN]
    if not seen:
        return ""
    if all(map(is_number, seen)):
        return "number"
    if all(isinstance(value, list | tuple) for value in seen):
        return "tags"
    return "time" if all(isinstance(value, str) and is_time(value) for value in seen) else ""
