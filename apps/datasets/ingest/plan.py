"""Drafts of an upload or a folder: which tables there are, which column is the key, what study.yaml
says.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.utils.text import slugify
from django.utils.translation import gettext as _

from apps.jobs.work import Failure
from fusion.data.child import read_in_child
from fusion.data.modalities import BrokenFile
from fusion.data.study import Problem, Study, StudyError
from fusion.data.study_spec import Annotations, Dataset, StudySpec
from fusion.data.tables.findings import Findings
from fusion.data.tables.media_files import MediaFiles
from fusion.data.tables.reader import RawTable
from fusion.data.tables.typed import ColumnChoice

from .annotations import annotation_draft
from .draft import Draft, fill_draft, read_files
from .keys import Known, guess_key

TABLE_ENDS = (".csv", ".tsv", ".parquet", ".txt")


@dataclass
class Plan:
    drafts: list[Draft]
    findings: Findings
    spec: StudySpec | None = None
    n_files: int = 0
    candidates: dict[str, list[str]] = field(default_factory=dict)


def plan_for_folder(folder: Path, files: MediaFiles, tick: Callable[[], None]) -> Plan:
    """A study: study.yaml says all; columns that it does not name are kept and their
    kind guessed.
    """
    try:
        study = Study.load(folder, files, read_in_child)
    except StudyError as error:
        raise Failure(_("study.yaml cannot be used. %(problems)s") % {"problems": error}) from error
    plan = Plan([], study.findings, study.spec)
    for code, dataset in study.datasets():
        plan.drafts.append(study_draft(study, code, dataset))
        tick()
    known = {key for draft in plan.drafts for key in draft.keys}
    for annotations in study.spec.annotations:
        plan.drafts.append(study_annotations(study, annotations, files, plan.findings, known))
        tick()
    return plan


def study_draft(study: Study, discipline: str, dataset: Dataset) -> Draft:
    draft = Draft(
        dataset.table,
        study.spec.key,
        name=dataset.name,
        title=dataset.title or dataset.name.replace("-", " ").capitalize(),
        discipline=discipline,
        licence=dataset.licence or "",
        description=dataset.description or "",
    )
    problems: list[Problem] = []
    study.read_dataset(draft, dataset, problems)
    if problems:
        raise Failure(
            _("The table %(name)s %(reason)s.")
            % {"name": dataset.table, "reason": problems[0].message}
        )
    read_files(draft, study.files, study.findings)
    return draft


def study_annotations(
    study: Study, spec: Annotations, files: MediaFiles, findings: Findings, known: set[str]
) -> Draft:
    raw = table_or_failure(study.path(spec.table), spec.table)
    for column in (study.spec.key, spec.annotator, spec.label):
        need_column(raw, column, spec.table)
    name = slugify(Path(spec.table).stem)[:50] or "annotations"
    roles = {"key": study.spec.key, "annotator": spec.annotator, "label": spec.label}
    draft = annotation_draft(name, spec.table, raw, roles, files, findings, known)
    draft.discipline, draft.title = spec.discipline, name.replace("-", " ").capitalize()
    return draft


def table_or_failure(path: Path, name: str) -> RawTable:
    try:
        return read_in_child(path)
    except BrokenFile as broken:
        raise Failure(
            _("The table %(name)s %(reason)s.") % {"name": name, "reason": broken.reason}
        ) from broken


def need_column(raw: RawTable, column: str, table: str) -> None:
    if column not in raw.columns:
        words = {"table": table, "column": column, "columns": ", ".join(list(raw.columns)[:30])}
        raise Failure(
            _("The table %(table)s has no column %(column)s. It has: %(columns)s.") % words
        )


def plan_for_table(
    files: dict[str, Path], options: dict[str, Any], known: Known, annotation: bool
) -> Plan:
    """One table and the media that its cells name."""
    table = the_table(files, options.get("table", ""))
    raw = table_or_failure(files[table], table)
    if not len(raw):
        raise Failure(
            _(
                "The table %(name)s has no rows under its heading. Upload one with at least one "
                "sample."
            )
            % {"name": table}
        )
    findings = Findings()
    media = MediaFiles({name: path for name, path in files.items() if name != table})
    name = options.get("slug") or slugify(options.get("name") or Path(table).stem)[:50] or "data"
    columns = list(raw.columns)
    if annotation:
        draft = annotation_draft(name, table, raw, options, media, findings, known.keys(), known)
        columns = list(draft.roles.get("all", "").split("\n"))
    else:
        draft = data_draft(name, table, raw, options, media, findings, known)
    draft.licence, draft.description = options.get("licence", ""), options.get("description", "")
    return Plan([draft], findings, n_files=len(files) - 1, candidates={table: columns})


def data_draft(
    name: str,
    table: str,
    raw: RawTable,
    options: dict[str, Any],
    media: MediaFiles,
    findings: Findings,
    known: Known,
) -> Draft:
    """One row a sample. Raises Failure where no row has a key."""
    draft = Draft(table, options.get("key") or guess_key(raw.columns, known), name=name)
    need_column(raw, draft.key, table)
    fill_draft(draft, raw, choices_of(options), media, findings)
    if not draft.keys:
        raise Failure(
            _(
                "No row of %(table)s has a value in the key column %(key)s. Choose another key "
                "column."
            )
            % {"table": table, "key": draft.key}
        )
    return draft


def choices_of(options: dict[str, Any]) -> dict[str, ColumnChoice]:
    """The person's choices for each column: kinds, decimal marks, and where capitals are joined."""
    kinds, decimals = options.get("kinds", {}), options.get("decimals", {})
    joined = options.get("join_capitals", [])
    return {
        name: ColumnChoice(
            kinds.get(name, ""), decimal=decimals.get(name, ""), join_capitals=name in joined
        )
        for name in {*kinds, *decimals, *joined}
    }


def the_table(files: dict[str, Path], chosen: str) -> str:
    """The only table among the files; raises Failure in words where there is none, or more than
    one.
    """
    if chosen in files:
        return chosen
    tables = [
        name
        for name in files
        if name.lower().endswith(TABLE_ENDS) and not Path(name).name.startswith(".")
    ]
    outer = [name for name in tables if "/" not in name]
    for candidates in (outer, tables):
        if len(candidates) == 1:
            return candidates[0]
    if not tables:
        raise Failure(
            _(
                "There is no table among the files. Upload one CSV or Parquet file that names "
                "the samples, one a row."
            )
        )
    names = ", ".join(sorted(tables)[:5])
    raise Failure(
        _(
            "There are %(n)d tables: %(names)s. Upload one table with its media, or all of them "
            "as a study folder with a study.yaml."
        )
        % {"n": len(tables), "names": names}
    )
