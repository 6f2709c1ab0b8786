"""The two tables that a model trained elsewhere hands in, as Parquet. Each is read whole, checked cell by cell, and refused in plain words.

Predictions: one row a sample (and seed).

    key                     the sample
    probability:LABEL       one column a label, 0 to 1, that sum to 1; or
    probabilities           one list a row, with the labels in the file's metadata, as `python -m fusion train` writes it; or
    answer                  only the label that was answered: then nothing is told that needs probabilities
    single:MODALITY         optional: what that modality alone answers, empty where the sample lacks it
    prior                   optional: the label that is answered where nothing is known, which also stands for an absent modality
    seed, fold              optional: several trainings of one model, each of which answers every sample; rounds of the split

Truth: one row a sample.

    key, label              a sample without a label is left out and counted
    cluster                 optional: what the bootstrap draws (writer, patient); every sample by itself otherwise
    anything else           columns of words make subgroups; all of them can be asked for in a slice
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fusion.columns import to_text
from fusion.evaluate.metrics import Floats, Ints

PROBABILITY, SINGLE = "probability:", "single:"
ROUNDING = 1e-3
"""By so much the probabilities of a sample may miss 1."""


class TableError(ValueError):
    """A table that cannot be used; the message names the file and, where there is one, the row (from 1) and the column."""


@dataclass(frozen=True)
class Predictions:
    """keys: n; probabilities: (S, n, K), 1 for the answer where `only_answers`; singles: modality -> (S, n) label numbers, -1 where absent.

    prior: (S, n) label numbers; fold: (n,) names; both None where the table has no such column.
    """

    file: str
    keys: list[str]
    labels: list[str]
    seeds: list[int]
    probabilities: Floats
    only_answers: bool
    singles: dict[str, Ints]
    prior: Ints | None = None
    fold: NDArray[Any] | None = None


@dataclass(frozen=True)
class Truth:
    """keys, labels: n each, None where there is no label; cluster: n values; columns: everything else, by name."""

    file: str
    keys: list[str]
    labels: list[str | None]
    cluster: list[Any] | None
    columns: dict[str, list[Any]]


@dataclass(frozen=True)
class Table:
    """A Parquet file with its name, for errors."""

    file: str
    rows: pa.Table

    def fail(self, message: str, row: int | None = None, column: str | None = None) -> TableError:
        where = [self.file, *([] if row is None else [f"row {row + 1}"]), *([] if column is None else [f"column {column}"])]
        return TableError(f"{', '.join(where)}: {message}.")

    @classmethod
    def open(cls, path: str | Path) -> "Table":
        path = Path(path)
        try:
            table = cls(path.name, pq.read_table(path))
        except (pa.ArrowException, OSError) as error:
            raise TableError(f"{path} cannot be read as a Parquet file: {str(error).splitlines()[0]}.") from error
        if not len(table.rows):
            raise table.fail("has no rows")
        return table

    def has(self, column: str) -> bool:
        return column in self.rows.column_names

    def values(self, column: str) -> list[Any]:
        if not self.has(column):
            raise self.fail(f"has no column {column}; it has {', '.join(self.rows.column_names)}")
        return self.rows.column(column).to_pylist()

    def texts(self, column: str) -> list[str | None]:
        """None where a cell is empty; 7 and 7.0 are the text 7."""
        return [None if value is None or value == "" else to_text(value) for value in self.values(column)]

    def keys(self) -> list[str]:
        found = self.texts("key")
        if None in found:
            raise self.fail("is empty; every row needs the key of its sample", found.index(None), "key")
        return [str(key) for key in found]

    def numbers(self, column: str) -> Floats:
        kind = self.rows.column(column).type
        if not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
            raise self.fail(f"holds {kind}, not numbers", column=column)
        return pc.cast(self.rows.column(column), pa.float64()).to_numpy()


def read_truth(path: str | Path) -> Truth:
    table = Table.open(path)
    keys, labels = table.keys(), table.texts("label")
    if twice := repeated(keys):
        raise table.fail(f"sample {keys[twice]} is there twice", twice, "key")
    if len({label for label in labels if label is not None}) < 2:
        raise table.fail("needs at least two different labels", column="label")
    others = [name for name in table.rows.column_names if name not in ("key", "label", "cluster")]
    cluster = table.values("cluster") if table.has("cluster") else None
    return Truth(table.file, keys, labels, cluster, {name: table.values(name) for name in others})


def repeated(keys: Sequence[Any]) -> int | None:
    """The first row whose key was there before."""
    first: dict[Any, int] = {}
    return next((row for row, key in enumerate(keys) if first.setdefault(key, row) != row), None)


def read_predictions(path: str | Path) -> Predictions:
    return predictions_in(Table.open(path))


def predictions_in(table: Table) -> Predictions:
    """Rows in any order; they are sorted by seed and key."""
    keys, seeds = table.keys(), seeds_of(table)
    if twice := repeated(list(zip(seeds.tolist(), keys))):
        raise table.fail(f"sample {keys[twice]} is answered twice by the same model; number several models in a column seed", twice, "key")
    labels, probabilities, only_answers = answers_of(table)
    order = np.lexsort((np.array(keys, dtype=object).astype(str), seeds))
    named = sorted(set(keys))
    found = np.unique(seeds)
    check_every_seed(table, keys, seeds, named, found)
    shape = (len(found), len(named))
    labels = labels or sorted_labels(table, ["answer", *singles_in(table)])
    if only_answers:
        probabilities = np.eye(len(labels))[numbered(table, "answer", labels, needed=True)]
    singles = {name.removeprefix(SINGLE): numbered(table, name, labels)[order].reshape(shape) for name in singles_in(table)}
    return Predictions(
        file=table.file,
        keys=named,
        labels=labels,
        seeds=[int(seed) for seed in found],
        probabilities=probabilities[order].reshape(*shape, len(labels)),
        only_answers=only_answers,
        singles=singles,
        prior=numbered(table, "prior", labels, needed=True)[order].reshape(shape) if table.has("prior") else None,
        fold=np.array([str(fold) for fold in table.values("fold")])[order][: len(named)] if table.has("fold") else None,
    )


def singles_in(table: Table) -> list[str]:
    return [name for name in table.rows.column_names if name.startswith(SINGLE)]


def seeds_of(table: Table) -> Ints:
    if not table.has("seed"):
        return np.zeros(len(table.rows), np.int64)
    values = table.numbers("seed")
    bad = np.flatnonzero(~np.isfinite(values) | (values != np.round(values)))
    if len(bad):
        raise table.fail("is no whole number", int(bad[0]), "seed")
    return values.astype(np.int64)


def check_every_seed(table: Table, keys: list[str], seeds: Ints, named: list[str], found: Ints) -> None:
    if len(keys) == len(named) * len(found):
        return
    for seed in found:
        lacking = sorted(set(named) - {key for key, one in zip(keys, seeds) if one == seed})
        if lacking:
            raise table.fail(f"seed {seed} does not answer sample {lacking[0]}, which another seed answers; each answers every sample")


def answers_of(table: Table) -> tuple[list[str], Floats, bool]:
    """Labels and probabilities in the order of the rows; no labels yet where there is only `answer`."""
    named = [name for name in table.rows.column_names if name.startswith(PROBABILITY)]
    if named:
        probabilities = np.stack([table.numbers(name) for name in named], 1)
        check_probabilities(table, probabilities, named)
        return [name.removeprefix(PROBABILITY) for name in named], probabilities, False
    if table.has("probabilities"):
        return *listed_probabilities(table), False
    if table.has("answer"):
        return [], np.zeros((0, 0)), True
    raise table.fail(f"has neither columns {PROBABILITY}LABEL nor a column answer; it has {', '.join(table.rows.column_names)}")


def listed_probabilities(table: Table) -> tuple[list[str], Floats]:
    names = (table.rows.schema.metadata or {}).get(b"labels")
    if names is None:
        raise table.fail(
            f"the file does not say which labels the list holds; write columns {PROBABILITY}LABEL instead", column="probabilities"
        )
    labels, values = names.decode().split("\n"), table.values("probabilities")
    bad = next((row for row, one in enumerate(values) if one is None or len(one) != len(labels) or None in one), None)
    if bad is not None:
        raise table.fail(f"does not hold one number for each of the {len(labels)} labels", bad, "probabilities")
    probabilities = np.array(values, dtype=np.float64)
    check_probabilities(table, probabilities, ["probabilities"] * len(labels))
    return labels, probabilities


def check_probabilities(table: Table, probabilities: Floats, columns: list[str]) -> None:
    if len(columns) < 2:
        raise table.fail("has the probability of one label only; write one column for each label", column=columns[0])
    with np.errstate(invalid="ignore"):
        bad = np.argwhere(~((probabilities >= 0) & (probabilities <= 1)))
    if len(bad):
        row, column = bad[0]
        value = probabilities[row, column]
        what = "is empty" if np.isnan(value) else f"holds {value:g}"
        raise table.fail(f"{what}; a probability lies between 0 and 1", int(row), columns[column])
    sums = probabilities.sum(1)
    off = np.flatnonzero(np.abs(sums - 1) > ROUNDING)
    if len(off):
        raise table.fail(f"the probabilities sum to {sums[off[0]]:.4g}, not to 1", int(off[0]))


def sorted_labels(table: Table, columns: Sequence[str]) -> list[str]:
    return sorted({label for column in columns for label in table.texts(column) if label is not None})


def numbered(table: Table, column: str, labels: list[str], needed: bool = False) -> Ints:
    """(rows,) number of the label in each row, -1 where the cell is empty."""
    number, texts = {label: k for k, label in enumerate(labels)}, table.texts(column)
    for row, text in enumerate(texts):
        if text is None and needed:
            raise table.fail("is empty; write the label that is answered", row, column)
        if text is not None and text not in number:
            raise table.fail(f"holds {text}, which is not among the labels {', '.join(labels[:12])}", row, column)
    return np.array([-1 if text is None else number[text] for text in texts], dtype=np.int64)
