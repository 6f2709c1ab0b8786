"""A table of who said what: sample key, annotator, label. Its version has these three columns
first.
"""

import re
from collections.abc import Mapping
from typing import Any

from fusion.core.column_values import is_number, missing
from fusion.data.tables.findings import Findings
from fusion.data.tables.kinds import ID_NAMES, LABEL_NAMES
from fusion.data.tables.media_files import MediaFiles
from fusion.data.tables.reader import RawTable
from fusion.data.tables.typed import ColumnChoice, key_text

from .draft import Draft, fill_draft
from .keys import Known, guess_key

ANNOTATOR_NAMES = re.compile(
    r"annotator|reader|rater|observer|expert|coder|judge|who$|(^|_)by$|标注"
)
ROLES = ("key", "annotator", "label")


def guess_roles(
    columns: Mapping[str, list[Any]], chosen: Mapping[str, Any], known: Known
) -> dict[str, str]:
    """Role -> its column: as the person chose, else by name and by what the project knows, else one
    that is left.
    """
    roles = {role: str(chosen[role]) for role in ROLES if chosen.get(role) in columns}
    for role, guess in (
        ("key", guess_annotated),
        ("annotator", guess_annotator),
        ("label", guess_label),
    ):
        if role not in roles:
            left = {name: values for name, values in columns.items() if name not in roles.values()}
            roles[role] = guess(left or dict(columns), known)
    return roles


def guess_annotated(columns: Mapping[str, list[Any]], known: Known) -> str:
    """Keys repeat here, so a column is judged by what it shares with the samples of the project,
    then by its name.
    """
    keys = known.keys()
    best, shared = most_shared(columns, keys)
    if shared:
        return best
    named = [name for name in columns if name in known.key_names or ID_NAMES.search(name.lower())]
    rest = {
        name: values for name, values in columns.items() if not ANNOTATOR_NAMES.search(name.lower())
    }
    return named[0] if named else guess_key(rest or columns, known)


def guess_annotator(columns: Mapping[str, list[Any]], known: Known) -> str:
    named = [name for name in columns if ANNOTATOR_NAMES.search(name.lower())]
    return (
        named[0]
        if named
        else fewest(
            {n: v for n, v in columns.items() if not LABEL_NAMES.search(n.lower())} or columns
        )
    )


def guess_label(columns: Mapping[str, list[Any]], known: Known) -> str:
    named = [name for name in columns if LABEL_NAMES.search(name.lower())]
    if named:
        return named[0]
    best, shared = most_shared(
        columns, set().union(*known.labels.values()) if known.labels else set()
    )
    words = {
        name: values
        for name, values in columns.items()
        if not all(is_number(v) for v in values if not missing(v))
    }
    return best if shared else fewest(words or columns)


def most_shared(columns: Mapping[str, list[Any]], wanted: set[str]) -> tuple[str, int]:
    counts = {
        name: len(wanted.intersection(key_text(v) for v in values if not missing(v)))
        for name, values in columns.items()
    }
    best = max(counts, key=lambda name: counts[name])
    return best, counts[best]


def fewest(columns: Mapping[str, list[Any]]) -> str:
    return min(columns, key=lambda name: len({str(v) for v in columns[name]}))


def annotation_draft(
    name: str,
    file: str,
    raw: RawTable,
    chosen: Mapping[str, Any],
    files: MediaFiles,
    findings: Findings,
    keys: set[str],
    known: Known | None = None,
) -> Draft:
    """The draft of a table of annotations; rows without one of the three parts are left out and
    listed.
    """
    roles = guess_roles(raw.columns, chosen, known or Known())
    roles["all"] = "\n".join(raw.columns)
    draft = Draft(file, roles["key"], name=name, kind="annotation", roles=roles)
    kinds = {roles["annotator"]: ColumnChoice("category"), roles["label"]: ColumnChoice("label")}
    fill_draft(draft, raw, kinds, files, findings, unique=False)
    rename(draft, roles)
    drop(draft, whole_rows(draft, findings))
    check_keys(draft, keys, findings)
    check_labels(draft, str(chosen.get("label_set") or ""), known, findings)
    return draft


def rename(draft: Draft, roles: Mapping[str, str]) -> None:
    """annotator and label first, under these names; a third column of such a name gives way."""
    named = {role: draft.columns.pop(roles[role]) for role in ("annotator", "label")}
    others = {
        f"{name} (2)" if name in named else name: column for name, column in draft.columns.items()
    }
    draft.columns = {**named, **others}


def whole_rows(draft: Draft, findings: Findings) -> list[int]:
    seen: dict[tuple[str, str], tuple[int, str]] = {}
    rows = []
    for place, (key, who, what) in enumerate(
        zip(draft.keys, draft.columns["annotator"].values, draft.columns["label"].values)
    ):
        here = (draft.file, draft.lines[place], key)
        if who is None or what is None:
            findings.add("missing_annotator" if who is None else "missing_label", *here)
        elif (key, who) in seen:
            line, before = seen[key, who]
            findings.add("annotated_twice", *here, text=f"{who}: {before} ({line}), {what}")
        else:
            seen[key, who] = (draft.lines[place], what)
            rows.append(place)
    return rows


def drop(draft: Draft, rows: list[int]) -> None:
    draft.keys = [draft.keys[place] for place in rows]
    draft.lines = [draft.lines[place] for place in rows]
    for column in draft.columns.values():
        column.values = [column.values[place] for place in rows]
    draft.names = {name: [names[place] for place in rows] for name, names in draft.names.items()}


def check_keys(draft: Draft, keys: set[str], findings: Findings) -> None:
    if not keys:
        return
    for key, line in zip(draft.keys, draft.lines):
        if key not in keys:
            findings.add("unknown_key", draft.file, line, key)


def check_labels(draft: Draft, chosen: str, known: Known | None, findings: Findings) -> None:
    """Labels are compared with the label column that was chosen, else with the one that shares most
    values with them.
    """
    labels = draft.columns["label"].values
    sets = (known.labels if known else {}) if chosen != "none" else {}
    name = (
        chosen
        if chosen in sets
        else max(sets, key=lambda column: len(sets[column] & set(labels)), default="")
    )
    if not name or (name != chosen and not sets[name] & set(labels)):
        return
    draft.roles["label_set"] = name
    for key, label, line in zip(draft.keys, labels, draft.lines):
        if label not in sets[name]:
            findings.add("unknown_label", draft.file, line, key, text=f"{label} ({name})")
