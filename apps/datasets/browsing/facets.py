"""Counts beside every filter: all samples, and those that match what else is filtered for."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from apps.datasets.browsing.duck import Question, Row, ask_once
from apps.datasets.browsing.filters import (
    MISSING,
    SampleFilters,
    address,
    facet_columns,
    flag_label,
    pattern_code,
    pattern_label,
    value_label,
    where,
)
from apps.datasets.browsing.frames import Frame, FrameColumn
from apps.datasets.browsing.joins import MAJORITY

BINS = 20
SHOWN = 20
MAX_FACETS = 16


@dataclass
class Facet:
    column: FrameColumn
    title: str
    options: list[dict[str, Any]]
    open: bool = True


@dataclass
class Range:
    column: FrameColumn
    title: str
    low: str
    high: str
    low_from: float
    high_to: float
    bars: list[dict[str, float]] = field(default_factory=list)
    active: bool = False


@dataclass
class PatternRow:
    label: str
    code: str
    present: list[str]
    total: int
    match: int
    chosen: bool
    href: str
    dots: list[tuple[str, str, bool]]
    """Kind, name and whether it is missing, of each input."""
    share: float = 0.0
    bar_all: float = 0.0
    bar_match: float = 0.0

    @property
    def total_text(self) -> str:
        return f"{self.total:,}"


def _grouped(columns: list[FrameColumn], condition: str) -> str:
    """Counts a value of several columns in one pass over the file. `place` says which column a row
    is about.
    """
    parts = [column.sql for column in columns]
    place = f"grouping_id({', '.join(parts)})"
    value = "coalesce(" + ", ".join(f"{part}::VARCHAR" for part in parts) + ")"
    sets = ", ".join(f"({part})" for part in parts)
    return (
        f"SELECT {place} AS place, {value} AS value, count(*) AS n FROM t0{condition} GROUP BY "
        f"GROUPING SETS ({sets})"
    )


def _place(columns: list[FrameColumn], index: int) -> int:
    """grouping_id sets a bit for each column that is *not* grouped by; the first column has the
    highest.
    """
    return (2 ** len(columns) - 1) ^ (1 << (len(columns) - 1 - index))


def _tags(column: FrameColumn, condition: str) -> str:
    return (
        f"SELECT value, count(*) AS n FROM (SELECT unnest({column.sql}) AS value FROM "
        f"t0{condition}) GROUP BY value"
    )


def _counts(columns: list[FrameColumn], rows: list[Row]) -> dict[str, dict[str, int]]:
    by_place = {_place(columns, index): column.ref for index, column in enumerate(columns)}
    counts: dict[str, dict[str, int]] = {column.ref: {} for column in columns}
    for row in rows:
        counts[by_place[row["place"]]][MISSING if row["value"] is None else row["value"]] = row["n"]
    return counts


def count_questions(
    filters: SampleFilters | None, columns: list[FrameColumn]
) -> list[tuple[list[FrameColumn], Question]]:
    """Columns without a filter of their own share one pass; each filtered one needs its own,
    without that filter.
    """
    plain = [column for column in columns if column.kind != "tags"]
    own = [column for column in plain if filters and column.ref in filters.values]
    together = [column for column in plain if column not in own]
    condition, values = where(filters) if filters else ("", [])
    questions = [(together, (_grouped(together, condition), values))] if together else []
    for column in own:
        condition_without, parameters = where(filters, without=column.ref) if filters else ("", [])
        questions.append(([column], (_grouped([column], condition_without), parameters)))
    for column in columns:
        if column.kind == "tags":
            condition_without, parameters = (
                where(filters, without=column.ref) if filters else ("", [])
            )
            questions.append(([column], (_tags(column, condition_without), parameters)))
    return questions


def collect(
    questions: list[tuple[list[FrameColumn], Question]], answers: list[list[Row]]
) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for (columns, _question), rows in zip(questions, answers):
        if columns[0].kind == "tags":
            counts[columns[0].ref] = {row["value"]: row["n"] for row in rows}
        else:
            counts |= _counts(columns, rows)
    return counts


def range_columns(frame: Frame) -> list[FrameColumn]:
    return [column for column in frame.of_kind("number") if column.distinct != 1][:6]


def _bounds(columns: list[FrameColumn]) -> str:
    return (
        "SELECT "
        + ", ".join(
            f"min({column.sql}) AS low{n}, max({column.sql}) AS high{n}"
            for n, column in enumerate(columns)
        )
        + " FROM t0"
    )


def histogram(column: FrameColumn, low: float, high: float, condition: str) -> str:
    """Counts in BINS equal parts from low to high."""
    part = (
        f"least({BINS - 1}, floor(({column.sql} - {low!r}) / {(high - low)!r} * {BINS})::INTEGER)"
    )
    prefix = f"{condition} AND" if condition else " WHERE"
    return (
        f"SELECT {part} AS bin, count(*) AS n FROM t0{prefix} {column.sql} IS NOT NULL GROUP BY bin"
    )


def bounds_of(frame: Frame) -> list[tuple[FrameColumn, float, float]]:
    columns = range_columns(frame)
    if not columns:
        return []
    row = ask_once(frame.files, [(_bounds(columns), [])])[0][0]
    bounds = [(column, row[f"low{n}"], row[f"high{n}"]) for n, column in enumerate(columns)]
    return [
        (column, float(low), float(high))
        for column, low, high in bounds
        if low is not None and high is not None and high > low
    ]


def make_facets(
    filters: SampleFilters,
    names: dict[str, str],
    all_counts: dict[str, dict[str, int]],
    counts: dict[str, dict[str, int]],
) -> list[Facet]:
    facets = []
    for place, column in enumerate(facet_columns(filters.frame)[:MAX_FACETS]):
        totals, checked = all_counts.get(column.ref, {}), filters.values.get(column.ref, [])
        options = [
            {
                "value": value,
                "label": value_label(column, value),
                "total": total,
                "count": counts.get(column.ref, {}).get(value, 0),
                "checked": value in checked,
            }
            for value, total in totals.items()
        ]
        options.sort(
            key=lambda option: (
                not option["checked"],
                option["value"] == MISSING,
                -option["total"],
                str(option["label"]),
            )
        )
        if len(totals) > 1 or checked:
            facets.append(
                Facet(
                    column,
                    names[column.ref],
                    options[:SHOWN],
                    open=bool(checked) or (place < 8 and column.distinct <= 24),
                )
            )
    return facets


def make_ranges(
    filters: SampleFilters,
    names: dict[str, str],
    bounds: list[tuple[FrameColumn, float, float]],
    all_bins: list[list[Row]],
    match: list[list[Row]],
) -> list[Range]:
    ranges = []
    for (column, low, high), all_rows, rows in zip(bounds, all_bins, match):
        total, inside = (
            {row["bin"]: row["n"] for row in all_rows},
            {row["bin"]: row["n"] for row in rows},
        )
        largest = max(total.values(), default=1)
        bars = [
            {"all": 100 * total.get(n, 0) / largest, "v": 100 * inside.get(n, 0) / largest}
            for n in range(BINS)
        ]
        chosen = filters.ranges.get(column.ref, (None, None))
        texts = [f"{bound:g}" if bound is not None else "" for bound in chosen]
        title = f"{names[column.ref]}, {column.unit}" if column.unit else names[column.ref]
        ranges.append(
            Range(column, title, texts[0], texts[1], low, high, bars, column.ref in filters.ranges)
        )
    return ranges


def pattern_question(frame: Frame, condition: str, values: list[Any]) -> Question:
    """Samples a combination of inputs."""
    tests = ", ".join(f"{modality.present} AS m{n}" for n, modality in enumerate(frame.modalities))
    return f"SELECT {tests}, count(*) AS n FROM t0{condition} GROUP BY ALL ORDER BY n DESC", values


def make_patterns(
    filters: SampleFilters, all_rows: list[Row], match: list[Row]
) -> list[PatternRow]:
    frame = filters.frame
    matched = {_present(frame, row): row["n"] for row in match}
    total, largest = (
        sum(row["n"] for row in all_rows) or 1,
        max((row["n"] for row in all_rows), default=1),
    )
    rows = []
    for row in all_rows:
        present, n = _present(frame, row), row["n"]
        code, n_matching = pattern_code(list(present)), matched.get(present, 0)
        chosen = code in filters.has
        href = address(filters.query, {"has": code}) if chosen else address(filters.query, has=code)
        label, shares = (
            pattern_label(list(present), frame),
            (n / total, 100 * n / largest, 100 * n_matching / largest),
        )
        rows.append(
            PatternRow(
                label,
                code,
                list(present),
                n,
                n_matching,
                chosen,
                href,
                dots_of(frame, present),
                *shares,
            )
        )
    return rows


def dots_of(frame: Frame, present: Collection[str]) -> list[tuple[str, str, bool]]:
    return [
        (modality.kind, modality.name, modality.name not in present)
        for modality in frame.modalities
    ]


def _present(frame: Frame, row: Row) -> tuple[str, ...]:
    return tuple(modality.name for n, modality in enumerate(frame.modalities) if row[f"m{n}"])


def flag_facet(filters: SampleFilters) -> list[dict[str, Any]]:
    return [
        {
            "value": flag,
            "label": flag_label(flag),
            "total": len(keys),
            "count": len(keys),
            "checked": flag in filters.flags,
        }
        for flag, keys in filters.frame.flags.items()
    ]


def gap_facet(filters: SampleFilters) -> list[dict[str, Any]]:
    """Columns with gaps that are no input: inputs have the table of combinations."""
    inputs = {column.ref for modality in filters.frame.modalities for column in modality.columns}
    gaps = [
        column
        for column in filters.frame.columns
        if column.missing and column.ref not in inputs and column.kind not in ("votes", *CHECKED)
    ]
    return [
        {
            "value": column.ref,
            "label": column.name,
            "total": column.missing,
            "count": column.missing,
            "checked": column.ref in filters.missing,
        }
        for column in gaps
    ]


CHECKED = ("category", "label", "group")
"""Kinds whose facet has a box for "missing" of its own."""


def names_of(frame: Frame) -> dict[str, str]:
    """Return the name of each column on the page: its own, with the data set's where two bear the
    same.
    """
    times_used: dict[str, int] = {}
    for column in frame.columns:
        times_used[column.name] = times_used.get(column.name, 0) + 1
    alone = {column.ref for column in facet_columns(frame) if column.kind == "group"}
    return {
        column.ref: _name_of(column, times_used[column.name] > 1 and column.ref not in alone)
        for column in frame.columns
    }


def _name_of(column: FrameColumn, twice: bool) -> str:
    words = column.name.replace("_", " ").strip().capitalize()
    if column.name == "agreement":
        return _("Annotation")
    if column.name == MAJORITY:
        return _("Most annotators say")
    return (
        _("%(column)s, %(dataset)s") % {"column": words, "dataset": column.dataset_name}
        if twice
        else words
    )
