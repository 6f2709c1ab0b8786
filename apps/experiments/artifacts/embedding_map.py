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
from apps.experiments.words import column_names
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
    SELECT COLUMNS('^(key|{LABEL}|fold|space|x|y|{COLUMN}.*)$'), predictions.answer
    FROM t0 LEFT JOIN (
        SELECT key AS sample, answer FROM t1 WHERE seed = (SELECT first(seed) FROM t1)
    ) predictions ON t0.key = predictions.sample
    WHERE x IS NOT NULL ORDER BY t0.key
"""  # noqa: S608


@dataclass
class EmbeddingMap:
    """The map, and how it is drawn: `by` a column, `mark` one of its values, of one fold. For a run
    without the file nothing is drawn.

    `ways`: column -> its name; `values`: value -> number of samples; `folds`: empty where one map
    holds all of them.
    """

    plot: ui.Scatter | None = None
    words: str = ""
    by: str = LABEL
    mark: str = ""
    fold: str = ""
    ways: dict[str, str] = field(default_factory=dict)
    values: dict[str, int] = field(default_factory=dict)
    folds: list[str] = field(default_factory=list)
    error: str = ""


def files_of(run: Run) -> Files:
    """Views t0 and t1: the representation and the predictions; empty for a run of a version that
    did not keep its representation.
    """
    of_predictions = predictions.path_of(run)
    path = of_predictions and of_predictions.with_name(FILE)
    return (str(path), str(of_predictions)) if path and path.exists() else ()


def rows_of(run: Run) -> list[Row]:
    """The samples on the map; [] for a run without the file. Raises CannotRead."""
    files = files_of(run)
    return ask_one(files, ON_MAP) if files else []


def embedding_map(run: Run, params: Mapping[str, str]) -> EmbeddingMap:
    result = run.evaluation
    try:
        rows = rows_of(run)
    except CannotRead as error:
        return EmbeddingMap(error=str(error))
    if not rows or result is None:
        return EmbeddingMap()
    rows = [row | in_groups(row, result) for row in rows]
    columns = [name.removeprefix(COLUMN) for name in rows[0] if name.startswith(COLUMN)]
    page = EmbeddingMap(ways={LABEL: _("Label")} | column_names(columns))
    page.by = chosen(params.get("by"), page.ways, LABEL)
    if rows[0]["space"]:
        page.folds = sorted({row["space"] for row in rows})
        page.fold = chosen(params.get("round"), page.folds, page.folds[0])
        rows = [row for row in rows if row["space"] == page.fold]
    group = LABEL if page.by == LABEL else f"{COLUMN}{page.by}"
    counts = Counter(row[group] for row in rows if row[group] is not None)
    by_label = page.by == LABEL and result.task in ONE_LABEL
    values = result.labels if by_label else sorted(counts)
    page.values = {value: counts[value] for value in values if counts[value]}
    page.mark = chosen(params.get("mark"), page.values, hardest(result, page.by, page.values))
    page.words = sentence(rows, group, page.mark)
    page.plot = drawn(run, rows, group, page.mark, page.words)
    return page


def in_groups(row: Row, result: EvaluationResult) -> dict[str, str]:
    """Truth and prediction as names that samples share: the label, the set of labels, or the third
    in which a number lies.
    """
    truth, prediction = row[LABEL], row["answer"]
    if result.task == "regression":
        predicted = "" if prediction is None else third_of(prediction, result)
        return {LABEL: third_of(float(truth), result), "answer": predicted}
    if isinstance(prediction, list):
        prediction = predictions.in_words(prediction)
    return {LABEL: truth, "answer": prediction}


def third_of(value: float, result: EvaluationResult) -> str:
    n = (len(result.against) + 2) // 3
    thirds = [result.against[start : start + n] for start in range(0, len(result.against), n)]
    third = thirds[sum(value > third[-1].upper for third in thirds[:-1])]
    return f"{third[0].lower:.4g} – {third[-1].upper:.4g}"


def chosen(wanted: str | None, known: Collection[str], otherwise: str) -> str:
    return wanted if wanted in known else otherwise


def hardest(result: EvaluationResult, by: str, counts: Mapping[str, int]) -> str:
    """The label, or the value of a group, that the model does worst on."""
    if by == LABEL:
        scores = {label.label: label.f1.value for label in result.per_class}
    else:
        scores = {row.value: row.score.value for row in result.subgroups if row.column == by}
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
            **positions([row for row in rows if row[group] != mark]),
        ),
        ui.Dots(
            label=_("%(value)s, answered right") % {"value": mark},
            **positions(right),
            **links(run, right),
        ),
        ui.Dots(
            label=_("%(value)s, answered wrong") % {"value": mark},
            style="danger",
            square=True,
            **positions(wrong),
            **links(run, wrong),
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


def positions(rows: Sequence[Row]) -> dict[str, list[float]]:
    return {"xs": [row["x"] for row in rows], "ys": [row["y"] for row in rows]}


def links(run: Run, rows: Sequence[Row]) -> dict[str, list[str]]:
    """Names and addresses: a dot leads to the samples nearest to its own."""
    names = [row["key"] for row in rows]
    return {"names": names, "hrefs": [nearest_url(run, key) for key in names]}


def nearest_url(run: Run, key: str, **query: str) -> str:
    tab = reverse("experiments:tab", args=[run.project.slug, run.number, "map"])
    return f"{tab}?{urlencode({'key': key} | query)}#nearest"


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
            median(row["x"] for row in samples),
            median(row["y"] for row in samples),
            strong=value == mark,
        )
        for value, samples in shown.items()
        if samples
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
            "%(n)s test samples, alike ones near each other. Marked: the %(marked)s of %(value)s, "
            "%(wrong)s of them answered wrong."
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
