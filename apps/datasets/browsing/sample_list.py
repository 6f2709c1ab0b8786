"""One page of samples: rows, counts, chips, combinations of inputs; the same for a data set, a
project and an alignment.
"""

from dataclasses import dataclass, field
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import QueryDict
from django.utils.translation import gettext as _

from apps.datasets.browsing import facets as counting
from apps.datasets.browsing.cards import SampleCard, TableRow, cards, lines
from apps.datasets.browsing.duck import Question, Row, ask, ask_once
from apps.datasets.browsing.filters import (
    Chip,
    SampleFilters,
    address,
    chips,
    cleared,
    facet_columns,
    order_by,
    parse,
    prepared,
    where,
)
from apps.datasets.browsing.frames import Frame, FrameColumn
from apps.projects.models import Project

HIDDEN = ("votes",)
SORTABLE = ("number", "time", "category", "label", "group", "id", "text")
DEFAULT_COLUMNS = 8
Bounds = tuple[FrameColumn, float, float]
"""A column of numbers with its least and greatest value."""


@dataclass
class Browse:
    frame: Frame
    filters: SampleFilters
    total: int
    count: int
    page: Page
    view: str
    cards: list[SampleCard] = field(default_factory=list)
    lines: list[TableRow] = field(default_factory=list)
    facets: list[counting.Facet] = field(default_factory=list)
    ranges: list[counting.Range] = field(default_factory=list)
    patterns: list[counting.PatternRow] = field(default_factory=list)
    flags: list[dict[str, Any]] = field(default_factory=list)
    gaps: list[dict[str, Any]] = field(default_factory=list)
    chips: list[Chip] = field(default_factory=list)
    clear: str = ""
    columns: list[tuple[FrameColumn, bool]] = field(default_factory=list)
    shown: list[FrameColumn] = field(default_factory=list)
    sorts: list[dict[str, Any]] = field(default_factory=list)
    sort_label: str = ""
    sizes: list[dict[str, Any]] = field(default_factory=list)
    views: list[dict[str, Any]] = field(default_factory=list)
    hidden: list[tuple[str, str]] = field(default_factory=list)
    n_filters: int = 0
    link: str = ""
    """The whole address, for copying."""

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """Name, kind and number of samples of each input, for the chips under the title."""
        return [
            {
                "name": modality.name,
                "kind": modality.kind,
                "count": sum(row.total for row in self.patterns if modality.name in row.present),
            }
            for modality in self.frame.modalities
        ]

    @property
    def count_text(self) -> str:
        return f"{self.count:,}"

    @property
    def total_text(self) -> str:
        return f"{self.total:,}"

    @property
    def unit(self) -> str:
        return _("samples") if self.frame.modalities or self.frame.is_joined else _("rows")


class Counted(Paginator):
    """Rows are fetched by DuckDB; the paginator only knows how many there are."""

    def __init__(self, count: int, size: int) -> None:
        super().__init__([], size)
        self.count = count


@dataclass(frozen=True)
class Totals:
    """Counts over all samples, whatever is filtered for."""

    patterns: list[Row]
    bins: list[list[Row]]
    facets: dict[str, dict[str, int]]
    n: int


def totals_of(frame: Frame, facets: list[FrameColumn], bounds: list[Bounds]) -> Totals:
    questions = counting.count_questions(None, facets)
    facet_rows = ask_once(frame.files, [question for _columns, question in questions])
    bins = [(counting.histogram(column, low, high, ""), []) for column, low, high in bounds]
    patterns = [counting.pattern_question(frame, "", [])] if frame.modalities else []
    return Totals(
        patterns=ask_once(frame.files, patterns)[0] if patterns else [],
        bins=ask_once(frame.files, bins),
        facets=counting.collect(questions, facet_rows),
        n=ask_once(frame.files, [("SELECT count(*) AS n FROM t0", [])])[0][0]["n"],
    )


def browse(frame: Frame, query: QueryDict, project: Project) -> Browse:
    """Return one page of samples. Raises CannotRead when the file cannot be read."""
    filters = parse(query, frame)
    names = counting.names_of(frame)
    picked = {column.ref: f"c{n}" for n, column in enumerate(frame.columns)}
    facets = facet_columns(frame)[: counting.MAX_FACETS]
    bounds = counting.bounds_of(frame)
    totals = totals_of(frame, facets, bounds)
    questions = counting.count_questions(filters, facets)
    rows, count_rows, matched, *counted = answered(
        filters,
        [
            rows_question(filters, picked, filters.page),
            *_first(filters, frame),
            *_histograms(filters, bounds),
            *(question for _columns, question in questions),
        ],
    )
    bins, facet_rows = counted[: len(bounds)], counted[len(bounds) :]
    page = Counted(count_rows[0]["n"], filters.size).get_page(filters.page)
    if page.number != filters.page:
        rows = answered(filters, [rows_question(filters, picked, page.number)])[0]
    result = Browse(frame, filters, totals.n, count_rows[0]["n"], page, _view(frame, query))
    if frame.modalities:
        result.patterns = counting.make_patterns(filters, totals.patterns, matched)
    counts = counting.collect(questions, facet_rows)
    result.facets = counting.make_facets(filters, names, totals.facets, counts)
    result.ranges = counting.make_ranges(filters, names, bounds, totals.bins, bins)
    _fill_rows(result, rows, picked, project)
    _fill_tools(result, names)
    return result


def _first(filters: SampleFilters, frame: Frame) -> list[Question]:
    """Count the matches, and the combinations of inputs among what else is filtered for."""
    condition, values = where(filters)
    count: Question = (f"SELECT count(*) AS n FROM t0{condition}", values)
    if not frame.modalities:
        return [count, ("SELECT 1 WHERE false", [])]
    condition_without, parameters = where(filters, patterns=False)
    return [count, counting.pattern_question(frame, condition_without, parameters)]


def _histograms(
    filters: SampleFilters, bounds: list[tuple[FrameColumn, float, float]]
) -> list[Question]:
    questions = []
    for column, low, high in bounds:
        condition, values = where(filters, without=column.ref)
        questions.append((counting.histogram(column, low, high, condition), values))
    return questions


def answered(filters: SampleFilters, questions: list[Question]) -> list[list[Row]]:
    """The answers, after what the filters need first."""
    before = prepared(filters)
    return ask(filters.frame.files, [*before, *questions])[len(before) :]


def rows_question(filters: SampleFilters, picked: dict[str, str], page: int) -> Question:
    """The places of the page's rows first, then the whole rows of those alone: wide columns are
    read for one page only.
    """
    frame = filters.frame
    condition, values = where(filters)
    columns = ", ".join(
        [
            f"{frame.key} AS key",
            *(f"{column.sql} AS {picked[column.ref]}" for column in frame.columns),
        ]
    )
    places = f"SELECT file_row_number FROM t0{condition}{order_by(filters)} LIMIT ? OFFSET ?"
    numbered = f"SELECT file_row_number AS n, row_number() OVER () AS place FROM ({places})"
    sql = (
        f"SELECT {columns} FROM t0 JOIN ({numbered}) p ON t0.file_row_number = p.n ORDER BY p.place"
    )
    return sql, [*values, filters.size, (page - 1) * filters.size]


def _view(frame: Frame, query: QueryDict) -> str:
    wanted = query.get("view", "")
    if wanted in ("cards", "table"):
        return wanted
    return "cards" if frame.modalities else "table"


def _fill_rows(page: Browse, rows: list[Row], picked: dict[str, str], project: Project) -> None:
    frame, query = page.frame, page.filters.query
    stays = query.copy()
    stays.pop("page", None)
    if page.view == "cards":
        page.cards = cards(frame, rows, picked, project, stays.urlencode())
        return
    wanted = query.getlist("cols")
    offered = [column for column in frame.columns if column.kind not in HIDDEN]
    chosen = [column for column in offered if column.ref in wanted] or offered[:DEFAULT_COLUMNS]
    page.columns = [(column, column in chosen) for column in offered]
    page.shown = chosen
    page.lines = lines(rows, chosen, picked, project, stays.urlencode())


def _fill_tools(page: Browse, names: dict[str, str]) -> None:
    filters, frame = page.filters, page.frame
    query = filters.query
    page.chips = chips(filters, names)
    page.n_filters = len(page.chips)
    page.clear = cleared(query)
    page.flags, page.gaps = counting.flag_facet(filters), counting.gap_facet(filters)
    page.sorts = _sorts(frame, filters.sort, query, names)
    page.sort_label = next((sort["label"] for sort in page.sorts if sort["current"]), _("By key"))
    sizes = [
        {"label": str(size), "href": address(query, size=size), "current": size == filters.size}
        for size in (12, 24, 48)
    ]
    page.sizes = sizes
    views = (("cards", _("Grid"), "layout-grid"), ("table", _("Table"), "table"))
    page.views = [
        {
            "label": label,
            "href": address(query, view=name),
            "icon": icon,
            "current": page.view == name,
        }
        for name, label, icon in views
    ]
    page.hidden = [
        (name, value)
        for name in ("v", "alignment", "view", "size", "sort", "cols")
        for value in query.getlist(name)
    ]


def _sorts(
    frame: Frame, current: str, query: QueryDict, names: dict[str, str]
) -> list[dict[str, Any]]:
    choices = [("", _("By key"))]
    if frame.votes:
        choices.append(("-disagreement", _("Most disagreement first")))
    for column in frame.columns:
        if column.kind == "number":
            choices += [
                (f"-{column.ref}", _("%(column)s, largest first") % {"column": names[column.ref]})
            ]
            choices += [
                (column.ref, _("%(column)s, smallest first") % {"column": names[column.ref]})
            ]
        elif column.kind in ("category", "label", "group", "time"):
            choices.append((column.ref, _("By %(column)s") % {"column": names[column.ref].lower()}))
    return [
        {"label": label, "href": address(query, sort=key), "current": current == key}
        for key, label in choices[:24]
    ]


def neighbours(frame: Frame, query: QueryDict, key: str) -> tuple[str | None, str | None, int, int]:
    """The keys before and after this one under the same filter and order, its place and how many
    there are; place 0: not among them.
    """
    filters = parse(query, frame)
    condition, values = where(filters)
    order = order_by(filters)
    window = (
        f"SELECT {frame.key}::VARCHAR AS key, row_number() OVER w AS place, "
        f"lag({frame.key}::VARCHAR) OVER w AS before, "
    )
    window += (
        f"lead({frame.key}::VARCHAR) OVER w AS after, count(*) OVER () AS n FROM t0{condition} "
        f"WINDOW w AS ({order.strip()})"
    )
    rows = answered(filters, [(f"SELECT * FROM ({window}) WHERE key = ? LIMIT 1", [*values, key])])[
        0
    ]
    if not rows:
        return None, None, 0, 0
    return rows[0]["before"], rows[0]["after"], rows[0]["place"], rows[0]["n"]


def row_of(frame: Frame, key: str) -> Row | None:
    """Every column of one sample, by its full name."""
    return rows_of(frame, [key]).get(key)


def rows_of(frame: Frame, keys: list[str]) -> dict[str, Row]:
    """Key -> every column of that sample, by its full name."""
    columns = "".join(f", {column.sql} AS c{n}" for n, column in enumerate(frame.columns))
    sql = (
        f"SELECT {frame.key}::VARCHAR AS key{columns} FROM t0 WHERE {frame.key}::VARCHAR IN "
        "(SELECT unnest(?::VARCHAR[]))"
    )
    rows = ask(frame.files, [(sql, [keys])])[0]
    return {
        row["key"]: {column.ref: row[f"c{n}"] for n, column in enumerate(frame.columns)}
        for row in rows
    }
