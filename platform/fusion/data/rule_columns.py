"""The columns of an alignment that a rule may ask for, and their kinds."""

from collections.abc import Sequence
from typing import Any

from fusion.core.column_values import is_time
from fusion.data.alignment import Aligned
from fusion.knowledge.evaluator import is_numeric

CHECKED_VALUES = 200
"""Number of values that decide what a column holds."""


def rule_columns(aligned: Aligned) -> dict[str, list[Any]]:
    """Return dataset.column -> a value a sample, for all columns that a rule may ask for. A file
    stands as its digest, so that `is missing` can be asked.
    """
    columns = {**aligned.groups, **aligned.extras}
    for modality in aligned.modalities.values():
        if len(modality.columns) == 1 and modality.columns[0] not in columns:
            columns[modality.columns[0]] = [
                None if cell is None else cell.digest for cell in modality.cells
            ]
    return columns


def rule_column_kinds(aligned: Aligned) -> dict[str, str]:
    """Return dataset.column -> number, tags, time, text, or the kind of the modality that is made
    of it, as far as the values tell.
    """
    media = {m.columns[0]: m.kind for m in aligned.modalities.values() if len(m.columns) == 1}
    return {
        name: media[name] if media.get(name) in ("image", "audio", "series") else kind_by_values(v)
        for name, v in rule_columns(aligned).items()
    }


def kind_by_values(values: Sequence[Any]) -> str:
    """Return number, tags or time; empty where the first values do not agree on one of them."""
    present = [value for value in values if value is not None][:CHECKED_VALUES]
    if not present:
        return ""
    if all(map(is_numeric, present)):
        return "number"
    if all(isinstance(value, list | tuple) for value in present):
        return "tags"
    return "time" if all(isinstance(value, str) and is_time(value) for value in present) else ""
