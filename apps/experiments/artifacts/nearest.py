"""The samples nearest to one, also across inputs: the recording for this text. They are test
samples of its fold, read by DuckDB.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.datasets.browsing.duck import CannotRead, Files, Row, ask_one, identifier, pattern
from apps.experiments.artifacts import embedding_map
from apps.experiments.artifacts.sample_inputs import SampleInput, inputs_of
from apps.experiments.models import Run

WHOLE = ""
"""Asks with all inputs, or for them; no modality has this name."""
ALL, ALONE = "all", "alone:"
FIRST = 10
OFFERED = 12
"""Keys that are offered where what was typed is part of several."""

InputsByPlace = dict[tuple[str, str], SampleInput]


@dataclass(frozen=True)
class Neighbour:
    """`own`: it is the sample itself, found by another of its inputs."""

    place: int
    key: str
    href: str
    near_href: str
    truth: str
    similarity: float
    own: bool
    inputs: list[SampleInput]


@dataclass
class Nearest:
    """The samples nearest to `key`. `query`, `find`: WHOLE or a modality; `inputs`: those that it
    asks with; `among`: how many samples were compared.
    """

    key: str = ""
    query: str = WHOLE
    find: str = WHOLE
    options: list[tuple[str, str]] = field(default_factory=list)
    truth: str = ""
    href: str = ""
    fold: str = ""
    inputs: list[SampleInput] = field(default_factory=list)
    neighbours: list[Neighbour] = field(default_factory=list)
    own: Neighbour | None = None
    among: int = 0
    offered: list[str] = field(default_factory=list)
    problem: str = ""


def nearest(run: Run, params: Mapping[str, str]) -> Nearest | None:
    """The page; None for a run of a version that did not keep its representation."""
    files = embedding_map.files_of(run)
    if not files:
        return None
    names = list(run.kinds)
    page = Nearest(options=[(WHOLE, _("all inputs")), *((name, name) for name in names)])
    page.query = embedding_map.chosen(params.get("given"), [WHOLE, *names], WHOLE)
    page.find = embedding_map.chosen(params.get("find"), [WHOLE, *names], WHOLE)
    try:
        search(run, page, files, params.get("key", "").strip())
    except CannotRead as error:
        page.problem = str(error)
    return page


def search(run: Run, page: Nearest, files: Files, wanted: str) -> None:
    """Fill the page for the wanted key, the first sample where it is empty."""
    sample = sample_of(files, wanted, column(page.query))
    if sample is None:
        page.key = wanted
        page.problem = _("No test sample of this run has the key %(key)s.") % {"key": wanted}
        page.offered = similar_keys(files, wanted)
        return
    page.key, page.truth, page.fold = sample["key"], sample["truth"], sample["fold"]
    page.href = sample_url(run, page.key)
    rows: list[Row] = []
    if sample["given"]:
        rows = neighbours(files, column(page.find), sample, page.query == page.find)
    inputs = inputs_of(run, [page.key, *(row["key"] for row in rows)])
    page.inputs = inputs_in_view(run, page.key, page.query, inputs)
    if not sample["given"]:
        words = {"key": page.key, "input": page.query}
        page.problem = _("%(key)s has no %(input)s; ask with another input.") % words
        return
    near = [neighbour(run, row, page, inputs) for row in rows]
    page.neighbours = [sample for sample in near if sample.place <= FIRST]
    page.own = next((sample for sample in near if sample.own), None)
    page.among = rows[0]["n"] if rows else 0


def sample_of(files: Files, wanted: str, query: str) -> Row | None:
    """The sample with the vector of the column `query` as `given`."""
    rows = ask_one(
        files,
        f"SELECT key, truth, fold, {query} AS given FROM t0 "  # noqa: S608
        "WHERE key = ? OR ? = '' ORDER BY key LIMIT 1",
        [wanted, wanted],
    )
    return rows[0] if rows else None


def similar_keys(files: Files, wanted: str) -> list[str]:
    sql = "SELECT key FROM t0 WHERE key ILIKE ? ESCAPE '!' ORDER BY key LIMIT ?"
    return [row["key"] for row in ask_one(files, sql, [pattern(wanted), OFFERED])]


def column(view: str) -> str:
    return identifier(f"{ALONE}{view}" if view else ALL)


def neighbours(files: Files, find: str, sample: Row, alike: bool) -> list[Row]:
    """The first ten by cosine, and the sample itself wherever it comes; not itself where the same
    input is asked with and looked for.
    """
    # list_cosine_similarity refuses a column with nulls in other rows.
    vector = f"FLOAT[{len(sample['given'])}]"
    sql = f"""
        WITH known AS (
            SELECT key, truth, array_cosine_similarity({find}::{vector}, ?::{vector}) AS angle
            FROM t0 WHERE fold = ? AND {find} IS NOT NULL AND (key <> ? OR NOT ?)
        ),
        near AS (
            SELECT key, truth, CASE WHEN isfinite(angle) THEN angle ELSE 0 END AS similarity
            FROM known
        )
        SELECT
            *,
            row_number() OVER (ORDER BY similarity DESC, key) AS place,
            count(*) OVER () AS n
        FROM near QUALIFY place <= {FIRST} OR key = ? ORDER BY place
    """  # noqa: S608
    return ask_one(
        files, sql, [sample["given"], sample["fold"], sample["key"], alike, sample["key"]]
    )


def neighbour(run: Run, row: Row, page: Nearest, inputs: InputsByPlace) -> Neighbour:
    key = row["key"]
    return Neighbour(
        place=row["place"],
        key=key,
        href=sample_url(run, key),
        near_href=embedding_map.nearest_url(run, key, given=page.query, find=page.find),
        truth=row["truth"],
        similarity=row["similarity"],
        own=key == page.key,
        inputs=inputs_in_view(run, key, page.find, inputs),
    )


def inputs_in_view(run: Run, key: str, view: str, inputs: InputsByPlace) -> list[SampleInput]:
    """The inputs that a view holds; of all of them, those whose files can be read."""
    in_view = [
        inputs.get((key, name)) or SampleInput(name, kind)
        for name, kind in run.kinds.items()
        if view in (WHOLE, name)
    ]
    return [sample_input for sample_input in in_view if sample_input.present or view]


def sample_url(run: Run, key: str) -> str:
    return reverse("workspace:sample", args=[run.project.slug, key])
