"""Predictions of a run for each test sample, read from its bundle by DuckDB. Nothing of it is
copied into the database.
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
"""Columns `single:<modality>`: the prediction of that modality alone, null for a sample
that does not have it.
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
    """Predictions of runs cannot be compared; the reason is in the reader's words."""


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
        """The filters of an address; a number has no label to filter by, and an error in place of a
        confidence.
        """
        numbers = task == "regression"
        shows = ("wrong", "right") if numbers else ("wrong", "confident", "right")
        first, absent = ("error", "confidence") if numbers else ("confidence", "error")
        show, sort = params.get("show", ""), params.get("sort", "")
        show = show if show in shows else ""
        if sort.lstrip("-") not in set(ORDERS) - {absent}:
            sort = f"-{first}"
        truth, answer = ("", "") if numbers else (params.get("truth", ""), params.get("answer", ""))
        return cls(truth, answer, show, params.get("q", "").strip(), sort, task)

    @property
    def active(self) -> bool:
        return bool(self.truth or self.answer or self.show or self.q)

    def where(self) -> tuple[str, list[Any]]:
        parts, values = [FIRST_SEED], list[Any]()
        for column, value in (("truth", self.truth), ("answer", self.answer)):
            if value:
                many = self.task == "multi-label"
                parts.append(f"list_contains({column}, ?)" if many else f"{column} = ?")
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


class PredictionRows(Sequence[dict[str, Any]]):
    """Rows of the file that match, fetched a page at a time, so that Django's paginator can be
    used.
    """

    def __init__(self, run: Run, path: Path, filters: Filters) -> None:
        self.files, self.filters = (str(path),), filters
        self.modalities = list(run.kinds)

    @cached_property
    def counts(self) -> tuple[int, int]:
        where, values = self.filters.where()
        count = "SELECT count(*) AS n FROM t0 WHERE "
        [matching], [every] = ask(self.files, [(count + where, values), (count + FIRST_SEED, [])])
        return matching["n"], every["n"]

    def __len__(self) -> int:
        return self.counts[0]

    def __getitem__(self, rows: Any) -> Any:
        where, values = self.filters.where()
        limit = [rows.stop - rows.start, rows.start]
        order = self.filters.order()
        sql = f"SELECT * FROM t0 WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?"  # noqa: S608
        return [shown(row, self.modalities) for row in ask_one(self.files, sql, [*values, *limit])]


def shown(row: dict[str, Any], modalities: Sequence[str]) -> dict[str, Any]:
    """The row as the table shows it. `right`: a number's truth lies in the 90 % interval of its
    prediction; the numbers of a modality alone are not judged.
    """
    spread = row.get("spread")
    if spread is None:
        right = row["truth"] == row["answer"]
    else:
        right = abs(row["truth"] - row["answer"]) <= REACH * spread
    singles = {name: row.get(f"{ALONE}{name}") for name in modalities}
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
                "answer": None if prediction is None else in_words(prediction, spread),
                "right": spread is not None or prediction == row["truth"],
            }
            for name, prediction in singles.items()
        ],
    }


def in_words(value: Any, spread: float | None = None) -> str:
    """A label, labels, or a number to two digits of its spread."""
    if isinstance(value, list):
        return "; ".join(value) or "–"
    if not isinstance(value, float):
        return str(value)
    if not spread:
        return f"{value:.10g}"
    digits = max(0, min(12, 1 - math.floor(math.log10(spread))))
    return f"{value:.{digits}f}"


@dataclass
class PredictionTable:
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


def table(run: Run, params: Mapping[str, str]) -> PredictionTable:
    filters = Filters.of(params, (run.result or {}).get("task", "classification"))
    table = PredictionTable(filters, modalities=run.modalities)
    path = path_of(run)
    if path is None:
        return table
    rows = PredictionRows(run, path, filters)
    try:
        table.page = Paginator(rows, PAGE).get_page(params.get("page"))
        table.page.object_list = list(table.page.object_list)
        table.total = rows.counts[1]
    except CannotRead as error:
        table.page, table.error = None, str(error)
    return table


def of_sample(run: Run, key: str) -> dict[str, Any] | None:
    """The prediction for one sample; None for one that the run did not test, or without a file that
    can be read.
    """
    path = path_of(run)
    if path is None:
        return None
    try:
        sql = f"SELECT * FROM t0 WHERE key = ? AND {FIRST_SEED}"  # noqa: S608
        rows = ask_one((str(path),), sql, [key])
    except CannotRead:
        return None
    return shown(rows[0], list(run.kinds)) if rows else None
