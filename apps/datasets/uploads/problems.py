"""What a check may find, in words: title with its count, what follows from it, how serious it is."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy


@dataclass(frozen=True)
class Problem:
    """tone: danger (something is left out), warning (look at it), info (good to know)."""

    title: Any
    text: Any
    tone: str = "warning"


PROBLEMS: dict[str, Problem] = {
    "broken_file": Problem(
        ngettext_lazy("%(n)s broken file", "%(n)s broken files", "n"),
        _("They are kept aside. Their samples go in and keep what else they have."),
        "danger",
    ),
    "missing_file": Problem(
        ngettext_lazy("%(n)s file is missing", "%(n)s files are missing", "n"),
        _(
            "The table names them, but they were not uploaded. Their cells stay empty; add a zip that holds them and check again."
        ),
        "danger",
    ),
    "refused_file": Problem(
        ngettext_lazy("%(n)s file refused", "%(n)s files refused", "n"),
        _(
            "Archives inside an archive, programs and files that can run code are never opened. They are left out."
        ),
        "danger",
    ),
    "ragged": Problem(
        ngettext_lazy(
            "%(n)s row has the wrong number of cells",
            "%(n)s rows have the wrong number of cells",
            "n",
        ),
        _("They are left out. Most often a cell holds the separator and is not quoted."),
        "danger",
    ),
    "nul": Problem(
        ngettext_lazy("%(n)s row holds a NUL character", "%(n)s rows hold a NUL character", "n"),
        _("No text may have one. They are left out."),
        "danger",
    ),
    "missing_key": Problem(
        ngettext_lazy("%(n)s row has no sample key", "%(n)s rows have no sample key", "n"),
        _("Nobody could say which sample they belong to. They are left out."),
        "danger",
    ),
    "duplicate_key": Problem(
        ngettext_lazy("%(n)s row repeats a sample key", "%(n)s rows repeat a sample key", "n"),
        _("A sample has one row in a data set. The first row counts, later ones are left out."),
        "danger",
    ),
    "bad_value": Problem(
        ngettext_lazy(
            "%(n)s value is not of its column's kind",
            "%(n)s values are not of their column's kind",
            "n",
        ),
        _("These cells stay empty. If they are right, choose another kind for the column."),
    ),
    "unknown_column": Problem(
        ngettext_lazy(
            "study.yaml names %(n)s column that is not there",
            "study.yaml names %(n)s columns that are not there",
            "n",
        ),
        _("Correct the name in study.yaml; nothing else changes."),
    ),
    "silent": Problem(
        ngettext_lazy("%(n)s silent recording", "%(n)s silent recordings", "n"),
        _("They can be read but hold no sound. They go in and are marked."),
    ),
    "clipped": Problem(
        ngettext_lazy("%(n)s recording is clipped", "%(n)s recordings are clipped", "n"),
        _("They were recorded too loud. They go in and are marked."),
        "info",
    ),
    "blank": Problem(
        ngettext_lazy("%(n)s image of a single colour", "%(n)s images of a single colour", "n"),
        _("They can be read but show nothing. They go in and are marked."),
    ),
    "animated": Problem(
        ngettext_lazy("%(n)s image has several frames", "%(n)s images have several frames", "n"),
        _("Only the first frame is used."),
        "info",
    ),
    "location": Problem(
        ngettext_lazy(
            "%(n)s image says where it was taken", "%(n)s images say where they were taken", "n"
        ),
        _(
            "The pictures shown here are drawn without it, but the original files keep it. Remove it first if it must not be shared."
        ),
    ),
    "duplicate": Problem(
        ngettext_lazy(
            "%(n)s sample is a copy of another", "%(n)s samples are copies of others", "n"
        ),
        _(
            "All their cells are equal. They go in and are marked; an alignment uses the first of each only."
        ),
    ),
    "encoding": Problem(
        ngettext_lazy("%(n)s table is not in UTF-8", "%(n)s tables are not in UTF-8", "n"),
        _(
            "It was read in the encoding named here. Look at the texts in it; if they are wrong, save the table as CSV UTF-8."
        ),
        "info",
    ),
    "unknown_key": Problem(
        ngettext_lazy(
            "%(n)s annotation of an unknown sample", "%(n)s annotations of unknown samples", "n"
        ),
        _(
            "No data set of this project has these keys. They go in, and count once such a sample is there."
        ),
    ),
    "unknown_label": Problem(
        ngettext_lazy(
            "%(n)s label that the data sets do not use",
            "%(n)s labels that the data sets do not use",
            "n",
        ),
        _("Look for a slip of the pen. They go in as they are."),
    ),
    "annotated_twice": Problem(
        ngettext_lazy(
            "%(n)s second annotation by the same person",
            "%(n)s second annotations by the same person",
            "n",
        ),
        _("A person has one label a sample. The first counts, later ones are left out."),
        "danger",
    ),
    "missing_annotator": Problem(
        ngettext_lazy(
            "%(n)s annotation does not say by whom", "%(n)s annotations do not say by whom", "n"
        ),
        _("They are left out."),
        "danger",
    ),
    "missing_label": Problem(
        ngettext_lazy("%(n)s annotation without a label", "%(n)s annotations without a label", "n"),
        _("They are left out."),
        "info",
    ),
}
SHOWN = 20
SEVERITIES = {"danger": "error", "warning": "warning", "info": "info"}


def severity(code: str) -> str:
    """error: something is left out; warning: look at it; info: good to know."""
    return SEVERITIES[PROBLEMS[code].tone]


WORDS = {
    "duplicate": _("a copy of %(text)s"),
    "duplicate_key": _("stands first in row %(text)s"),
    "encoding": _("read as %(text)s"),
    "unknown_column": _("not a column of %(text)s"),
}


def groups_for(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The groups of a report with their words, the most serious first."""
    groups = [_group(group) for group in report.get("groups", [])]
    return sorted(groups, key=lambda group: list(SEVERITIES).index(group["tone"]))


def _group(group: dict[str, Any]) -> dict[str, Any]:
    problem = PROBLEMS[group["code"]]
    pattern = WORDS.get(group["code"], "%(text)s")
    examples = [
        {**one, "words": pattern % one if "text" in one else ""} for one in group["examples"]
    ]
    words = {
        "title": problem.title % {"n": group["count"]},
        "text": problem.text,
        "tone": problem.tone,
    }
    return {**group, **words, "first": examples[:SHOWN], "rest": examples[SHOWN:]}
