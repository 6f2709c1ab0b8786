"""Findings of a check in words: title with its count, what follows from it, what stands there. The
codes and how serious they are: fusion.data.tables.findings.
"""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from fusion.data.tables.findings import CODES


@dataclass(frozen=True)
class ProblemText:
    """title: with the count; text: what follows from it; words: of one example, with its fields."""

    title: Any
    text: Any
    words: Any = "%(text)s"


PROBLEMS: dict[str, ProblemText] = {
    "broken_file": ProblemText(
        ngettext_lazy("%(n)s broken file", "%(n)s broken files", "n"),
        _("They are kept aside. Their samples go in and keep what else they have."),
    ),
    "missing_file": ProblemText(
        ngettext_lazy("%(n)s file is missing", "%(n)s files are missing", "n"),
        _(
            "The table names them, but they were not uploaded. Their cells stay empty; add a zip "
            "that holds them and check again."
        ),
    ),
    "refused_file": ProblemText(
        ngettext_lazy("%(n)s file refused", "%(n)s files refused", "n"),
        _(
            "Archives inside an archive, programs and files that can run code are never opened. "
            "They are left out."
        ),
    ),
    "ragged": ProblemText(
        ngettext_lazy(
            "%(n)s row has the wrong number of cells",
            "%(n)s rows have the wrong number of cells",
            "n",
        ),
        _("They are left out. Most often a cell holds the separator and is not quoted."),
    ),
    "no_rows": ProblemText(
        ngettext_lazy(
            "%(n)s table has no row that can be used",
            "%(n)s tables have no row that can be used",
            "n",
        ),
        _("Below the heading nothing is left. Look at the other findings for the reason."),
    ),
    "rows_in_quotes": ProblemText(
        ngettext_lazy(
            "%(n)s quoted cell holds what look like rows",
            "%(n)s quoted cells hold what look like rows",
            "n",
        ),
        _(
            "The lines between two quotation marks are one cell. If they are rows, a quotation "
            "mark is missing or too many: correct the file."
        ),
        _("closes in row %(text)s"),
    ),
    "nul": ProblemText(
        ngettext_lazy("%(n)s row holds a NUL character", "%(n)s rows hold a NUL character", "n"),
        _("No text may have one. They are left out."),
    ),
    "missing_key": ProblemText(
        ngettext_lazy("%(n)s row has no sample key", "%(n)s rows have no sample key", "n"),
        _("Nobody could say which sample they belong to. They are left out."),
    ),
    "duplicate_key": ProblemText(
        ngettext_lazy("%(n)s row repeats a sample key", "%(n)s rows repeat a sample key", "n"),
        _("A sample has one row in a data set. The first row counts, later ones are left out."),
        _("stands first in row %(text)s"),
    ),
    "bad_value": ProblemText(
        ngettext_lazy(
            "%(n)s value is not of its column's kind",
            "%(n)s values are not of their column's kind",
            "n",
        ),
        _("These cells stay empty. If they are right, choose another kind for the column."),
    ),
    "unknown_column": ProblemText(
        ngettext_lazy(
            "study.yaml names %(n)s column that is not there",
            "study.yaml names %(n)s columns that are not there",
            "n",
        ),
        _("Correct the name in study.yaml; nothing else changes."),
        _("not a column of %(text)s"),
    ),
    "silent": ProblemText(
        ngettext_lazy("%(n)s silent recording", "%(n)s silent recordings", "n"),
        _("They can be read but hold no sound. They go in and are marked."),
    ),
    "clipped": ProblemText(
        ngettext_lazy("%(n)s recording is clipped", "%(n)s recordings are clipped", "n"),
        _("They were recorded too loud. They go in and are marked."),
    ),
    "blank": ProblemText(
        ngettext_lazy("%(n)s image of a single colour", "%(n)s images of a single colour", "n"),
        _("They can be read but show nothing. They go in and are marked."),
    ),
    "animated": ProblemText(
        ngettext_lazy("%(n)s image has several frames", "%(n)s images have several frames", "n"),
        _("Only the first frame is used."),
    ),
    "location": ProblemText(
        ngettext_lazy(
            "%(n)s image says where it was taken", "%(n)s images say where they were taken", "n"
        ),
        _(
            "The pictures shown here are drawn without it, but the original files keep it. Remove "
            "it first if it must not be shared."
        ),
    ),
    "duplicate": ProblemText(
        ngettext_lazy(
            "%(n)s sample is a copy of another", "%(n)s samples are copies of others", "n"
        ),
        _(
            "All their cells are equal. They go in and are marked; an alignment uses the first of "
            "each only."
        ),
        _("a copy of %(text)s"),
    ),
    "encoding": ProblemText(
        ngettext_lazy("%(n)s table is not in UTF-8", "%(n)s tables are not in UTF-8", "n"),
        _(
            "It was read in the encoding named here. Look at the texts in it; if they are wrong, "
            "save the table as CSV UTF-8."
        ),
        _("read as %(text)s"),
    ),
    "unknown_key": ProblemText(
        ngettext_lazy(
            "%(n)s annotation of an unknown sample", "%(n)s annotations of unknown samples", "n"
        ),
        _(
            "No data set of this project has these keys. They go in, and count once such a sample "
            "is there."
        ),
    ),
    "unknown_label": ProblemText(
        ngettext_lazy(
            "%(n)s label that the data sets do not use",
            "%(n)s labels that the data sets do not use",
            "n",
        ),
        _("Look for a slip of the pen. They go in as they are."),
    ),
    "annotated_twice": ProblemText(
        ngettext_lazy(
            "%(n)s second annotation by the same person",
            "%(n)s second annotations by the same person",
            "n",
        ),
        _("A person has one label a sample. The first counts, later ones are left out."),
    ),
    "missing_annotator": ProblemText(
        ngettext_lazy(
            "%(n)s annotation does not say by whom", "%(n)s annotations do not say by whom", "n"
        ),
        _("They are left out."),
    ),
    "missing_label": ProblemText(
        ngettext_lazy("%(n)s annotation without a label", "%(n)s annotations without a label", "n"),
        _("They are left out."),
    ),
    "files_missing": ProblemText(
        ngettext_lazy(
            "Not one file of %(n)s column is there", "Not one file of %(n)s columns is there", "n"
        ),
        _(
            "Look whether the names in the table are those of the files, and whether the zip is "
            "whole."
        ),
        _("%(text)s files%(hint)s"),
    ),
    "file_name_differs": ProblemText(
        ngettext_lazy(
            "%(n)s file is named a little differently",
            "%(n)s files are named a little differently",
            "n",
        ),
        _("By slashes, capitals, accents, folders or the ending. They were found and go in."),
        _("%(text)s is %(hint)s"),
    ),
    "unusable_column": ProblemText(
        ngettext_lazy("%(n)s column cannot be used", "%(n)s columns cannot be used", "n"),
        _("No kind of column can hold such values. The other columns go in."),
        _("type %(text)s"),
    ),
    "empty_columns": ProblemText(
        ngettext_lazy(
            "%(n)s table has empty columns at its end",
            "%(n)s tables have empty columns at their end",
            "n",
        ),
        _("They have neither a name nor a value and are ignored."),
        _("%(text)s empty columns"),
    ),
    "separator_line": ProblemText(
        ngettext_lazy(
            "%(n)s table begins with a line that names the separator",
            "%(n)s tables begin with a line that names the separator",
            "n",
        ),
        _("Excel writes it. It is no row of the table."),
        "%(text)s",
    ),
    "decimal_comma": ProblemText(
        ngettext_lazy(
            "%(n)s column writes numbers with a decimal comma",
            "%(n)s columns write numbers with a decimal comma",
            "n",
        ),
        _(
            "They are read as numbers. If the comma stands between thousands, say so for the "
            "column."
        ),
        _("such as %(text)s"),
    ),
    "thousands": ProblemText(
        ngettext_lazy(
            "%(n)s column writes numbers with a mark between thousands",
            "%(n)s columns write numbers with a mark between thousands",
            "n",
        ),
        _(
            "They are read as whole numbers. If the comma is a decimal comma, say so for the "
            "column."
        ),
        _("such as %(text)s"),
    ),
    "missing_words": ProblemText(
        ngettext_lazy(
            "A word for “unknown” is read as missing in %(n)s column",
            "Words for “unknown” are read as missing in %(n)s columns",
            "n",
        ),
        _("If the word is a value, choose the kind label or category for the column."),
        _("%(n)s cells say %(text)s"),
    ),
    "kept_words": ProblemText(
        ngettext_lazy(
            "A label is called None, NA or null in %(n)s column",
            "A label is called None, NA or null in %(n)s columns",
            "n",
        ),
        _("It is kept as a label. If it means “unknown”, leave these cells empty in the table."),
        _("%(n)s cells say %(text)s"),
    ),
    "similar_values": ProblemText(
        ngettext_lazy(
            "Values differ only by capitals in %(n)s column",
            "Values differ only by capitals in %(n)s columns",
            "n",
        ),
        _("They are kept apart. If they mean the same, join them: choose so for the column."),
        "%(text)s",
    ),
    "joined_values": ProblemText(
        ngettext_lazy(
            "Values that differ only by capitals are joined in %(n)s column",
            "Values that differ only by capitals are joined in %(n)s columns",
            "n",
        ),
        _("They count as the spelling that most cells have."),
        "%(text)s",
    ),
    "tags_split": ProblemText(
        ngettext_lazy(
            "The tags of %(n)s column are split",
            "The tags of %(n)s columns are split",
            "n",
        ),
        _("Look whether a tag has the separator in it; semicolons between tags leave no doubt."),
        _("%(text)s is split at %(hint)s"),
    ),
    "empty_tags": ProblemText(
        ngettext_lazy(
            "Cells without tags in %(n)s column", "Cells without tags in %(n)s columns", "n"
        ),
        _("An empty cell is read as “no answer”, not as “none of them”."),
        _("%(n)s cells"),
    ),
    "dates": ProblemText(
        ngettext_lazy("%(n)s column has written dates", "%(n)s columns have written dates", "n"),
        _("Look whether day and month are read rightly; 2026-11-24 leaves no doubt."),
        _("%(text)s is read as %(hint)s"),
    ),
    "guessed_label": ProblemText(
        ngettext_lazy(
            "%(n)s label column has two values only",
            "%(n)s label columns have two values only",
            "n",
        ),
        _("They are taken as classes, not as numbers."),
        "%(text)s",
    ),
}
SHOWN = 20
TONES = {"error": "danger", "warning": "warning", "info": "info"}


def tone(code: str) -> str:
    """danger: something is left out; warning: look at it; info: good to know."""
    return TONES[CODES[code].severity]


def groups_for(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The groups of a report with their words, the most serious first."""
    groups = [_group(group) for group in report.get("groups", [])]
    return sorted(groups, key=lambda group: list(TONES.values()).index(group["tone"]))


def _group(group: dict[str, Any]) -> dict[str, Any]:
    problem = PROBLEMS[group["code"]]
    examples = [{**example, "words": words_of(problem, example)} for example in group["examples"]]
    words = {
        "title": problem.title % {"n": group["count"]},
        "text": problem.text,
        "tone": tone(group["code"]),
    }
    return {**group, **words, "first": examples[:SHOWN], "rest": examples[SHOWN:]}


def words_of(problem: ProblemText, example: dict[str, Any]) -> str:
    """Return the words for one example. Reports written before kept a sentence as its text."""
    if "kind" in example:
        kind = {"number": _("a number"), "time": _("a date or time")}.get(
            example["kind"], example["kind"]
        )
        return _("“%(text)s” is not %(kind)s") % {"text": example["text"], "kind": kind}
    fields = {"text": "", "hint": "", "n": ""} | example
    return str(problem.words % fields) if {"text", "n"} & set(example) else ""
