"""Findings about tables and files: a code, the place, and what stands there. The command line words
them in English here; the pages word the same codes in the reader's language.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

MOST_EXAMPLES = 1_000

Severity = Literal["error", "warning", "info"]


class Wording(NamedTuple):
    """severity: error where something is left out, warning where a person should look, info where
    it is good to know. sentence: English, with the fields of a finding in braces.
    """

    severity: Severity
    sentence: str


CODES: dict[str, Wording] = {
    "ragged": Wording("error", "the row has {text}; it is left out. Is a separator not quoted?"),
    "no_rows": Wording("error", "no row below the heading can be used"),
    "rows_in_quotes": Wording(
        "warning",
        "a quotation mark opens here and closes in line {text}, and the lines between look like"
        " rows. Is a quotation mark missing?",
    ),
    "nul": Wording("error", "holds a NUL character, which no text may have; the row is left out"),
    "missing_key": Wording("error", "the sample key is empty; the row is left out"),
    "duplicate_key": Wording(
        "error",
        "the key stands already in line {text}; a sample has one row in a table, so this row is"
        " left out",
    ),
    "bad_value": Wording("warning", "{text!r} is no {kind}; the cell stays empty"),
    "missing_file": Wording("error", "there is no file {text}{hint}; the cell stays empty"),
    "files_missing": Wording(
        "error", "none of the {text} files that the column names is there{hint}"
    ),
    "broken_file": Wording("error", "{name} {text}; the sample keeps its other modalities"),
    "file_name_differs": Wording("info", "{text} is read as {hint}"),
    "unknown_column": Wording("warning", "{text} has no such column"),
    "unusable_column": Wording("warning", "the column is left out: no kind can hold {text}"),
    "empty_columns": Wording("info", "{text} empty columns without a name are ignored"),
    "encoding": Wording("info", "is not in UTF-8; it is read as {text}"),
    "separator_line": Wording("info", "the line {text} names the separator and is no row"),
    "decimal_comma": Wording(
        "info",
        "numbers such as {text} are read with a decimal comma; write decimal: '.' where the comma"
        " stands between thousands",
    ),
    "thousands": Wording(
        "info",
        "the comma in numbers such as {text} is read as a mark between thousands; write decimal:"
        " ',' where it is a decimal comma",
    ),
    "missing_words": Wording("warning", "{n} cells say {text}, which is read as missing"),
    "kept_words": Wording(
        "warning",
        "{n} cells say {text}, which is kept as a value; leave a cell empty where it is unknown",
    ),
    "similar_values": Wording(
        "warning",
        "{text} differ only by capitals and are kept apart; write join_capitals: true to make them"
        " one",
    ),
    "joined_values": Wording("info", "{text} differ only by capitals and are one value"),
    "tags_split": Wording("info", "tags such as {text} are split at {hint}"),
    "empty_tags": Wording(
        "info", "{n} cells are empty, which is read as no answer, not as none of them"
    ),
    "dates": Wording("info", "dates such as {text} are read as {hint}"),
    "refused_file": Wording("error", "{name} is not opened: {text}"),
    "silent": Wording("warning", "{name} holds no sound"),
    "clipped": Wording("info", "{name} was recorded too loud"),
    "blank": Wording("warning", "{name} is of a single colour"),
    "animated": Wording("info", "{name} has several frames, of which the first is used"),
    "location": Wording("warning", "{name} says where it was taken"),
    "duplicate": Wording("warning", "all its cells equal those of {text}"),
    "unknown_key": Wording("warning", "no data set of the project has this key"),
    "unknown_label": Wording("warning", "the data sets do not use the label {text}"),
    "annotated_twice": Wording(
        "error", "a second label by the same person, {text}; the row is left out"
    ),
    "missing_annotator": Wording("error", "does not say by whom; the row is left out"),
    "missing_label": Wording("info", "has no label; the row is left out"),
    "guessed_label": Wording(
        "warning", "holds two values only, {text}: they are taken as classes, not as numbers"
    ),
}


@dataclass(frozen=True)
class Finding:
    """One finding and where it stands; `fields` fills the sentence of its code."""

    code: str
    file: str
    line: int | None = None
    key: str | None = None
    column: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        line = f", line {self.line}" if self.line else ""
        key = f" ({self.key})" if self.key else ""
        column = f", column {self.column}" if self.column else ""
        return f"{self.file}{line}{key}{column}: {self.message}"

    @property
    def severity(self) -> Severity:
        return CODES[self.code].severity

    @property
    def message(self) -> str:
        return CODES[self.code].sentence.format_map(Blank(self.fields))


class Blank(dict[str, Any]):
    """A field that a finding does not have is left out of its sentence."""

    def __missing__(self, name: str) -> str:
        return ""


@dataclass
class Group:
    """count may be more than the findings that are kept as examples."""

    count: int = 0
    examples: list[Finding] = field(default_factory=list)


@dataclass
class Findings:
    """Findings gathered by code and table."""

    groups: dict[tuple[str, str], Group] = field(default_factory=dict)

    def add(
        self,
        code: str,
        table: str,
        line: int | None = None,
        key: str | None = None,
        column: str | None = None,
        **fields: Any,
    ) -> Finding:
        finding = Finding(code, table, line, key, column, fields)
        group = self.groups.setdefault((code, table), Group())
        group.count += 1
        if len(group.examples) < MOST_EXAMPLES:
            group.examples.append(finding)
        return finding

    def count(self, code: str) -> int:
        return sum(group.count for (own, _table), group in self.groups.items() if own == code)

    def __iter__(self) -> Iterator[Finding]:
        for group in self.groups.values():
            yield from group.examples
