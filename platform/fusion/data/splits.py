"""Splits that do not leak: a group is never on both sides. Rows are positions in the alignment;
rows that are left out are in no fold.
"""

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fusion.data.study_spec import Split
from fusion.schema.task_names import ONE_LABEL

if TYPE_CHECKING:
    from fusion.data.alignment import Aligned

MAX_HELD_OUT_GROUPS = 60
TENTHS = 10
FIXED_WORDS = {
    "train": "train",
    "training": "train",
    "test": "test",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
}
FIXED_WORDS |= {"dev": "validation"}


class AlignmentError(ValueError):
    """The alignment cannot be used as it is; the message says why and what to change."""


class Fold(NamedTuple):
    """name: the held-out group, or "test", or the number of the fold; train and test: sorted int
    arrays of rows.
    """

    name: str
    train: np.ndarray
    test: np.ndarray


def folds(aligned: "Aligned", split: Split | None = None) -> list[Fold]:
    """The rounds of a split (default: the alignment's own); raises AlignmentError in
    plain words.
    """
    split = split or aligned.split
    rows = np.asarray(aligned.kept(), dtype=np.int64)
    check_labels(aligned, rows)
    rounds = POLICIES[split.policy](aligned, rows, split)
    units = unit_of_row(aligned)
    for fold in rounds:
        check_fold(aligned, fold, units)
    return rounds


def check_labels(aligned: "Aligned", rows: np.ndarray) -> None:
    counts = Counter(said(aligned, row) for row in rows)
    if len(counts) < 2:
        raise AlignmentError(
            f"all {len(rows)} usable samples bear {'the same label' if counts else 'no label'}: "
            "there is nothing to learn"
        )
    if aligned.task not in ONE_LABEL:
        return
    rare = [label for label, n in counts.items() if n < 2]
    if rare:
        raise AlignmentError(
            f"label {rare[0]} has only one sample; it cannot be in training and in test. Add "
            "samples or leave the label out"
        )


def said(aligned: "Aligned", row: int) -> Any:
    """The label of a row, as something that can be counted."""
    label = aligned.labels[row]
    return frozenset(label) if isinstance(label, list | tuple) else label


def strata(aligned: "Aligned", rows: np.ndarray) -> np.ndarray:
    """int (rows,): what a split keeps in proportion: the label; of a number its tenth of all; of
    several labels the rarest.
    """
    labels = [aligned.labels[row] for row in rows]
    if aligned.task == "regression":
        ranks = np.argsort(
            np.argsort([np.nan if y is None else y for y in labels], kind="stable"), kind="stable"
        )
        return ranks * min(TENTHS, len(rows)) // max(len(rows), 1)
    if aligned.task == "multi-label":
        counts = Counter(y for tags in labels for y in tags or ())
        labels = [min(tags, key=lambda y: (counts[y], y)) if tags else None for tags in labels]
    number = {label: k for k, label in enumerate(aligned.label_order)}
    return np.asarray([-1 if y is None else number[y] for y in labels])


def check_fold(aligned: "Aligned", fold: Fold, units: np.ndarray) -> None:
    if not len(fold.train) or not len(fold.test):
        raise AlignmentError(
            f"fold {fold.name} has {len(fold.train)} samples for training and {len(fold.test)} "
            "for test"
        )
    if len({said(aligned, row) for row in fold.train}) < 2:
        raise AlignmentError(
            f"fold {fold.name} has only one label left in training ({len(fold.train)} samples): "
            "there is nothing to learn"
        )
    both = np.intersect1d(units[fold.train], units[fold.test])
    if len(both):
        row = next(r for r in fold.test if units[r] == both[0])
        where = ", ".join(f"{column} {values[row]}" for column, values in aligned.groups.items())
        raise AlignmentError(
            f"{where} stands on both sides of fold {fold.name}; a group must be wholly in "
            "training or wholly in test"
        )


def unit_of_row(aligned: "Aligned") -> np.ndarray:
    """int (n,): what may not be torn apart. With several group columns, samples that share any
    group hang together.
    """
    parent = list(range(len(aligned)))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for values in aligned.groups.values():
        first: dict[Any, int] = {}
        for row, value in enumerate(values):
            if value is not None:
                parent[root(row)] = root(first.setdefault(value, row))
    return np.asarray([root(row) for row in range(len(aligned))])


def unit_names(aligned: "Aligned", rows: np.ndarray, units: np.ndarray) -> dict[int, str]:
    """Each unit by the groups of the first group column that it holds: "S1" or "S1+S3"."""
    values = next(iter(aligned.groups.values()))
    names: dict[int, dict[str, None]] = {}
    for row in rows:
        names.setdefault(int(units[row]), {})[str(values[row])] = None
    return {unit: "+".join(sorted(groups)) for unit, groups in names.items()}


def need_groups(aligned: "Aligned", rows: np.ndarray, policy: str) -> np.ndarray:
    """Units of all rows of the alignment; raises unless the usable ones fall into two at least."""
    if not aligned.groups:
        raise AlignmentError(
            f"split {policy} needs a group column: name one under groups, or choose by-group, "
            "which then splits by sample"
        )
    units = unit_of_row(aligned)
    if len(np.unique(units[rows])) < 2:
        columns = " and ".join(aligned.groups)
        kind = (
            "only one group"
            if len(aligned.groups) == 1
            else "groups that all hang together (each sample shares one with another)"
        )
        raise AlignmentError(
            f"{columns} has {kind}: nothing can be held out. Choose another group column"
        )
    return units


def leave_one_group_out(aligned: "Aligned", rows: np.ndarray, split: Split) -> list[Fold]:
    units = need_groups(aligned, rows, split.policy)
    names = unit_names(aligned, rows, units)
    if len(names) > MAX_HELD_OUT_GROUPS:
        raise AlignmentError(
            f"there are {len(names)} groups, so as many rounds of training; choose grouped-k-fold "
            "instead"
        )
    held = units[rows]
    return [
        Fold(name, rows[held != unit], rows[held == unit])
        for unit, name in sorted(names.items(), key=lambda item: item[1])
    ]


def grouped_k_fold(aligned: "Aligned", rows: np.ndarray, split: Split) -> list[Fold]:
    units = need_groups(aligned, rows, split.policy) if aligned.groups else unit_of_row(aligned)
    parts = parts_by_unit(aligned, rows, units, split.folds, split.seed)
    return [Fold(str(place), np.setdiff1d(rows, part), part) for place, part in enumerate(parts, 1)]


def by_group(aligned: "Aligned", rows: np.ndarray, split: Split) -> list[Fold]:
    """One fold whose test share is as near to the asked one as whole groups allow, with labels in
    proportion.
    """
    units = need_groups(aligned, rows, split.policy) if aligned.groups else unit_of_row(aligned)
    train, test = share_by_unit(aligned, rows, units, split.test, split.seed)
    return [Fold("test", train, test)]


def fixed(aligned: "Aligned", rows: np.ndarray, split: Split) -> list[Fold]:
    sides = fixed_sides(aligned)
    chosen = np.asarray([sides[row] for row in rows])
    return [
        Fold("test", rows[(chosen == "train") | (chosen == "validation")], rows[chosen == "test"])
    ]


def fixed_sides(aligned: "Aligned") -> list[str]:
    """train, validation, test or "" (in none) for each row; raises AlignmentError for
    another word.
    """
    if aligned.fixed is None:
        raise AlignmentError("split fixed needs a column that says train or test for each sample")
    sides = []
    for key, value in zip(aligned.keys, aligned.fixed):
        word = FIXED_WORDS.get(str(value).strip().lower(), "") if value is not None else ""
        if value is not None and not word:
            raise AlignmentError(
                f"sample {key} says {value!r} in the split column; write train, validation or test"
            )
        sides.append(word)
    return sides


POLICIES: dict[str, Callable[["Aligned", np.ndarray, Split], list[Fold]]] = {
    "leave-one-group-out": leave_one_group_out,
    "grouped-k-fold": grouped_k_fold,
    "by-group": by_group,
    "fixed": fixed,
}


def parts_by_unit(
    aligned: "Aligned", rows: np.ndarray, units: np.ndarray, count: int, seed: int
) -> list[np.ndarray]:
    """Cut rows into `count` parts (fewer if there are fewer units) without tearing a unit, labels
    in proportion as far as possible.
    """
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    labels = strata(aligned, rows)
    count = min(count, len(np.unique(units[rows])))
    largest = int(np.bincount(labels + 1).max())
    if largest < 2:  # every label once: there are no proportions to keep
        cutter = GroupKFold(count)
    else:
        cutter = StratifiedGroupKFold(min(count, largest), shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # a label rarer than the number of parts cannot be in all of them: that is expected here
        warnings.simplefilter("ignore", UserWarning)
        return [rows[part] for _, part in cutter.split(rows, labels, units[rows]) if len(part)]


def share_by_unit(
    aligned: "Aligned", rows: np.ndarray, units: np.ndarray, share: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """(rest, part): whole units whose samples are about `share` of the rows."""
    parts = parts_by_unit(aligned, rows, units, 20, seed)
    taken = [parts[0]]
    for part in parts[1:-1]:
        have, more = sum(map(len, taken)), len(part)
        if abs(have + more - share * len(rows)) < abs(have - share * len(rows)):
            taken.append(part)
    chosen = np.sort(np.concatenate(taken))
    return np.setdiff1d(rows, chosen), chosen


def inner_units(aligned: "Aligned", rows: np.ndarray) -> np.ndarray:
    """The units that an inner split keeps whole: groups; if only one is left in training, clusters;
    if only one of those, samples.
    """
    for units in (unit_of_row(aligned), cluster_units(aligned)):
        if len(np.unique(units[rows])) > 1:
            return units
    return np.arange(len(aligned))


def cluster_units(aligned: "Aligned") -> np.ndarray:
    return np.unique(np.asarray(aligned.cluster_values()), return_inverse=True)[1]


def inner_split(
    aligned: "Aligned", rows: Sequence[int] | np.ndarray, share: float = 0.2, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """(fit, validation) rows inside the training rows of a fold; by the fixed split's own
    validation rows where it has some.
    """
    rows = np.sort(np.asarray(rows, dtype=np.int64))
    if aligned.fixed is not None:
        sides = fixed_sides(aligned)
        chosen = np.asarray([sides[row] == "validation" for row in rows])
        if chosen.any() and not chosen.all():
            return rows[~chosen], rows[chosen]
    return share_by_unit(aligned, rows, inner_units(aligned, rows), share, seed)


def inner_folds(
    aligned: "Aligned", rows: Sequence[int] | np.ndarray, count: int = 5, seed: int = 0
) -> list[tuple[np.ndarray, np.ndarray]]:
    """[(fit, validation)] so that each training row is validated once: for temperatures
    and probes.
    """
    rows = np.sort(np.asarray(rows, dtype=np.int64))
    parts = parts_by_unit(aligned, rows, inner_units(aligned, rows), count, seed)
    return [(np.setdiff1d(rows, part), part) for part in parts]
