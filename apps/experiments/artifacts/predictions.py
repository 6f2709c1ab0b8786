"""What a run said about each test sample, read from its bundle by DuckDB. Nothing of it is copied
into the database.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.paginator import Page, Paginator
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from apps.datasets.browsing.duck import CannotRead, ask, ask_one, pattern
from apps.experiments.models import Run
from fusion.schema.task_names import TaskName

FILE = "predictions.parquet"
ALONE = "single:"
"""Columns `single:<modality>`: what that modality says by itself, null where the sample does not
have it.
"""
FIRST_SEED = "seed = (SELECT first(seed) FROM t0)"
"""The table shows one seed, the first: the one that the confusion counts."""
PAGE = 48
CONFIDENT = 0.8
ORDERS = {
    "confidence": "confidence",
    "key": "key",
    "truth": "truth",
    "answer": "answer",
    "error": "abs(answer - truth)",
}
REACH = 1.645
"""Spreads to either side that hold 90 %."""
OUTSIDE = f"abs(answer - truth) > {REACH} * spread"


class Cannot(Exception):
    """Why the answers of runs cannot be compared, in the reader's words."""


@dataclass(frozen=True)
class Filters:
    """State of the table as its address holds it."""

    truth: str = ""
    answer: str = ""
    show: str = ""
    q: str = ""
    sort: str = "-confidence"
    task: TaskName = "classification"

    @classmethod
    def of(cls, params: Mapping[str, str], task: TaskName = "classification") -> "Filters":
        """Of a number there is no label to filter by, and an error in place of a confidence."""
        numbers = task == "regression"
        shows = ("wrong", "right") if numbers else ("wrong", "confident", "right")
        orders = set(ORDERS) - {"confidence" if numbers else "error"}
        show = params.get("show", "") if params.get("show") in shows else ""
        sort = (
            params.get("sort", "")
            if params.get("sort", "").lstrip("-") in orders
            else "-error"
            if numbers
            else "-confidence"
        )
        truth, answer = ("", "") if numbers else (params.get("truth", ""), params.get("answer", ""))
        return cls(truth, answer, show, params.get("q", "").strip(), sort, task)

    @property
    def active(self) -> bool:
        return bool(self.truth or self.answer or self.show or self.q)

    def where(self) -> tuple[str, list[Any]]:
        parts, values = [FIRST_SEED], list[Any]()
        for column, value in (("truth", self.truth), ("answer", self.answer)):
            if value:
                parts.append(
                    f"list_contains({column}, ?)" if self.task == "multi-label" else f"{column} = ?"
                )
                values.append(value)
        if self.show:
            wrong = OUTSIDE if self.task == "regression" else "truth <> answer"
            parts.append(f"NOT ({wrong})" if self.show == "right" else wrong)
        if self.show == "confident":
            parts.append("confidence >= ?")
            values.append(CONFIDENT)
        if self.q:
            parts.append("key ILIKE ? ESCAPE '!'")
            values.append(pattern(self.q))
        return " AND ".join(parts), values

    def order(self) -> str:
        direction = "DESC" if self.sort.startswith("-") else "ASC"
        return f"{ORDERS[self.sort.lstrip('-')]} {direction}, key"


def path_of(run: Run) -> Path | None:
    if not run.bundle_path:
        return None
    path = settings.HOME / run.bundle_path / FILE
    return path if path.exists() else None


class Rows(Sequence[dict[str, Any]]):
    """Rows of the file that match, fetched a page at a time, so that Django's paginator can be
    used.
    """

    def __init__(self, run: Run, path: Path, filters: Filters) -> None:
        self.files, self.filters = (str(path),), filters
        self.modalities = [one["name"] for one in run.modalities]

    @cached_property
    def counts(self) -> tuple[int, int]:
        where, values = self.filters.where()
        count = "SELECT count(*) AS n FROM t0 WHERE "
        [matching], [every] = ask(self.files, [(count + where, values), (count + FIRST_SEED, [])])
        return matching["n"], every["n"]

    def __len__(self) -> int:
        return self.counts[0]

    def __getitem__(self, at: Any) -> Any:
        where, values = self.filters.where()
        limit = [at.stop - at.start, at.start]
        sql = f"SELECT * FROM t0 WHERE {where} ORDER BY {self.filters.order()} LIMIT ? OFFSET ?"  # noqa: S608
        return [shown(row, self.modalities) for row in ask_one(self.files, sql, [*values, *limit])]


def shown(row: dict[str, Any], modalities: Sequence[str]) -> dict[str, Any]:
    """right: of a number whether the truth lies in the 90 % interval of the answer; of a modality
    alone nobody asks.
    """
    spread = row.get("spread")
    right = (
        row["truth"] == row["answer"]
        if spread is None
        else abs(row["truth"] - row["answer"]) <= REACH * spread
    )
    alone = {name: row.get(f"{ALONE}{name}") for name in modalities}
    return {
        "key": row["key"],
        "truth": in_words(row["truth"]),
        "answer": in_words(row["answer"], spread),
        "confidence": row.get("confidence"),
        "spread": "" if spread is None else f"± {spread:.2g}",
        "fold": row.get("fold", ""),
        "right": right,
        "answers": [
            {
                "modality": name,
                "answer": None if one is None else in_words(one, spread),
                "right": spread is not None or one == row["truth"],
            }
            for name, one in alone.items()
        ],
    }


def in_words(value: Any, spread: float | None = None) -> str:
    """A label, labels, or a number to two digits of its spread."""
    if isinstance(value, list):
        return "; ".join(value) or "–"
    if not isinstance(value, float):
        return str(value)
    return (
        f"{value:.10g}"
        if not spread
        else f"{value:.{max(0, min(12, 1 - math.floor(math.log10(spread))))}f}"
    )


@dataclass
class Table:
    """One page of predictions, or the reason why they cannot be shown."""

    filters: Filters
    page: Page | None = None
    total: int = 0
    error: str = ""
    modalities: list[dict[str, str]] = field(default_factory=list)

    @property
    def counted(self) -> str:
        words = {
            "n": f"{self.page.paginator.count if self.page else 0:,}",
            "total": f"{self.total:,}",
        }
        return _("%(n)s of %(total)s test samples") % words


def table(run: Run, params: Mapping[str, str]) -> Table:
    filters = Filters.of(params, (run.result or {}).get("task", "classification"))
    found = Table(filters, modalities=run.modalities)
    path = path_of(run)
    if path is None:
        return found
    rows = Rows(run, path, filters)
    try:
        found.page = Paginator(rows, PAGE).get_page(params.get("page"))
        found.page.object_list = list(found.page.object_list)
        found.total = rows.counts[1]
    except CannotRead as error:
        found.page, found.error = None, str(error)
    return found


def of_sample(run: Run, key: str) -> dict[str, Any] | None:
    """What this run said about one sample; None where it did not test it, or its file cannot be
    read.
    """
    path = path_of(run)
    if path is None:
        return None
    try:
        rows = ask_one((str(path),), f"SELECT * FROM t0 WHERE key = ? AND {FIRST_SEED}", [key])  # noqa: S608
    except CannotRead:
        return None
    return shown(rows[0], [one["name"] for one in run.modalities]) if rows else None
