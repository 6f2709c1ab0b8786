"""The two tables that a model trained elsewhere hands in, as Parquet. Each is read whole, checked
cell by cell, and refused in plain words.

Predictions: one row a sample (and seed).

    key                 the sample
    probability:LABEL   one column a label, 0 to 1, that sum to 1; or
    probabilities       one list a row, with the labels in the file's metadata, as
                        `python -m fusion train` writes it; or
    answer              only the label that was answered: then nothing is told that needs
                        probabilities; of a number (regression) the number, and in `spread`, if it
                        is known, its standard deviation; of several labels (multi-label) a list, or
                        a text with semicolons
    single:MODALITY     optional: what that modality alone answers, empty where the sample lacks it
    prior               optional: the label that is answered where nothing is known, which also
                        stands for an absent modality
    seed, fold          optional: several trainings of one model, each of which answers every
                        sample; folds of the split

Truth: one row a sample.

    key, label          a sample without a label is left out and counted
    cluster             optional: what the bootstrap draws (writer, patient); every sample by itself
                        otherwise
    anything else       columns of words make subgroups; all of them can be asked for in a slice
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fusion.core.arrays import Floats, Ints
from fusion.core.column_values import to_tags, to_text
from fusion.schema.task_names import TaskName

PROBABILITY, SINGLE = "probability:", "single:"
ROUNDING = 1e-3
"""By so much the probabilities of a sample may miss 1."""


class TableError(ValueError):
    """A table that cannot be used; the message names the file and, where there is one, the row
    (from 1) and the column.
    """


@dataclass(frozen=True)
class Predictions:
    """keys: n; probabilities: the answers (S, n, D), 1 for the label where `only_answers`; singles:
    modality -> the same of it alone, NaN where it is absent. prior: (S, n, D); fold: (n,) names;
    both None where the table has no such column.
    """

    file: str
    keys: list[str]
    labels: list[str]
    seeds: list[int]
    probabilities: Floats
    only_answers: bool
    singles: dict[str, Floats]
    prior: Floats | None = None
    fold: NDArray[Any] | None = None


@dataclass(frozen=True)
class Truth:
    """keys, labels: n each (of an alignment's form), None where there is no label; cluster: n
    values; columns: everything else, by name.
    """

    file: str
    keys: list[str]
    labels: list[Any]
    cluster: list[Any] | None
    columns: dict[str, list[Any]]


@dataclass(frozen=True)
class PredictionTable:
    """A Parquet file with its name, for errors."""

    file: str
    rows: pa.Table

    def fail(self, message: str, row: int | None = None, column: str | None = None) -> TableError:
        where = [
            self.file,
            *([] if row is None else [f"row {row + 1}"]),
            *([] if column is None else [f"column {column}"]),
        ]
        return TableError(f"{', '.join(where)}: {message}.")

    @classmethod
    def open(cls, path: str | Path) -> "PredictionTable":
        path = Path(path)
        try:
            table = cls(path.name, pq.read_table(path))
        except (pa.ArrowException, OSError) as error:
            raise TableError(
                f"{path} cannot be read as a Parquet file: {str(error).splitlines()[0]}."
            ) from error
        if not len(table.rows):
            raise table.fail("has no rows")
        return table

    @property
    def task(self) -> TaskName:
        """The task that `python -m fusion train` notes in its files; classification in others."""
        task = (self.rows.schema.metadata or {}).get(b"task", b"").decode()
        return next((name for name in get_args(TaskName) if name == task), "classification")

    def has(self, column: str) -> bool:
        return column in self.rows.column_names

    def values(self, column: str) -> list[Any]:
        if not self.has(column):
            raise self.fail(f"has no column {column}; it has {', '.join(self.rows.column_names)}")
        return self.rows.column(column).to_pylist()

    def texts(self, column: str) -> list[str | None]:
        """Return texts, None where a cell is empty; 7 and 7.0 are the text 7."""
        return [
            None if value is None or value == "" else to_text(value)
            for value in self.values(column)
        ]

    def keys(self) -> list[str]:
        keys = self.texts("key")
        if None in keys:
            raise self.fail(
                "is empty; every row needs the key of its sample", keys.index(None), "key"
            )
        return [str(key) for key in keys]

    def numbers(self, column: str) -> Floats:
        kind = self.rows.column(column).type
        if not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
            raise self.fail(f"holds {kind}, not numbers", column=column)
        return pc.cast(self.rows.column(column), pa.float64()).to_numpy()


def read_truth(path: str | Path, task: TaskName = "classification") -> Truth:
    table = PredictionTable.open(path)
    keys, labels = table.keys(), labels_in(table, "label", task)
    if twice := repeated(keys):
        raise table.fail(f"sample {keys[twice]} is there twice", twice, "key")
    if len({str(label) for label in labels if label is not None}) < 2:
        raise table.fail("needs at least two different labels", column="label")
    others = [name for name in table.rows.column_names if name not in ("key", "label", "cluster")]
    cluster = table.values("cluster") if table.has("cluster") else None
    return Truth(table.file, keys, labels, cluster, {name: table.values(name) for name in others})


def repeated(keys: Sequence[Any]) -> int | None:
    """The first row whose key was there before."""
    first: dict[Any, int] = {}
    return next((row for row, key in enumerate(keys) if first.setdefault(key, row) != row), None)


def labels_in(table: PredictionTable, column: str, task: TaskName) -> list[Any]:
    """Return labels as an alignment holds them: a text, a number or a list of texts; None where a
    cell is empty.
    """
    if task == "regression":
        return [None if np.isnan(value) else float(value) for value in table.numbers(column)]
    if task == "multi-label":
        return [
            None if value is None or value == "" else sorted(set(to_tags(value)))
            for value in table.values(column)
        ]
    return list(table.texts(column))


def read_predictions(path: str | Path, task: TaskName = "classification") -> Predictions:
    return predictions_in(PredictionTable.open(path), task)


def predictions_in(table: PredictionTable, task: TaskName = "classification") -> Predictions:
    """Rows in any order; they are sorted by seed and key."""
    keys, seeds = table.keys(), seeds_of(table)
    if twice := repeated(list(zip(seeds.tolist(), keys))):
        raise table.fail(
            f"sample {keys[twice]} is answered twice by the same model; number several "
            "models in a column seed",
            twice,
            "key",
        )
    found_in = read_answers(table, task)
    order = np.lexsort((np.array(keys, dtype=object).astype(str), seeds))
    named = sorted(set(keys))
    distinct = np.unique(seeds)
    check_every_seed(table, keys, seeds, named, distinct)

    def shaped(rows: Floats) -> Floats:
        return rows[order].reshape(len(distinct), len(named), -1)

    return Predictions(
        file=table.file,
        keys=named,
        labels=found_in.labels,
        seeds=[int(seed) for seed in distinct],
        probabilities=shaped(found_in.answers),
        only_answers=found_in.only_answers,
        singles={name: shaped(rows) for name, rows in found_in.singles.items()},
        prior=None if found_in.prior is None else shaped(found_in.prior),
        fold=np.array([str(fold) for fold in table.values("fold")])[order][: len(named)]
        if table.has("fold")
        else None,
    )


@dataclass(frozen=True)
class Columns:
    """The predictions of a table, in the order of its rows. answers: (rows, D); singles: the same
    of each modality, NaN where it is absent.
    """

    labels: list[str]
    answers: Floats
    only_answers: bool
    singles: dict[str, Floats]
    prior: Floats | None


def read_answers(table: PredictionTable, task: TaskName) -> Columns:
    if task == "regression":
        return read_numbers(table)
    if task == "multi-label":
        return read_sets(table)
    labels, probabilities, only_answers = answers_of(table)
    labels = labels or sorted_labels(table, ["answer", *singles_in(table)])

    def rows(column: str, needed: bool = False) -> Floats:
        number = numbered(table, column, labels, needed)
        return np.where(number[:, None] < 0, np.nan, np.eye(len(labels))[number])

    singles = {name.removeprefix(SINGLE): rows(name) for name in singles_in(table)}
    prior = rows("prior", needed=True) if table.has("prior") else None
    return Columns(
        labels,
        rows("answer", needed=True) if only_answers else probabilities,
        only_answers,
        singles,
        prior,
    )


def read_numbers(table: PredictionTable) -> Columns:
    """Read numbers: answer and, where it is known, spread; a spread of 1 stands where nobody asks
    for it.
    """

    def rows(column: str, needed: bool = False) -> Floats:
        value = table.numbers(column)
        if needed and len(bad := np.flatnonzero(~np.isfinite(value))):
            raise table.fail("is empty; write the number that is answered", int(bad[0]), column)
        return np.stack([value, np.where(np.isnan(value), np.nan, 1.0)], 1)

    if not table.has("answer"):
        raise table.fail(f"has no column answer; it has {', '.join(table.rows.column_names)}")
    answers, known = rows("answer", needed=True), table.has("spread")
    if known:
        answers[:, 1] = table.numbers("spread")
        if len(bad := np.flatnonzero(~(answers[:, 1] > 0) | ~np.isfinite(answers[:, 1]))):
            raise table.fail("is no positive number", int(bad[0]), "spread")
    prior = rows("prior", needed=True) if table.has("prior") else None
    return Columns(
        [],
        answers,
        not known,
        {name.removeprefix(SINGLE): rows(name) for name in singles_in(table)},
        prior,
    )


def read_sets(table: PredictionTable) -> Columns:
    """Read any number of labels: a probability each, or the labels that are answered."""
    named = [name for name in table.rows.column_names if name.startswith(PROBABILITY)]
    if named:
        labels, answers = (
            [name.removeprefix(PROBABILITY) for name in named],
            np.stack([table.numbers(name) for name in named], 1),
        )
        check_each_probability(table, answers, named)
    elif table.has("probabilities"):
        labels, answers = listed_probabilities(table)
    else:
        sets = labels_in(table, "answer", "multi-label")
        labels = sorted(set().union(*(set(label_set or ()) for label_set in sets)))
        answers = np.nan_to_num(memberships(sets, labels))

    def rows(column: str) -> Floats:
        return memberships(labels_in(table, column, "multi-label"), labels)

    only = not named and not table.has("probabilities")
    prior = np.nan_to_num(rows("prior")) if table.has("prior") else None
    singles = {name.removeprefix(SINGLE): rows(name) for name in singles_in(table)}
    return Columns(labels, answers, only, singles, prior)


def memberships(sets: Sequence[list[str] | None], labels: Sequence[str]) -> Floats:
    """Return 1 for the labels of each set, 0 for the others, NaN without a set: (n, labels)."""
    rows = [
        [np.nan if label_set is None else float(label in label_set) for label in labels]
        for label_set in sets
    ]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(labels))


def singles_in(table: PredictionTable) -> list[str]:
    return [name for name in table.rows.column_names if name.startswith(SINGLE)]


def seeds_of(table: PredictionTable) -> Ints:
    if not table.has("seed"):
        return np.zeros(len(table.rows), np.int64)
    values = table.numbers("seed")
    bad = np.flatnonzero(~np.isfinite(values) | (values != np.round(values)))
    if len(bad):
        raise table.fail("is no whole number", int(bad[0]), "seed")
    return values.astype(np.int64)


def check_every_seed(
    table: PredictionTable, keys: list[str], seeds: Ints, named: list[str], distinct: Ints
) -> None:
    if len(keys) == len(named) * len(distinct):
        return
    for seed in distinct:
        lacking = sorted(set(named) - {key for key, own in zip(keys, seeds) if own == seed})
        if lacking:
            raise table.fail(
                f"seed {seed} does not answer sample {lacking[0]}, which another seed "
                "answers; each answers every sample"
            )


def answers_of(table: PredictionTable) -> tuple[list[str], Floats, bool]:
    """Labels and probabilities in the order of the rows; no labels yet where there is only
    `answer`.
    """
    named = [name for name in table.rows.column_names if name.startswith(PROBABILITY)]
    if named:
        probabilities = np.stack([table.numbers(name) for name in named], 1)
        check_probabilities(table, probabilities, named)
        return [name.removeprefix(PROBABILITY) for name in named], probabilities, False
    if table.has("probabilities"):
        labels, probabilities = listed_probabilities(table)
        check_probabilities(table, probabilities, ["probabilities"] * len(labels))
        return labels, probabilities, False
    if table.has("answer"):
        return [], np.zeros((0, 0)), True
    raise table.fail(
        f"has neither columns {PROBABILITY}LABEL nor a column answer; it has "
        f"{', '.join(table.rows.column_names)}"
    )


def listed_probabilities(table: PredictionTable) -> tuple[list[str], Floats]:
    names = (table.rows.schema.metadata or {}).get(b"labels")
    if names is None:
        raise table.fail(
            "the file does not say which labels the list holds; write columns "
            f"{PROBABILITY}LABEL instead",
            column="probabilities",
        )
    labels, values = names.decode().split("\n"), table.values("probabilities")
    bad = next(
        (
            row
            for row, cell in enumerate(values)
            if cell is None or len(cell) != len(labels) or None in cell
        ),
        None,
    )
    if bad is not None:
        raise table.fail(
            f"does not hold one number for each of the {len(labels)} labels", bad, "probabilities"
        )
    probabilities = np.array(values, dtype=np.float64)
    check_each_probability(table, probabilities, ["probabilities"] * len(labels))
    return labels, probabilities


def check_probabilities(table: PredictionTable, probabilities: Floats, columns: list[str]) -> None:
    if len(columns) < 2:
        raise table.fail(
            "has the probability of one label only; write one column for each label",
            column=columns[0],
        )
    check_each_probability(table, probabilities, columns)
    sums = probabilities.sum(1)
    off = np.flatnonzero(np.abs(sums - 1) > ROUNDING)
    if len(off):
        raise table.fail(f"the probabilities sum to {sums[off[0]]:.4g}, not to 1", int(off[0]))


def check_each_probability(
    table: PredictionTable, probabilities: Floats, columns: list[str]
) -> None:
    with np.errstate(invalid="ignore"):
        bad = np.argwhere(~((probabilities >= 0) & (probabilities <= 1)))
    if len(bad):
        row, column = bad[0]
        value = probabilities[row, column]
        what = "is empty" if np.isnan(value) else f"holds {value:g}"
        raise table.fail(f"{what}; a probability lies between 0 and 1", int(row), columns[column])


def sorted_labels(table: PredictionTable, columns: Sequence[str]) -> list[str]:
    return sorted(
        {label for column in columns for label in table.texts(column) if label is not None}
    )


def numbered(table: PredictionTable, column: str, labels: list[str], needed: bool = False) -> Ints:
    """(rows,) number of the label in each row, -1 where the cell is empty."""
    number, texts = {label: k for k, label in enumerate(labels)}, table.texts(column)
    for row, text in enumerate(texts):
        if text is None and needed:
            raise table.fail("is empty; write the label that is answered", row, column)
        if text is not None and text not in number:
            raise table.fail(
                f"holds {text}, which is not among the labels {', '.join(labels[:12])}", row, column
            )
    return np.array([-1 if text is None else number[text] for text in texts], dtype=np.int64)
