"""The report that the person is shown after the check, and the part that each version keeps."""

from typing import Any

from fusion.data.tables.findings import Findings

from .draft import Draft
from .findings import as_json
from .keys import Known, matches
from .plan import Plan

PREVIEW = 3
PREVIEW_LENGTH = 80


def check_report(plan: Plan, known: Known) -> dict[str, Any]:
    """Upload.report: tables with their columns, groups of problems, matches with the project's data
    sets.
    """
    return {
        "title": plan.spec.title or plan.spec.name if plan.spec else "",
        "tables": [table_report(draft, plan) for draft in plan.drafts],
        "groups": as_json(plan.findings),
        "files": plan.n_files,
        "matches": matches([key for draft in plan.drafts[:1] for key in draft.keys], known)
        if not plan.spec
        else [],
        "disciplines": [{"code": d.code, "name": d.name} for d in plan.spec.disciplines]
        if plan.spec
        else [],
        "alignment": bool(plan.spec and plan.spec.alignment),
        "label_sets": sorted(known.labels),
    }


def table_report(draft: Draft, plan: Plan) -> dict[str, Any]:
    return {
        "name": draft.name,
        "title": draft.title,
        "file": draft.file,
        "kind": draft.kind,
        "discipline": draft.discipline,
        "licence": draft.licence,
        "rows": len(draft.keys),
        "samples": len(set(draft.keys)),
        "key": draft.key,
        "roles": {role: name for role, name in draft.roles.items() if role != "all"},
        "all_columns": plan.candidates.get(draft.file, [draft.key, *draft.columns]),
        "columns": [column_report(draft, name) for name in draft.columns],
    }


def column_report(draft: Draft, name: str) -> dict[str, Any]:
    column = draft.columns[name]
    shown = draft.names.get(name, column.values)
    preview = [
        preview_of(value)
        for value in dict.fromkeys(preview_of(v) for v in shown[:200] if v is not None)
    ][:PREVIEW]
    missing = sum(value is None for value in column.values)
    return {
        "name": name,
        "kind": column.kind,
        "guessed": column.guessed,
        "missing": missing,
        "broken": draft.broken[name],
        "preview": preview,
    }


def preview_of(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = ", ".join(map(str, value[:8])) if isinstance(value, list) else str(value)
    return text if len(text) <= PREVIEW_LENGTH else f"{text[: PREVIEW_LENGTH - 1]}…"


def version_report(draft: Draft, findings: Findings) -> dict[str, Any]:
    return {"groups": as_json(findings, draft.file), "encoding": draft.encoding, "file": draft.file}


def statistics(draft: Draft) -> dict[str, Any]:
    """duplicates: sample -> the one of which it is a copy; roles: for annotations, which columns of
    the file they were.
    """
    facts: dict[str, Any] = {
        "rows": len(draft.keys),
        "n_samples": len(set(draft.keys)),
        "duplicates": draft.duplicates,
    }
    if draft.kind == "annotation":
        facts["roles"] = {role: name for role, name in draft.roles.items() if role != "all"}
    return facts
