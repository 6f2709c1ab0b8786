"""A table of who said what: sample key, annotator, label. Its version has these three columns first."""

import re
from collections.abc import Mapping
from typing import Any

from fusion.columns import LABEL_NAMES, missing

from .draft import Choice, Draft, fill, key_text
from .files import Files
from .findings import Findings
from .keys import Known, guess_key
from .tables import RawTable

ANNOTATOR_NAMES = re.compile(r"annotator|reader|rater|observer|expert|coder|judge|who$|(^|_)by$|标注")
ROLES = ("key", "annotator", "label")


def guess_roles(columns: Mapping[str, list[Any]], chosen: Mapping[str, Any], known: Known) -> dict[str, str]:
    """Which column is which: what the person chose, else by name, else by what is left."""
    roles = {role: str(chosen[role]) for role in ROLES if chosen.get(role) in columns}
    left = [name for name in columns if name not in roles.values()]
    if "annotator" not in roles:
        roles["annotator"] = next((n for n in left if ANNOTATOR_NAMES.search(n.lower())), fewest(columns, left[1:] or left))
        left = [name for name in left if name != roles["annotator"]]
    if "label" not in roles:
        without_key = [name for name in left if name != roles.get("key")]
        roles["label"] = next((n for n in without_key if LABEL_NAMES.search(n.lower())), (without_key or left or list(columns))[-1])
        left = [name for name in left if name != roles["label"]]
    if "key" not in roles:
        roles["key"] = guess_annotated(columns, left or list(columns), known)
    return roles


def guess_annotated(columns: Mapping[str, list[Any]], left: list[str], known: Known) -> str:
    """Keys repeat here, so a column is judged by what it shares with the samples of the project."""
    keys = known.keys()
    shared = {name: len(keys.intersection(key_text(v) for v in columns[name] if not missing(v))) for name in left}
    best = max(left, key=lambda name: shared[name])
    return best if shared[best] else guess_key({name: columns[name] for name in left}, known)


def fewest(columns: Mapping[str, list[Any]], names: list[str]) -> str:
    return min(names, key=lambda name: len({str(v) for v in columns[name]}))


def annotation_draft(
    name: str,
    file: str,
    raw: RawTable,
    chosen: Mapping[str, Any],
    files: Files,
    findings: Findings,
    keys: set[str],
    known: Known | None = None,
) -> Draft:
    """The draft of a table of annotations; rows without one of the three parts are left out and listed."""
    roles = guess_roles(raw.columns, chosen, known or Known())
    roles["all"] = "\n".join(raw.columns)
    draft = Draft(name, file, roles["key"], kind="annotation", roles=roles)
    kinds = {roles["annotator"]: Choice("category"), roles["label"]: Choice("label")}
    fill(draft, raw, kinds, files, findings, unique=False)
    rename(draft, roles)
    drop(draft, whole_rows(draft, findings))
    check_keys(draft, keys, findings)
    check_labels(draft, str(chosen.get("label_set") or ""), known, findings)
    return draft


def rename(draft: Draft, roles: Mapping[str, str]) -> None:
    """annotator and label first, under these names; a third column of such a name gives way."""
    named = {role: draft.columns.pop(roles[role]) for role in ("annotator", "label")}
    others = {f"{name} (2)" if name in named else name: column for name, column in draft.columns.items()}
    draft.columns = {**named, **others}


def whole_rows(draft: Draft, findings: Findings) -> list[int]:
    seen: dict[tuple[str, str], tuple[int, str]] = {}
    kept = []
    for place, (key, who, what) in enumerate(zip(draft.keys, draft.columns["annotator"].values, draft.columns["label"].values)):
        here = {"table": draft.file, "file": draft.file, "row": draft.lines[place], "key": key}
        if who is None or what is None:
            findings.add("missing_annotator" if who is None else "missing_label", **here)
        elif (key, who) in seen:
            line, before = seen[key, who]
            findings.add("annotated_twice", **here, text=f"{who}: {before} ({line}), {what}")
        else:
            seen[key, who] = (draft.lines[place], what)
            kept.append(place)
    return kept


def drop(draft: Draft, kept: list[int]) -> None:
    draft.keys = [draft.keys[place] for place in kept]
    draft.lines = [draft.lines[place] for place in kept]
    for column in draft.columns.values():
        column.values = [column.values[place] for place in kept]
        column.names = [column.names[place] for place in kept] if column.names else []


def check_keys(draft: Draft, keys: set[str], findings: Findings) -> None:
    if not keys:
        return
    for key, line in zip(draft.keys, draft.lines):
        if key not in keys:
            findings.add("unknown_key", table=draft.file, file=draft.file, row=line, key=key)


def check_labels(draft: Draft, chosen: str, known: Known | None, findings: Findings) -> None:
    """Labels are compared with the label column that was chosen, else with the one that shares most values with them."""
    said = draft.columns["label"].values
    sets = (known.labels if known else {}) if chosen != "none" else {}
    name = chosen if chosen in sets else max(sets, key=lambda one: len(sets[one] & set(said)), default="")
    if not name or (name != chosen and not sets[name] & set(said)):
        return
    draft.roles["label_set"] = name
    for key, label, line in zip(draft.keys, said, draft.lines):
        if label not in sets[name]:
            findings.add("unknown_label", table=draft.file, file=draft.file, row=line, key=key, text=f"{label} ({name})")
