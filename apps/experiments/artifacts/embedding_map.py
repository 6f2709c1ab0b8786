"""The map of a run's test samples: which are alike to the model, one label or group marked at a
time. Read from its bundle by DuckDB.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from apps.datasets.browsing.duck import CannotRead, Files, Row, ask_one
from apps.experiments.artifacts import predictions
from apps.experiments.models import Run
from apps.experiments.report import plots
from apps.ui.plots import model as ui
from apps.ui.plots.data import Table
from fusion.schema.result import EvaluationResult
from fusion.schema.task_names import ONE_LABEL

FILE = "representation.parquet"
COLUMN = "column:"
LABEL = "truth"
TAGS = 24
"""Names on the map; with more values only the marked one is named."""
ON_MAP = f"""
    SELECT COLUMNS('^(key|{LABEL}|fold|space|x|y|{COLUMN}.*)$'), said.answer
    FROM t0 LEFT JOIN (SELECT key AS sample, answer FROM t1 WHERE seed = (SELECT first(seed) FROM t1)) said ON t0.key = said.sample
    WHERE x IS NOT NULL ORDER BY t0.key
"""  # noqa: S608


@dataclass
class Map:
    """What is drawn, and how: by which column, which of its values is marked, which round. Nothing
    is drawn for a run without the file.

    ways: column -> its name; values: value -> number of samples; rounds: empty where one map holds
    all of them.
    """

    plot: ui.Scatter | None = None
    words: str = ""
    by: str = LABEL
    mark: str = ""
    round: str = ""
    ways: dict[str, str] = field(default_factory=dict)
    values: dict[str, int] = field(default_factory=dict)
    rounds: list[str] = field(default_factory=list)
    error: str = ""


def files_of(run: Run) -> Files:
    """Views t0 and t1: the representation and the answers. None for a run that was made before its
    representation was kept.
    """
    answers = predictions.path_of(run)
    path = answers and answers.with_name(FILE)
    return (str(path), str(answers)) if path and path.exists() else ()


def rows_of(run: Run) -> list[Row]:
    """[] for a run without the file. Raises CannotRead."""
    files = files_of(run)
    return ask_one(files, ON_MAP) if files else []


def places(run: Run, params: Mapping[str, str]) -> Map:
    result = run.evaluation
    try:
        rows = rows_of(run)
    except CannotRead as error:
        return Map(error=str(error))
    if not rows or result is None:
        return Map()
    rows = [row | in_groups(row, result) for row in rows]
    found = Map(
        ways={LABEL: _("Label")}
        | plots.column_names(
            [name.removeprefix(COLUMN) for name in rows[0] if name.startswith(COLUMN)]
        )
    )
    found.by = chosen(params.get("by"), found.ways, LABEL)
    if rows[0]["space"]:
        found.rounds = sorted({row["space"] for row in rows})
        found.round = chosen(params.get("round"), found.rounds, found.rounds[0])
        rows = [row for row in rows if row["space"] == found.round]
    group = LABEL if found.by == LABEL else f"{COLUMN}{found.by}"
    counts = Counter(row[group] for row in rows if row[group] is not None)
    found.values = {
        value: counts[value]
        for value in (
            result.labels if found.by == LABEL and result.task in ONE_LABEL else sorted(counts)
        )
        if counts[value]
    }
    found.mark = chosen(params.get("mark"), found.values, hardest(result, found.by, found.values))
    found.words = sentence(rows, group, found.mark)
    found.plot = drawn(run, rows, group, found.mark, found.words)
    return found


def in_groups(row: Row, result: EvaluationResult) -> dict[str, str]:
    """Truth and answer as names that samples share: the label, the set of labels, or in which third
    a number lies.
    """
    if result.task != "regression":
        return {
            LABEL: row[LABEL],
            "answer": predictions.in_words(row["answer"])
            if isinstance(row["answer"], list)
            else row["answer"],
        }
    third = (len(result.against) + 2) // 3
    thirds = [
        result.against[start : start + third] for start in range(0, len(result.against), third)
    ]
    names = [f"{some[0].lower:.4g} – {some[-1].upper:.4g}" for some in thirds]

    def of(value: float) -> str:
        return names[sum(value > some[-1].upper for some in thirds[:-1])]

    return {
        LABEL: of(float(row[LABEL])),
        "answer": "" if row["answer"] is None else of(row["answer"]),
    }


def chosen(wanted: str | None, known: Collection[str], otherwise: str) -> str:
    return wanted if wanted in known else otherwise


def hardest(result: EvaluationResult, by: str, counts: Mapping[str, int]) -> str:
    """What is worth looking at first: the label, or the value of a group, that the model does worst
    on.
    """
    scores = {one.label: one.f1.value for one in result.per_class} if by == LABEL else {
        one.value: one.score.value for one in result.subgroups if one.column == by
    }  # fmt: skip
    return min(counts, key=lambda value: (scores.get(value, 1.0), value), default="")


def drawn(run: Run, rows: Sequence[Row], group: str, mark: str, words: str) -> ui.Scatter:
    marked = [row for row in rows if row[group] == mark]
    right, wrong = (
        [row for row in marked if (row["answer"] == row[LABEL]) == so] for so in (True, False)
    )
    dots = [
        ui.Dots(
            label=_("other samples"),
            style="control",
            small=True,
            **at([row for row in rows if row[group] != mark]),
        ),
        ui.Dots(
            label=_("%(value)s, answered right") % {"value": mark},
            **at(right),
            **leading(run, right),
        ),
        ui.Dots(
            label=_("%(value)s, answered wrong") % {"value": mark},
            style="danger",
            square=True,
            **at(wrong),
            **leading(run, wrong),
        ),
    ]
    url = reverse("experiments:map_csv", args=[run.project.slug, run.number])
    return ui.Scatter(
        dots=dots,
        tags=tags(rows, group, mark),
        name=f"run-{run.number}-map",
        csv_url=url,
        sentence=words,
    )


def at(rows: Sequence[Row]) -> dict[str, list[float]]:
    return {"xs": [row["x"] for row in rows], "ys": [row["y"] for row in rows]}


def leading(run: Run, rows: Sequence[Row]) -> dict[str, list[str]]:
    """To the nearest samples of each."""
    names = [row["key"] for row in rows]
    return {"names": names, "hrefs": [nearest_url(run, key) for key in names]}


def nearest_url(run: Run, key: str, **query: str) -> str:
    return f"{reverse('experiments:tab', args=[run.project.slug, run.number, 'map'])}?{urlencode({'key': key} | query)}#nearest"


def tags(rows: Sequence[Row], group: str, mark: str) -> list[ui.Tag]:
    """Each value at the middle of its samples."""
    by_value: dict[str, list[Row]] = {}
    for row in rows:
        if row[group] is not None:
            by_value.setdefault(row[group], []).append(row)
    shown = by_value if len(by_value) <= TAGS else {mark: by_value.get(mark, [])}
    return [
        ui.Tag(
            value,
            median(row["x"] for row in some),
            median(row["y"] for row in some),
            strong=value == mark,
        )
        for value, some in shown.items()
        if some
    ]


def sentence(rows: Sequence[Row], group: str, mark: str) -> str:
    marked = [row for row in rows if row[group] == mark]
    wrong = sum(row["answer"] != row[LABEL] for row in marked)
    words = {
        "n": f"{len(rows):,}",
        "marked": f"{len(marked):,}",
        "value": mark,
        "wrong": f"{wrong:,}",
    }
    return (
        _(
            "%(n)s test samples, alike ones near each other. Marked: the %(marked)s of %(value)s, %(wrong)s of them answered wrong."
        )
        % words
    )


def as_table(rows: Sequence[Row]) -> Table:
    """Every sample that has a place, for spreadsheets."""
    head = list(rows[0]) if rows else ["key", LABEL, "fold", "space", "x", "y"]
    return Table(
        [name.removeprefix(COLUMN) for name in head],
        [tuple(row[name] for name in head) for row in rows],
    )
