"""The samples nearest to one, also across inputs: the recording for this text. Of the test samples
of its round, read by DuckDB.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.datasets.browsing.duck import CannotRead, Files, Row, ask_one, identifier, pattern
from apps.experiments.artifacts import embedding_map
from apps.experiments.models import Run
from apps.experiments.report import disagreements

WHOLE = ""
"""Asks with all inputs, or for them; no modality has this name."""
ALL, ALONE = "all", "alone:"
FIRST = 10
OFFERED = 12
"""Keys that are offered where what was typed is part of several."""


@dataclass
class Neighbour:
    place: int
    key: str
    href: str
    near_href: str
    truth: str
    similarity: float
    own: bool
    parts: list[disagreements.Part]


@dataclass
class Nearest:
    """given, find: WHOLE or a modality; parts: the sample's own that are asked with; among: how
    many samples were compared.
    """

    key: str = ""
    given: str = WHOLE
    find: str = WHOLE
    options: list[tuple[str, str]] = field(default_factory=list)
    truth: str = ""
    href: str = ""
    fold: str = ""
    parts: list[disagreements.Part] = field(default_factory=list)
    found: list[Neighbour] = field(default_factory=list)
    own: Neighbour | None = None
    among: int = 0
    offered: list[str] = field(default_factory=list)
    problem: str = ""


def nearest(run: Run, params: Mapping[str, str]) -> Nearest | None:
    """None for a run whose representation was not kept."""
    files = embedding_map.files_of(run)
    if not files:
        return None
    names = [one["name"] for one in run.modalities]
    asked = Nearest(options=[(WHOLE, _("all inputs")), *((name, name) for name in names)])
    asked.given = embedding_map.chosen(params.get("given"), [WHOLE, *names], WHOLE)
    asked.find = embedding_map.chosen(params.get("find"), [WHOLE, *names], WHOLE)
    try:
        answer(run, asked, files, params.get("key", "").strip())
    except CannotRead as error:
        asked.problem = str(error)
    return asked


def answer(run: Run, asked: Nearest, files: Files, wanted: str) -> None:
    given, find = column(asked.given), column(asked.find)
    sql = f"SELECT key, truth, fold, {given} AS given FROM t0 WHERE key = ? OR ? = '' ORDER BY key LIMIT 1"  # noqa: S608
    rows = ask_one(files, sql, [wanted, wanted])
    if not rows:
        asked.key, asked.problem = (
            wanted,
            _("No test sample of this run has the key %(key)s.") % {"key": wanted},
        )
        like = "SELECT key FROM t0 WHERE key ILIKE ? ESCAPE '!' ORDER BY key LIMIT ?"
        asked.offered = [row["key"] for row in ask_one(files, like, [pattern(wanted), OFFERED])]
        return
    [sample] = rows
    asked.key, asked.truth, asked.fold = sample["key"], sample["truth"], sample["fold"]
    asked.href = sample_url(run, asked.key)
    near = neighbours(files, find, sample, asked.given == asked.find) if sample["given"] else []
    shown = disagreements.inputs_of(run, [asked.key, *(row["key"] for row in near)])
    asked.parts = parts(run, asked.key, asked.given, shown)
    if not sample["given"]:
        asked.problem = _("%(key)s has no %(input)s; ask with another input.") % {
            "key": asked.key,
            "input": asked.given,
        }
        return
    found = [neighbour(run, row, asked, parts(run, row["key"], asked.find, shown)) for row in near]
    asked.found, asked.among = (
        [one for one in found if one.place <= FIRST],
        near[0]["n"] if near else 0,
    )
    asked.own = next((one for one in found if one.own), None)


def column(view: str) -> str:
    return identifier(f"{ALONE}{view}" if view else ALL)


def neighbours(files: Files, find: str, sample: Row, alike: bool) -> list[Row]:
    """The first ten by cosine, and the sample itself wherever it comes; not itself where the same
    input is asked with and looked for.
    """
    vector = f"FLOAT[{len(sample['given'])}]"  # list_cosine_similarity refuses a column with nulls in other rows
    sql = f"""
        WITH known AS (SELECT key, truth, array_cosine_similarity({find}::{vector}, ?::{vector}) AS angle FROM t0
                       WHERE fold = ? AND {find} IS NOT NULL AND (key <> ? OR NOT ?)),
             near AS (SELECT key, truth, CASE WHEN isfinite(angle) THEN angle ELSE 0 END AS similarity FROM known)
        SELECT *, row_number() OVER (ORDER BY similarity DESC, key) AS place, count(*) OVER () AS n FROM near
        QUALIFY place <= {FIRST} OR key = ? ORDER BY place
    """  # noqa: S608
    return ask_one(
        files, sql, [sample["given"], sample["fold"], sample["key"], alike, sample["key"]]
    )


def neighbour(run: Run, row: Row, asked: Nearest, some: list[disagreements.Part]) -> Neighbour:
    key = row["key"]
    near = embedding_map.nearest_url(run, key, given=asked.given, find=asked.find)
    return Neighbour(
        row["place"],
        key,
        sample_url(run, key),
        near,
        row["truth"],
        row["similarity"],
        key == asked.key,
        some,
    )


def parts(
    run: Run, key: str, view: str, shown: dict[tuple[str, str], disagreements.Part]
) -> list[disagreements.Part]:
    """The inputs that a view holds; of all of them, those whose files can be read."""
    wanted = [one for one in run.modalities if view in (WHOLE, one["name"])]
    found = [
        shown.get((key, one["name"])) or disagreements.Part(one["name"], one["kind"])
        for one in wanted
    ]
    return [part for part in found if part.there or part.name == view]


def sample_url(run: Run, key: str) -> str:
    return reverse("workspace:sample", args=[run.project.slug, key])
