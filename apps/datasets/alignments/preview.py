"""A preview of an alignment before it is frozen: matches, gaps, labels, groups, leaks, five joined
rows. DuckDB alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.datasets.browsing.duck import Question, ask_once, identifier, literal
from apps.datasets.browsing.facets import PatternRow, make_patterns, pattern_question
from apps.datasets.browsing.filters import parse
from apps.datasets.browsing.frames import Frame, FrameColumn, frame_of_alignment
from apps.datasets.browsing.joins import MAJORITY, table_file
from apps.datasets.browsing.sample_list import Browse, browse
from apps.datasets.models import Alignment, Version
from apps.projects.models import Project
from fusion.schema.task_names import ONE_LABEL

from .spec import is_annotation, sources_of

LEAK_SHARE = 0.99
LEAK_SUPPORT = 0.5
"""The same bounds as in fusion.data.leaks: a value guesses its samples' label from the other
samples with that value.
"""
LEAK_KINDS = ("number", "category", "tags", "text", "time")
SHOWN = 60
GROUPS_SHOWN = 12
TENTHS = 10


@dataclass
class Preview:
    n_samples: int = 0
    n_labelled: int = 0
    n_complete: int = 0
    labels: list[dict[str, Any]] = field(default_factory=list)
    groups: list[dict[str, Any]] = field(default_factory=list)
    patterns: list[PatternRow] = field(default_factory=list)
    inputs: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    n_duplicates: int = 0
    rows: Browse | None = None

    @property
    def tiles(self) -> list[tuple[str, str]]:
        named = (
            (_("Samples"), self.n_samples),
            (_("With a label"), self.n_labelled),
            (_("With every input"), self.n_complete),
        )
        return [(name, f"{n:,}") for name, n in named]

    @property
    def label_bars(self) -> list[dict[str, Any]]:
        return _bars(self.labels)


def _bars(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    largest = max((row["n"] for row in rows), default=1)
    return [{**row, "share": 100 * row["n"] / largest} for row in rows]


def _inputs(frame: Frame, patterns: Iterable[Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": modality.name,
            "kind": modality.kind,
            "n": sum(row.total for row in patterns if modality.name in row.present),
        }
        for modality in frame.modalities
    ]


def preview(project: Project, spec: Mapping[str, Any], versions: list[Version]) -> Preview:
    """Raises CannotRead. The spec is a checked one."""
    draft = Alignment(project=project, spec=dict(spec))
    frame = frame_of_alignment(draft, versions)
    label = label_sql(spec, frame, versions)
    some = "(" + " OR ".join(modality.present for modality in frame.modalities) + ")"
    every = "(" + " AND ".join(modality.present for modality in frame.modalities) + ")"
    groups = [column for ref in spec["groups"] if (column := frame.column(ref))]
    questions: list[Question] = [
        (
            f"SELECT count(*) AS n, count({label}) AS labelled, count(*) FILTER ({every}) AS "
            f"complete, count(*) FILTER (NOT {some}) AS bare FROM t0",
            [],
        ),
        (label_question(label, spec["label"].get("task", "")), []),
        pattern_question(frame, "", []),
        *(_group_question(column) for column in groups),
    ]
    counts, labels, patterns, *by_group = ask_once(files_of(frame, spec, versions), questions)
    shown = Preview(counts[0]["n"], counts[0]["labelled"], counts[0]["complete"], labels)
    shown.patterns = make_patterns(parse(QueryDict(), frame), patterns, patterns)
    shown.groups = [
        {"ref": column.ref, "n": rows[0]["groups"] if rows else 0, "values": _bars(rows)}
        for column, rows in zip(groups, by_group)
    ]
    shown.inputs = _inputs(frame, shown.patterns)
    shown.n_duplicates = len(
        {key for version in versions for key in (version.statistics.get("duplicates") or {})}
    )
    shown.leaks = leak_words(spec, frame, versions)
    shown.warnings = list(_warnings(spec, frame, shown, counts[0]["bare"], versions))
    shown.rows = browse(frame, QueryDict("size=12"), project)
    shown.rows.cards, shown.rows.lines = shown.rows.cards[:5], shown.rows.lines[:5]
    return shown


def label_question(label: str, task: str) -> str:
    """The SQL that counts each label; of numbers, those in each of TENTHS equal steps."""
    if task == "regression":
        return (
            f"WITH s AS (SELECT min({label}) AS low, greatest((max({label}) - min({label})) / "
            f"{TENTHS}, 1e-12) AS step FROM t0), "
            f"b AS (SELECT least(floor(({label} - low) / step), {TENTHS - 1}) AS place, low, step "
            f"FROM t0, s WHERE {label} IS NOT NULL) "
            "SELECT format('{:.4g} – {:.4g}', low + place * step, low + (place + 1) * step) AS "
            "value, count(*) AS n FROM b "
            "GROUP BY place, low, step ORDER BY place"
        )
    value = f"unnest({label})" if task == "multi-label" else f"{label}::VARCHAR"
    return (
        f"SELECT value, count(*) AS n FROM (SELECT {value} AS value FROM t0 WHERE {label} IS NOT "
        "NULL) "
        f"GROUP BY value ORDER BY n DESC, value LIMIT {SHOWN}"
    )


def files_of(frame: Frame, spec: Mapping[str, Any], versions: list[Version]) -> tuple[str, ...]:
    """The joined file; and, where one annotator's labels are asked for, the annotations as t1."""
    source = sources_of(versions)[spec["label"]["source"]]
    return (
        (*frame.files, table_file(source.version)) if is_annotation(source.version) else frame.files
    )


def label_sql(spec: Mapping[str, Any], frame: Frame, versions: list[Version]) -> str:
    """SQL of the label over t0: a column, the majority, or what one annotator said."""
    source = sources_of(versions)[spec["label"]["source"]]
    if not is_annotation(source.version):
        column = frame.column(source.ref)
        return column.sql if column else "NULL"
    if who := spec["label"].get("annotator"):
        key = identifier(source.version.key_column)
        return (
            f"(SELECT any_value(s.label) FROM t1 s WHERE s.{key} = t0.key AND s.annotator = "
            f"{literal(who)})"
        )
    return identifier(f"{source.version.dataset.slug}.{MAJORITY}")


def _group_question(column: FrameColumn) -> Question:
    """The largest groups, and with each how many there are."""
    return (
        f"SELECT {column.sql}::VARCHAR AS value, count(*) AS n, count(*) OVER () AS groups FROM "
        f"t0 WHERE {column.sql} IS NOT NULL "
        f"GROUP BY value ORDER BY n DESC, value LIMIT {GROUPS_SHOWN}",
        [],
    )


def leaks(spec: Mapping[str, Any], frame: Frame, versions: list[Version]) -> dict[str, float]:
    """Columns whose value alone tells the label -> share of the samples, guessed from the others
    with the same value.
    """
    label = label_sql(spec, frame, versions)
    source = spec["label"]["source"]
    columns = [
        column
        for column in frame.columns
        if column.kind in LEAK_KINDS
        and column.ref != source
        and column.distinct > 1
        and column.dataset not in frame.votes
    ]
    if not columns:
        return {}
    answers = ask_once(
        files_of(frame, spec, versions), [(_leak_sql(column, label), []) for column in columns]
    )
    leaking = {}
    for column, rows in zip(columns, answers):
        row = rows[0]
        if (
            row["values"] > 1
            and row["supported"] >= LEAK_SUPPORT * row["total"]
            and row["supported"]
        ):
            share = row["guessed"] / row["supported"]
            if share >= LEAK_SHARE:
                leaking[column.ref] = share
    return leaking


def _leak_sql(column: FrameColumn, label: str) -> str:
    """A sample is guessed right when its label, without itself, is still the commonest of its
    value.
    """
    return (
        f"WITH s AS (SELECT {column.sql}::VARCHAR AS v, {label} AS y FROM t0 WHERE {column.sql} "
        "IS NOT NULL), k AS (SELECT * FROM s WHERE y IS NOT NULL), "
        "c AS (SELECT v, y, count(*) AS n FROM k GROUP BY ALL), "
        "t AS (SELECT *, sum(n) OVER (PARTITION BY v) AS total, "
        "max(n) OVER (PARTITION BY v ORDER BY n DESC, y ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED "
        "FOLLOWING) AS second, "
        "row_number() OVER (PARTITION BY v ORDER BY n DESC, y) AS place FROM c) "
        "SELECT coalesce(sum(n), 0) AS total, coalesce(sum(n) FILTER (total > 1), 0) AS supported, "
        "coalesce(sum(n) FILTER (total > 1 AND place = 1 AND n - 1 > coalesce(second, 0)), 0) AS "
        "guessed, "
        "count(DISTINCT y) FILTER (total > 1 AND place = 1) AS values FROM t"
    )


def leak_words(spec: Mapping[str, Any], frame: Frame, versions: list[Version]) -> list[str]:
    used = {ref for modality in spec["modalities"].values() for ref in modality["columns"]}
    words = []
    for ref, share in leaks(spec, frame, versions).items():
        values = {"column": ref, "share": f"{100 * share:.0f}"}
        if ref in used:
            words.append(
                _(
                    "%(column)s alone determines the label (%(share)s %% of the samples), and it "
                    "is chosen as an input. Take it out: a model that reads it learns "
                    "nothing else."
                )
                % values
            )
        else:
            words.append(
                _(
                    "%(column)s alone determines the label (%(share)s %% of the samples). It is "
                    "not offered as an input."
                )
                % values
            )
    return words


def _warnings(
    spec: Mapping[str, Any], frame: Frame, shown: Preview, bare: int, versions: list[Version]
) -> list[str]:
    """Yield in words the points that a person should look at before freezing."""
    if shown.n_labelled < shown.n_samples:
        n = shown.n_samples - shown.n_labelled
        yield ngettext(
            "%(n)s sample has no label and takes no part.",
            "%(n)s samples have no label and take no part.",
            n,
        ) % {"n": n}
    if bare:
        yield ngettext(
            "%(n)s sample has none of the inputs.", "%(n)s samples have none of the inputs.", bare
        ) % {"n": bare}
    if shown.n_duplicates:
        text = ngettext(
            "%(n)s sample is a copy of another; the first of each is used.",
            "%(n)s samples are copies of others; the first of each is used.",
            shown.n_duplicates,
        )
        yield text % {"n": shown.n_duplicates}
    yield from (
        _("Label %(label)s has only one sample: it cannot be in training and in test.")
        % {"label": row["value"]}
        for row in shown.labels
        if row["n"] == 1 and spec["label"].get("task", ONE_LABEL[0]) in ONE_LABEL
    )
    yield from _torn_groups(spec, frame)


def _torn_groups(spec: Mapping[str, Any], frame: Frame) -> list[str]:
    """Groups of the data that stand on both sides, since the split keeps another column together
    (or none).
    """
    others = [column for column in frame.of_kind("group") if column.ref not in spec["groups"]]
    grouping = [column for ref in spec["groups"] if (column := frame.column(ref))]
    if not others:
        return []
    side = grouping[0].sql if grouping else frame.key
    sql = (
        "SELECT {one} AS v FROM t0 WHERE {one} IS NOT NULL AND {side} IS NOT NULL GROUP BY v "
        "HAVING count(DISTINCT {side}) > 1"
    )
    questions = [
        (f"SELECT count(*) AS n FROM ({sql.format(one=column.sql, side=side)})", [])
        for column in others
    ]
    words = []
    for column, rows in zip(others, ask_once(frame.files, questions)):
        if n := rows[0]["n"]:
            text = ngettext(
                "%(n)s value of %(column)s can appear in train and in test. If that must not be, "
                "add it to the groups.",
                "%(n)s values of %(column)s can appear in train and in test. If that must not "
                "be, add it to the groups.",
                n,
            )
            words.append(text % {"n": n, "column": column.ref})
    return words
