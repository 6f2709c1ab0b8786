"""What a check found, gathered by problem. Codes only: the page says them in the reader's language
(apps/datasets/uploads/problems.py).
"""

from dataclasses import dataclass, field
from typing import Any

from apps.datasets.uploads.problems import severity

MAX_EXAMPLES = 1_000
OF_SAMPLES = ("duplicate",)
"""Found over all tables of a study, so told once for each of them."""


@dataclass
class Group:
    """count may be more than the examples that are kept; an example says file, row (its line), key,
    column and a text.
    """

    count: int = 0
    examples: list[dict[str, Any]] = field(default_factory=list)

    def add(self, example: dict[str, Any], count: int = 1) -> None:
        self.count += count
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(example)


@dataclass
class Findings:
    groups: dict[tuple[str, str], Group] = field(default_factory=dict)
    """By code and table."""

    def add(self, code: str, table: str, **place: Any) -> None:
        example = {name: value for name, value in place.items() if value not in (None, "")}
        self.groups.setdefault((code, table), Group()).add(example)

    def count(self, code: str) -> int:
        return sum(group.count for (own, _table), group in self.groups.items() if own == code)

    def as_json(self, table: str = "") -> list[dict[str, Any]]:
        """All groups by code, or those of one table: the report of its version."""
        merged: dict[str, Group] = {}
        for (code, own), group in self.groups.items():
            if table and own != table:
                continue
            whole = merged.setdefault(code, Group())
            if code in OF_SAMPLES and whole.count:
                continue
            whole.count += group.count
            whole.examples += group.examples[: MAX_EXAMPLES - len(whole.examples)]
        return [
            {"code": c, "severity": severity(c), "count": g.count, "examples": g.examples}
            for c, g in merged.items()
        ]
