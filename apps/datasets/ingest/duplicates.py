"""Samples of which every cell equals another's: flagged, left in. Equal text alone is
no duplicate.
"""

from collections.abc import Iterable
from typing import Any

from fusion.data.tables.findings import Findings

from .draft import Draft

CONTENT = ("image", "audio", "text", "series")


def hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def signatures(draft: Draft) -> dict[str, tuple[Any, ...]]:
    columns = [column.values for column in draft.columns.values()]
    return {
        key: tuple(hashable(values[place]) for values in columns)
        for place, key in enumerate(draft.keys)
    }


def with_content(drafts: Iterable[Draft]) -> set[str]:
    """Keys of samples that have a picture, a recording, a text or a series: categories alone repeat
    without being duplicates.
    """
    return {
        key
        for draft in drafts
        for column in draft.columns.values()
        if column.kind in CONTENT
        for key, value in zip(draft.keys, column.values)
        if value is not None
    }


def flag_duplicates(drafts: list[Draft], findings: Findings) -> None:
    """Over all data sets of the study at once; `draft.duplicates` says of which sample each is a
    copy.
    """
    data = sorted(
        (draft for draft in drafts if draft.kind == "data"), key=lambda draft: -len(draft.keys)
    )
    by_draft = [signatures(draft) for draft in data]
    first: dict[tuple[Any, ...], str] = {}
    content = with_content(data)
    for key in dict.fromkeys(key for draft in data for key in draft.keys):
        if key not in content:
            continue
        same = first.setdefault(tuple(signature.get(key) for signature in by_draft), key)
        if same != key:
            tell(data, key, same, findings)


def tell(drafts: list[Draft], key: str, same: str, findings: Findings) -> None:
    for draft in drafts:
        if key in draft.line_of:
            draft.duplicates[key] = same
            findings.add("duplicate", draft.file, draft.line_of[key], key, text=same)
