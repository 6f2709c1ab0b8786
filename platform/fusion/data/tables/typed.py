"""A raw table in the kinds of its columns: keys checked, every cell read, everything odd told."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from fusion.core.column_values import (
    MEDIA_KINDS,
    MISSING_MARKS,
    USUAL,
    VALUE_WORDS,
    WORDS_ARE_VALUES,
    BadCell,
    Writing,
    json_list,
    to_text,
    value_of,
)
from fusion.data.tables.findings import Findings
from fusion.data.tables.kinds import (
    DECIMAL_COMMA,
    DECIMAL_POINT,
    Sniff,
    date_order,
    guess_kind,
    is_written,
    number_writing,
    tag_marks,
)
from fusion.data.tables.reader import MAX_REMARKS, RawTable

NAMED_VALUES = 4
NAMES = ("label", "category", "group")
PLAIN_ENCODINGS = ("", "utf-8", "utf-8-sig")


@dataclass(frozen=True)
class ColumnChoice:
    """A column as it is known before it is read: from a person, from study.yaml or from the last
    version. decimal: "." or "," where it is chosen; join_capitals: values that differ by capitals
    alone are one.
    """

    kind: str = ""
    unit: str = ""
    description: str = ""
    decimal: str = ""
    join_capitals: bool = False


@dataclass
class TypedColumn:
    """values: one a row in the column's kind, None where missing; of media the name of the file."""

    kind: str
    values: list[Any]
    guessed: bool = False
    unit: str = ""
    description: str = ""


@dataclass
class TypedTable:
    """keys[i] and lines[i] belong to row i of every column."""

    file: str
    key: str
    keys: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    columns: dict[str, TypedColumn] = field(default_factory=dict)
    encoding: str = ""

    def media(self) -> dict[str, TypedColumn]:
        return {name: column for name, column in self.columns.items() if column.kind in MEDIA_KINDS}

    def by_key(self, column: str) -> dict[str, Any]:
        return dict(zip(self.keys, self.columns[column].values))

    @cached_property
    def line_of(self) -> dict[str, int]:
        return dict(zip(self.keys, self.lines))


def fill(
    table: TypedTable,
    raw: RawTable,
    choices: Mapping[str, ColumnChoice],
    sniff: Sniff,
    findings: Findings,
    unique: bool = True,
) -> None:
    """Give the table the rows with a usable key, every column in its kind; columns of `raw` are
    used up, so that a large table is held once.

    unique: a sample has one row (not so for annotations); the first counts.
    """
    table.encoding = raw.encoding
    tell_remarks(raw, table.file, findings)
    rows = usable_rows(raw, table, findings, unique)
    for name in [name for name in raw.columns if name != table.key]:
        values = raw.columns.pop(name)
        cells = [values[row] for row in rows]
        choice = choices.get(name, ColumnChoice())
        reader = ColumnReader(table, name, cells, choice, findings)
        table.columns[name] = reader.column(sniff, raw.separator)


def tell_remarks(raw: RawTable, file: str, findings: Findings) -> None:
    if raw.encoding not in PLAIN_ENCODINGS:
        findings.add("encoding", file, text=raw.encoding)
    for remark in raw.remarks:
        findings.add(
            remark.code, file, remark.line or None, column=remark.column or None, **remark.fields
        )
    for code, count in raw.counts.items():
        findings.groups[code, file].count += max(0, count - MAX_REMARKS)


def usable_rows(raw: RawTable, table: TypedTable, findings: Findings, unique: bool) -> list[int]:
    """Fill in keys and lines of the table; return their places in the raw table."""
    first: dict[str, int] = {}
    rows = []
    for row, value in enumerate(raw.columns[table.key]):
        key, line = key_text(value), raw.lines[row]
        if not key:
            findings.add("missing_key", table.file, line)
        elif unique and key in first:
            findings.add("duplicate_key", table.file, line, key, text=str(first[key]))
        else:
            first.setdefault(key, line)
            rows.append(row)
            table.keys.append(key)
            table.lines.append(line)
    return rows


def key_text(value: Any) -> str:
    """Return a sample key as it is compared: composed, trimmed, whole numbers without their .0."""
    return "" if value is None else to_text(value)


class ColumnReader:
    """One column of a table on its way into its kind."""

    def __init__(
        self,
        table: TypedTable,
        name: str,
        cells: list[Any],
        choice: ColumnChoice,
        findings: Findings,
    ) -> None:
        self.table, self.name, self.cells, self.choice = table, name, cells, choice
        self.findings = findings

    def tell(self, code: str, row: int | None = None, **fields: Any) -> None:
        line = None if row is None else self.table.lines[row]
        key = None if row is None else self.table.keys[row]
        self.findings.add(code, self.table.file, line, key, self.name, **fields)

    def column(self, sniff: Sniff, separator: str) -> TypedColumn:
        choice = self.choice
        kind = choice.kind or guess_kind(self.cells, self.name, sniff)
        writing = self.writing(kind, separator)
        self.tell_missing_words(kind)
        column = TypedColumn(kind, [], not choice.kind, choice.unit, choice.description)
        for row, cell in enumerate(self.cells):
            try:
                column.values.append(value_of(cell, kind, writing))
            except BadCell:
                column.values.append(None)
                self.tell("bad_value", row, text=str(cell)[:80], kind=kind)
        if kind in NAMES:
            self.join_capitals(column)
        return column

    def writing(self, kind: str, separator: str) -> Writing:
        """Return how the cells are written, and tell what is not the usual way."""
        if kind == "number":
            return self.number_writing(separator)
        if kind == "tags":
            return self.tag_writing()
        if kind == "time":
            order, ambiguous = date_order(self.cells)
            if order and (ambiguous or not order.startswith("year")):
                self.tell("dates", text=self.example(lambda cell: True), hint=order)
            return Writing(dates=order)
        return Writing()

    def number_writing(self, separator: str) -> Writing:
        writing = number_writing(self.cells, separator)
        if self.choice.decimal:
            writing = DECIMAL_COMMA if self.choice.decimal == "," else DECIMAL_POINT
        unusual = self.example(
            lambda cell: is_written(cell, writing) and not is_written(cell, USUAL)
        )
        if unusual:
            self.tell("decimal_comma" if writing.decimal == "," else "thousands", text=unusual)
        return writing

    def tag_writing(self) -> Writing:
        marks = tag_marks(self.cells)
        split = self.example(lambda cell: any(mark in cell for mark in marks))
        if split and marks != ";|" and not json_list(split):
            self.tell("tags_split", text=split, hint=marks)
        if empty := sum(cell is None for cell in self.cells):
            self.tell("empty_tags", n=empty)
        return Writing(tags=marks)

    def example(self, wanted: Any) -> str:
        texts = (cell for cell in self.cells if isinstance(cell, str))
        return next((text for text in texts if wanted(text)), "")

    def tell_missing_words(self, kind: str) -> None:
        """Tell words that may mean "unknown": read as missing, or kept as a value of a label."""
        if kind == "text" or kind in MEDIA_KINDS:
            return
        words = Counter(cell.strip() for cell in self.cells if isinstance(cell, str))
        for word, count in words.items():
            if word.lower() in VALUE_WORDS and kind in WORDS_ARE_VALUES:
                self.tell("kept_words", n=count, text=word)
            elif word and word.lower() in MISSING_MARKS:
                self.tell("missing_words", n=count, text=word)

    def join_capitals(self, column: TypedColumn) -> None:
        """Tell values that differ by capitals alone; make them the most frequent one
        where chosen.
        """
        spellings: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for value in column.values:
            if value is not None:
                spellings[value.casefold()][value] += 1
        alike = [counts for counts in spellings.values() if len(counts) > 1]
        for counts in alike[:NAMED_VALUES]:
            code = "joined_values" if self.choice.join_capitals else "similar_values"
            self.tell(code, text=", ".join(counts))
        if self.choice.join_capitals:
            usual = {value: counts.most_common(1)[0][0] for counts in alike for value in counts}
            column.values = [usual.get(value, value) for value in column.values]
