"""The choice that an alignment is made of, checked against the columns that the versions have.

    {"modalities": {"image": {"kind": "image", "columns": ["handwriting.file"]}},
     "label": {"source": "samples.label_name"},
     "groups": ["samples.speaker"], "cluster": "samples.writer",
     "split": {"policy": "leave-one-group-out"}, "extras": ["samples.label"]}

`label` may also be {"source": "readings.label", "annotator": "AO"}, with "task" and "order".
`task`: the learning task where it is not classification; `order`: of its labels, lowest first,
where it is ordinal. A label from an annotation data set without `annotator` is what most annotators
say. `extras`: columns kept for subgroups and rules. `knowledge` and `protocols`: rules, concepts
and criteria that came with a study folder, as it wrote them; the run reads them.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.text import slugify
from django.utils.translation import gettext as _

from apps.datasets.models import DataSet, Version
from apps.ui import learning_tasks
from fusion.data.study_spec import KIND_OF_COLUMN, MODALITY_NAME, Split, extra_columns
from fusion.schema.task_names import ALLOWED, usual_task

LABEL_KINDS = tuple(ALLOWED)
POLICIES = ("leave-one-group-out", "by-group", "grouped-k-fold", "fixed")


@dataclass(frozen=True)
class Source:
    """A column by its full name, and the version that it comes from."""

    ref: str
    column: str
    kind: str
    version: Version
    distinct: int = 0


def sources_of(versions: Iterable[Version]) -> dict[str, Source]:
    """dataset.column -> Source, for every column but the keys."""
    return {
        f"{version.dataset.slug}.{spec['name']}": Source(
            f"{version.dataset.slug}.{spec['name']}",
            spec["name"],
            spec["kind"],
            version,
            spec.get("distinct") or 0,
        )
        for version in versions
        for spec in version.columns
        if spec["name"] != version.key_column
    }


def checked_spec(
    spec: Mapping[str, Any], versions: Iterable[Version], whole: bool = False
) -> dict[str, Any]:
    """The spec in its full form; whole: its rules may ask for columns of all these versions. Raises
    ValidationError with every problem under the field that it concerns.
    """
    chosen = list(versions)
    sources = sources_of(chosen)
    problems: dict[str, list[str]] = {}
    full = {
        "modalities": _modalities(spec.get("modalities") or {}, sources, problems),
        "label": _label(spec.get("label") or {}, sources, problems),
        "groups": _known("groups", spec.get("groups") or [], sources, problems),
        "split": _split(spec.get("split") or {}, sources, problems),
    }
    full["cluster"] = _cluster(spec.get("cluster") or "", full["groups"], sources, problems)
    _agree(full, problems)
    if problems:
        raise ValidationError(problems)
    full["extras"] = _extras(full, sources, whole)
    return full | brought(spec)


def brought(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The parts that came with a study folder and that no form shows."""
    return {name: spec[name] for name in ("knowledge", "protocols") if spec.get(name)}


def _add(problems: dict[str, list[str]], field: str, text: str) -> None:
    problems.setdefault(field, []).append(text)


def _unknown(ref: str) -> str:
    return _("There is no column %(column)s in this project.") % {"column": ref}


def _modalities(
    inputs: Mapping[str, Any], sources: dict[str, Source], problems: dict[str, list[str]]
) -> dict[str, Any]:
    modalities = {}
    for name, chosen in inputs.items():
        columns = (
            [chosen]
            if isinstance(chosen, str)
            else list(chosen)
            if isinstance(chosen, list | tuple)
            else list(chosen.get("columns") or [])
        )
        if unknown := [ref for ref in columns if ref not in sources]:
            _add(problems, "modalities", _unknown(unknown[0]))
            continue
        kind = _modality_kind(name, columns, sources, problems)
        if not re.match(MODALITY_NAME, name):
            _add(
                problems,
                "modalities",
                _("%(name)s is no name for an input: small letters, digits and _ only.")
                % {"name": name},
            )
        elif kind:
            modalities[name] = {"kind": kind, "columns": columns}
    if not inputs:
        _add(problems, "modalities", _("Choose at least one input."))
    return modalities


def _modality_kind(
    name: str, columns: list[str], sources: dict[str, Source], problems: dict[str, list[str]]
) -> str:
    kinds = {KIND_OF_COLUMN.get(sources[ref].kind, "") for ref in columns}
    if len(kinds) == 1 and "" not in kinds and (kinds == {"table"} or len(columns) == 1):
        return kinds.pop()
    if not columns:
        _add(problems, "modalities", _("Input %(name)s has no column.") % {"name": name})
    elif "" in kinds:
        _add(
            problems,
            "modalities",
            _("Input %(name)s: labels, groups, tags, ids and times cannot be inputs.")
            % {"name": name},
        )
    else:
        _add(
            problems,
            "modalities",
            _("Input %(name)s: only numbers and categories can be joined to one input.")
            % {"name": name},
        )
    return ""


def _label(
    choice: Mapping[str, Any] | str, sources: dict[str, Source], problems: dict[str, list[str]]
) -> dict[str, Any]:
    label = {"source": choice} if isinstance(choice, str) else dict(choice)
    ref, annotator = str(label.get("source") or ""), str(label.get("annotator") or "")
    if not ref:
        _add(
            problems,
            "label",
            _("Choose what is to be recognised: a label column or the annotators' labels."),
        )
    elif ref not in sources:
        _add(problems, "label", _unknown(ref))
    elif sources[ref].kind not in LABEL_KINDS:
        _add(
            problems,
            "label",
            _("%(column)s is no label: choose a label, category, group, number or tags column.")
            % {"column": ref},
        )
    if annotator == "majority":
        annotator = ""
    checked = {"source": ref, "annotator": annotator} if annotator else {"source": ref}
    return checked | _task(label, sources[ref], problems) if ref in sources else checked


def _task(
    label: Mapping[str, Any], source: Source, problems: dict[str, list[str]]
) -> dict[str, Any]:
    """The learning task, by default what is usual for the label's column; nothing is said of
    classification.
    """
    allowed = ALLOWED.get(source.kind, ALLOWED["label"])
    task = label.get("task") or usual_task(source.kind, source.distinct)
    if task not in allowed:
        words = {
            "column": source.ref,
            "kind": source.kind,
            "tasks": _(", ").join(learning_tasks.title(name) for name in allowed),
        }
        _add(
            problems,
            "task",
            _("%(column)s is of the kind %(kind)s, which can be asked for: %(tasks)s.") % words,
        )
    if task != "ordinal":
        return {} if task == "classification" else {"task": task}
    order = label.get("order") or []
    names = (
        [part.strip() for part in order.split(",")]
        if isinstance(order, str)
        else [str(name) for name in order]
    )
    return {"task": task, "order": [name for name in names if name]}


def _known(
    field: str, refs: Iterable[str], sources: dict[str, Source], problems: dict[str, list[str]]
) -> list[str]:
    columns = list(dict.fromkeys(refs))
    for ref in columns:
        if ref not in sources:
            _add(problems, field, _unknown(ref))
    return columns


def _split(
    choice: Mapping[str, Any], sources: dict[str, Source], problems: dict[str, list[str]]
) -> dict[str, Any]:
    try:
        split = Split.model_validate(dict(choice))
    except ValueError:
        _add(
            problems,
            "split",
            _(
                "The split is not complete: choose a policy, a share between 0 and 1, or the "
                "column that says train or test."
            ),
        )
        return {"policy": POLICIES[0]}
    if split.column and split.column not in sources:
        _add(problems, "split", _unknown(split.column))
    return split.short()


def _cluster(
    ref: str, groups: list[str], sources: dict[str, Source], problems: dict[str, list[str]]
) -> str:
    """The column given, else the group column with most values."""
    if ref:
        _known("cluster", [ref], sources, problems)
        return ref
    candidates = [
        source
        for source in sources.values()
        if source.kind == "group" and (not groups or source.ref in groups)
    ]
    return max(candidates, key=lambda source: source.distinct).ref if candidates else ""


def _agree(full: dict[str, Any], problems: dict[str, list[str]]) -> None:
    """Add the problems that only several parts together show."""
    label = full["label"]["source"]
    for name, modality in full["modalities"].items():
        if label in modality["columns"]:
            _add(
                problems,
                "modalities",
                _("Input %(name)s is made from the label itself.") % {"name": name},
            )
    if full["split"]["policy"] == "leave-one-group-out" and not full["groups"]:
        _add(
            problems,
            "groups",
            _(
                "To leave one group out at a time, choose the group column: who spoke, who "
                "wrote, which site."
            ),
        )


def _extras(full: dict[str, Any], sources: dict[str, Source], whole: bool) -> list[str]:
    """Every column that a subgroup, slice or rule may ask for, of the data sets in use
    or of all.
    """
    used = {sources[ref].version.pk for ref in refs_of(full) if ref in sources}
    kinds = {
        ref: source.kind
        for ref, source in sources.items()
        if (whole or source.version.pk in used) and not is_annotation(source.version)
    }
    return extra_columns(kinds, full["label"]["source"], full["groups"], full["cluster"])


def is_annotation(version: Version) -> bool:
    return version.dataset.kind == DataSet.Kind.ANNOTATION


def refs_of(spec: Mapping[str, Any]) -> list[str]:
    """Every column that the spec names, once: label, groups, cluster, inputs, the fixed split."""
    parts = [ref for modality in spec["modalities"].values() for ref in modality["columns"]]
    fixed = [spec["split"]["column"]] if spec["split"].get("column") else []
    cluster = [spec["cluster"]] if spec.get("cluster") else []
    return list(dict.fromkeys([spec["label"]["source"], *spec["groups"], *cluster, *parts, *fixed]))


def versions_used(spec: Mapping[str, Any], versions: Iterable[Version]) -> list[Version]:
    """The versions of which the spec names a column."""
    chosen = list(versions)
    sources = sources_of(chosen)
    used = {sources[ref].version.pk for ref in [*refs_of(spec), *spec.get("extras", [])]}
    return [version for version in chosen if version.pk in used]


def modality_name(ref: str, kind: str, taken: Iterable[str]) -> str:
    """A short name for a column's input: its kind, or its data set's name where the
    kind is taken.
    """
    names = [
        {"audio": "speech"}.get(kind, kind),
        slugify(ref.split(".")[0]).replace("-", "_"),
        slugify(ref.replace(".", "-")).replace("-", "_"),
    ]
    free = [name[:40] for name in names if name not in taken and re.match(MODALITY_NAME, name[:40])]
    return free[0] if free else f"input_{len(list(taken)) + 1}"
