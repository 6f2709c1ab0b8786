"""Findings of a check as the database keeps them; the page words their codes in the reader's
language (apps/datasets/uploads/problems.py).
"""

from typing import Any

from fusion.data.tables.findings import CODES, MOST_EXAMPLES, Finding, Findings, Group

OF_SAMPLES = ("duplicate",)
"""Codes told over all tables of a study, so once for each of them."""


def as_json(findings: Findings, table: str = "") -> list[dict[str, Any]]:
    """All groups by code, or those of one table: the report of its version."""
    merged: dict[str, Group] = {}
    for (code, own), group in findings.groups.items():
        if table and own != table:
            continue
        whole = merged.setdefault(code, Group())
        if code in OF_SAMPLES and whole.count:
            continue
        whole.count += group.count
        whole.examples += group.examples[: MOST_EXAMPLES - len(whole.examples)]
    return [
        {
            "code": code,
            "severity": CODES[code].severity,
            "count": group.count,
            "examples": [example(finding) for finding in group.examples],
        }
        for code, group in merged.items()
    ]


def example(finding: Finding) -> dict[str, Any]:
    """One finding: file (the table, or the file that a cell names), row (its line), key, column,
    and the fields of its code.
    """
    fields = dict(finding.fields)
    place = {
        "file": fields.pop("name", finding.file),
        "row": finding.line,
        "key": finding.key,
        "column": finding.column,
    }
    return {name: value for name, value in (place | fields).items() if value not in (None, "")}
