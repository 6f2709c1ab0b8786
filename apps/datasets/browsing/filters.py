"""The state of a page of samples is its query string. Here it becomes a condition in SQL, and a
list of chips that take it apart again.

handwriting.legibility=poor   one of the chosen values; `-` stands for a missing one
from:recordings.seconds=0.2   to:recordings.seconds=1.5 q=text   missing=ref   present=ref
has=image,text   flag=silent   sort=-ref   page=2   size=24   view=table   cols=ref
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from apps.datasets.browsing.duck import Question, identifier
from apps.datasets.browsing.frames import CHOICES, Frame, FrameColumn, FrameModality

MISSING = "-"
SIZES = (12, 24, 48)
NOTHING = "none"
TEXT_KINDS = ("text", "id", "group", "category", "label")
KEPT = ("v", "alignment", "view", "cols", "size", "sort")
"""What "Clear all" leaves in the address."""

Condition = tuple[str, list[Any]]


@dataclass(frozen=True)
class SampleFilters:
    frame: Frame
    query: QueryDict
    values: dict[str, list[str]] = field(default_factory=dict)
    ranges: dict[str, tuple[float | None, float | None]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    present: list[str] = field(default_factory=list)
    has: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    text: str = ""
    sort: str = ""
    page: int = 1
    size: int = SIZES[0]

    @property
    def active(self) -> bool:
        return bool(
            self.values
            or self.ranges
            or self.missing
            or self.present
            or self.has
            or self.flags
            or self.text
        )


def parse(query: QueryDict, frame: Frame) -> SampleFilters:
    """Read the query string; what it does not understand is left out, so that an old address still
    opens the page.
    """
    refs = {column.ref for column in frame.columns}
    return SampleFilters(
        frame=frame,
        query=query,
        values={
            ref: query.getlist(ref) for ref in query if ref in refs and any(query.getlist(ref))
        },
        ranges=_ranges(query, frame),
        missing=[ref for ref in query.getlist("missing") if ref in refs],
        present=[ref for ref in query.getlist("present") if ref in refs],
        has=[code for code in query.getlist("has") if _pattern(code, frame) is not None],
        flags=[flag for flag in query.getlist("flag") if flag in frame.flags],
        text=query.get("q", "").strip()[:200],
        sort=query.get("sort", ""),
        page=max(1, _whole(query.get("page"), 1)),
        size=_whole(query.get("size"), SIZES[0])
        if _whole(query.get("size"), 0) in SIZES
        else SIZES[0],
    )


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 9 else default


def number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _ranges(query: QueryDict, frame: Frame) -> dict[str, tuple[float | None, float | None]]:
    ranges = {}
    for column in frame.of_kind("number"):
        low, high = number(query.get(f"from:{column.ref}")), number(query.get(f"to:{column.ref}"))
        if low is not None or high is not None:
            ranges[column.ref] = (low, high)
    return ranges


def _pattern(code: str, frame: Frame) -> list[FrameModality] | None:
    names = [] if code == NOTHING else code.split(",")
    modalities = [modality for modality in frame.modalities if modality.name in names]
    return modalities if len(modalities) == len(names) else None


def pattern_code(present: list[str]) -> str:
    return ",".join(present) or NOTHING


def where(filters: SampleFilters, without: str = "", patterns: bool = True) -> Condition:
    """`WHERE ...` and its parameters, without the filter on one column (for that column's own
    facet).
    """
    parts = [
        *_value_parts(filters, without),
        *_range_parts(filters, without),
        *_other_parts(filters, patterns),
    ]
    if not parts:
        return "", []
    return " WHERE " + " AND ".join(f"({sql})" for sql, _values in parts), [
        value for _sql, values in parts for value in values
    ]


def _value_parts(filters: SampleFilters, without: str) -> list[Condition]:
    parts = []
    for ref, chosen in filters.values.items():
        column = filters.frame.column(ref)
        if column and ref != without:
            parts.append(_one_of(column, chosen))
    return parts


def _one_of(column: FrameColumn, chosen: list[str]) -> Condition:
    wanted = [value for value in chosen if value != MISSING]
    test = (
        f"list_has_any({column.sql}, ?)"
        if column.kind == "tags"
        else f"{column.sql}::VARCHAR IN (SELECT unnest(?::VARCHAR[]))"
    )
    parts = ([test] if wanted else []) + ([f"{column.sql} IS NULL"] if MISSING in chosen else [])
    return " OR ".join(parts) or "true", [wanted] if wanted else []


def _range_parts(filters: SampleFilters, without: str) -> list[Condition]:
    parts: list[Condition] = []
    for ref, (low, high) in filters.ranges.items():
        column = filters.frame.column(ref)
        if column is None or ref == without:
            continue
        if low is not None:
            parts.append((f"{column.sql} >= ?", [low]))
        if high is not None:
            parts.append((f"{column.sql} <= ?", [high]))
    return parts


def _other_parts(filters: SampleFilters, patterns: bool) -> list[Condition]:
    frame = filters.frame
    parts: list[Condition] = []
    columns = {column.ref: column for column in frame.columns}
    parts += [(f"{columns[ref].sql} IS NULL", []) for ref in filters.missing]
    parts += [(f"{columns[ref].sql} IS NOT NULL", []) for ref in filters.present]
    if filters.flags:
        keys = sorted({key for flag in filters.flags for key in frame.flags[flag]})
        parts.append((f"{frame.key}::VARCHAR IN (SELECT unnest(?::VARCHAR[]))", [keys]))
    if filters.has and patterns:
        parts.append((" OR ".join(_pattern_sql(code, frame) for code in filters.has), []))
    if filters.text:
        parts.append(("file_row_number IN (SELECT place FROM searched)", []))
    return parts


def _pattern_sql(code: str, frame: Frame) -> str:
    chosen = _pattern(code, frame) or []
    return (
        "("
        + " AND ".join(
            modality.present if modality in chosen else f"NOT {modality.present}"
            for modality in frame.modalities
        )
        + ")"
    )


def prepared(filters: SampleFilters) -> list[Question]:
    """Return the questions to ask first on the same connection: all texts are searched once for all
    questions about a page.
    """
    if not filters.text:
        return []
    frame = filters.frame
    columns = frame.of_kind("text") or frame.of_kind(*TEXT_KINDS)
    tests = [
        f"contains(lower({sql}::VARCHAR), lower(?))"
        for sql in (frame.key, *(column.sql for column in columns))
    ]
    sql = (
        "CREATE OR REPLACE TEMP TABLE searched AS SELECT file_row_number AS place FROM t0 WHERE "
        f"{' OR '.join(tests)}"
    )
    return [(sql, [filters.text] * len(tests))]


def order_by(filters: SampleFilters) -> str:
    frame, sort = filters.frame, filters.sort
    direction = "DESC" if sort.startswith("-") else "ASC"
    name = sort.lstrip("-")
    if name == "disagreement" and frame.votes:
        shares = [
            f"coalesce({identifier(f'{slug}.most')} / {identifier(f'{slug}.votes')}, 1.0)"
            for slug in frame.votes
        ]
        return f" ORDER BY {' + '.join(shares)} ASC, {frame.key}"
    column = frame.column(name)
    if column and column.kind not in ("image", "audio", "series", "tags"):
        return f" ORDER BY {column.sql} {direction} NULLS LAST, {frame.key}"
    if name == "key" and sort.startswith("-"):
        return f" ORDER BY {frame.key} DESC"
    return f" ORDER BY {frame.key}"


def address(query: QueryDict, drop: Mapping[str, str | None] | None = None, **put: Any) -> str:
    """The query string without some values ({name: value}, None for all of the name) and with
    others; always page 1 unless put.
    """
    changed = query.copy()
    changed.pop("page", None)
    for name, value in (drop or {}).items():
        left = [] if value is None else [other for other in changed.getlist(name) if other != value]
        changed.setlist(name, left)
        if not left:
            changed.pop(name, None)
    for name, value in put.items():
        changed[name] = str(value)
    return "?" + changed.urlencode()


def tidy(query: QueryDict) -> QueryDict:
    """Return the query without the fields that were left empty in the form."""
    query_without_blanks = QueryDict(mutable=True)
    for name in query:
        if values := [value for value in query.getlist(name) if value]:
            query_without_blanks.setlist(name, values)
    return query_without_blanks


def cleared(query: QueryDict) -> str:
    remaining = QueryDict(mutable=True)
    for name in KEPT:
        if name in query:
            remaining.setlist(name, query.getlist(name))
    return "?" + remaining.urlencode()


@dataclass(frozen=True)
class Chip:
    label: str
    href: str


def chips(filters: SampleFilters, names: Mapping[str, str]) -> list[Chip]:
    """Return a chip for every filter, with the address without it. `names`: ref -> what the column
    is called here.
    """
    query, shown = filters.query, list[Chip]()
    for ref, chosen in filters.values.items():
        words = _(", ").join(value_label(filters.frame.column(ref), value) for value in chosen)
        shown.append(
            Chip(
                _("%(column)s: %(values)s") % {"column": names[ref], "values": words},
                address(query, {ref: None}),
            )
        )
    for ref, (low, high) in filters.ranges.items():
        shown.append(
            Chip(
                _range_label(names[ref], low, high),
                address(query, {f"from:{ref}": None, f"to:{ref}": None}),
            )
        )
    shown += [
        Chip(_("%(column)s is missing") % {"column": names[ref]}, address(query, {"missing": ref}))
        for ref in filters.missing
    ]
    shown += [
        Chip(_("%(column)s is there") % {"column": names[ref]}, address(query, {"present": ref}))
        for ref in filters.present
    ]
    shown += [
        Chip(pattern_label(code.split(","), filters.frame), address(query, {"has": code}))
        for code in filters.has
    ]
    shown += [Chip(flag_label(flag), address(query, {"flag": flag})) for flag in filters.flags]
    if filters.text:
        shown.append(
            Chip(_("Search: %(text)s") % {"text": filters.text}, address(query, {"q": None}))
        )
    return shown


def _range_label(name: str, low: float | None, high: float | None) -> str:
    values = {
        "column": name,
        "low": f"{low:g}" if low is not None else "",
        "high": f"{high:g}" if high is not None else "",
    }
    if low is None:
        return _("%(column)s: at most %(high)s") % values
    if high is None:
        return _("%(column)s: at least %(low)s") % values
    return _("%(column)s: %(low)s to %(high)s") % values


AGREEMENT = {
    "agree": lambda: _("Annotators agree"),
    "disagree": lambda: _("Annotators disagree"),
    "one": lambda: _("One annotator only"),
    MISSING: lambda: _("Not annotated"),
}


def value_label(column: FrameColumn | None, value: str) -> str:
    if column and column.name == "agreement" and value in AGREEMENT:
        return AGREEMENT[value]()
    return _("missing") if value == MISSING else value


FLAGS = {
    "silent": lambda: _("Silent recording"),
    "duplicate": lambda: _("Duplicate"),
    "clipped": lambda: _("Clipped recording"),
    "blank": lambda: _("Blank image"),
    "animated": lambda: _("Several frames"),
    "location": lambda: _("Says where it was taken"),
}


def flag_label(flag: str) -> str:
    return FLAGS[flag]() if flag in FLAGS else flag.replace("_", " ").capitalize()


def pattern_label(present: list[str], frame: Frame) -> str:
    """ "All three", "No speech", "Clue only": one combination of inputs in words."""
    names = [modality.name for modality in frame.modalities]
    present_names = [name for name in names if name in present]
    absent = [name for name in names if name not in present]
    if not present_names:
        return _("None of them")
    if not absent:
        return ALL[len(names)]() if len(names) in ALL else _("All %(n)s") % {"n": len(names)}
    if len(absent) == 1 and len(names) > 2:
        return _("No %(name)s") % {"name": absent[0][:1].lower() + absent[0][1:]}
    if len(present_names) == 1:
        return _("%(name)s only") % {"name": present_names[0][:1].upper() + present_names[0][1:]}
    return _(", ").join(present_names)


ALL = {
    1: lambda: _("Has it"),
    2: lambda: _("Both"),
    3: lambda: _("All three"),
    4: lambda: _("All four"),
}


MAX_VALUES = 200
ORDER = ("label", "category", "tags", "group")


def facet_columns(frame: Frame) -> list[FrameColumn]:
    """Return the columns offered as check boxes: few values, each on several samples; labels first,
    groups last.

    Several data sets often bear the same group (who spoke): the one of the largest is enough.
    """
    candidates = [
        column
        for column in frame.columns
        if column.kind in CHOICES and 0 < column.distinct <= MAX_VALUES
    ]
    best: dict[tuple[str, str], FrameColumn] = {}
    for column in candidates:
        name = (column.kind, column.name)
        if column.kind != "group" or name not in best or column.rows > best[name].rows:
            best[name if column.kind == "group" else (column.kind, column.ref)] = column
    facets = [column for column in candidates if column in best.values()]
    return sorted(
        facets,
        key=lambda column: (ORDER.index(column.kind), column.kind == "group" and column.distinct),
    )
