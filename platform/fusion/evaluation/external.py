"""A model trained elsewhere, judged by its predictions with the same code as every run.

    result = judge("predictions.parquet", "truth.parquet", name="their model")
    result.headline.score, result.subgroups, result.protocols

What the two tables hold: fusion/evaluation/prediction_tables.py. What they do not tell is absent
from the result: contributions and robustness need answers with modalities taken away, calibration
needs probabilities, the gain needs what single modalities answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusion.core.arrays import Array, Floats, Ints
from fusion.core.environment import environment
from fusion.core.files import file_digest
from fusion.data.labels import in_order, ordered
from fusion.data.rule_columns import kind_by_values
from fusion.data.splits import AlignmentError
from fusion.evaluation.compare import Answered
from fusion.evaluation.evaluate import Question, evaluate
from fusion.evaluation.prediction_tables import (
    Predictions,
    TableError,
    Truth,
    read_predictions,
    read_truth,
)
from fusion.evaluation.subgroups import subgroup_columns
from fusion.schema.protocol import Protocol, check
from fusion.schema.result import EvaluationResult, Fold, Split
from fusion.schema.task_names import TaskName
from fusion.tasks import task_of
from fusion.tasks.base import LearningTask
from fusion.tasks.predictions import MethodPredictions, Scored


@dataclass(frozen=True)
class Joined:
    """Predictions and truth of the same samples: `at` and `rows` are their places in
    each, by key.
    """

    predictions: Predictions
    truth: Truth
    task: LearningTask
    at: Ints
    rows: Ints

    @property
    def y(self) -> Array:
        return self.task.encode([self.truth.labels[row] for row in self.rows])

    @property
    def probabilities(self) -> Floats:
        """(S, n, D)"""
        return self.wide(self.predictions.probabilities)

    def wide(self, answers: Floats) -> Floats:
        """(S, any, d) -> (S, n, D): of these samples, and with the labels that only the
        truth has.
        """
        padded = answers[:, self.at]
        return np.pad(padded, ((0, 0), (0, 0), (0, self.task.width - padded.shape[2])))

    def column(self, values: Sequence[Any]) -> list[Any]:
        return [values[row] for row in self.rows]

    @property
    def facts(self) -> dict[str, list[Any]]:
        """All columns that a slice may ask for."""
        return {
            name: self.column(values)
            for name, values in (self.truth.columns | {"label": self.truth.labels}).items()
        }

    @property
    def cluster(self) -> np.ndarray:
        """A sample without a cluster is one of its own."""
        if self.truth.cluster is None:
            return np.arange(len(self.rows))
        return np.array(
            [
                f"sample {self.truth.keys[row]}"
                if (name := self.truth.cluster[row]) is None
                else f"cluster {name}"
                for row in self.rows
            ]
        )


def judge(
    predictions: str | Path,
    truth: str | Path,
    name: str = "predictions",
    best: str | None = None,
    draws: int = 1000,
    protocols: Sequence[Protocol] = (),
    reference: Answered | None = None,
    task: TaskName = "classification",
    order: Sequence[str] = (),
) -> EvaluationResult:
    """name: of the model; best: the single modality that the gain is over (default: the one that
    does best on these samples, which leaves the smallest gain). Slices of protocols ask for columns
    of the truth. order: of the labels of an ordinal task, lowest first; numbers need none. Raises
    TableError.
    """
    joined = join(read_predictions(predictions, task), read_truth(truth, task), task, order)
    question = question_of(joined, name, best, draws)
    question.protocols, question.facts, question.reference = protocols, joined.facts, reference
    question.kinds = {column: kind_by_values(values) for column, values in joined.facts.items()}
    if problems := check(protocols, question.kinds):
        raise TableError("\n".join(problems))
    result = evaluate(question)
    digests = {"predictions": file_digest(Path(predictions)), "truth": file_digest(Path(truth))}
    result.environment = environment() | {"seeds": joined.predictions.seeds, "sha256": digests}
    return result


def join(predictions: Predictions, truth: Truth, task: TaskName, order: Sequence[str]) -> Joined:
    """Join predictions and truth by key, in its order. Every labelled sample needs an answer;
    answers to other samples are left out.
    """
    place = {key: at for at, key in enumerate(predictions.keys)}
    rows = sorted(
        (row for row, label in enumerate(truth.labels) if label is not None),
        key=lambda row: truth.keys[row],
    )
    lacking = [truth.keys[row] for row in rows if truth.keys[row] not in place]
    if lacking:
        raise TableError(
            f"{predictions.file} has no answer for {len(lacking):,} of {len(rows):,} "
            f"labelled samples of {truth.file}, the first is {lacking[0]}; "
            "a model answers every sample. Take those that are not to be judged out of the truth."
        )
    labels = all_labels(predictions, truth, rows) if task != "regression" else []
    if task == "ordinal":
        predictions, labels = ranked(predictions, labels, order)
    return Joined(
        predictions,
        truth,
        task_of(task, labels),
        np.array([place[truth.keys[row]] for row in rows]),
        np.array(rows),
    )


def all_labels(predictions: Predictions, truth: Truth, rows: Sequence[int]) -> list[str]:
    """Those that are answered, then those that only the truth knows, which is refused where there
    are probabilities.
    """
    labels = list(predictions.labels)
    for row in rows:
        value = truth.labels[row]
        for label in value if isinstance(value, list) else [value]:
            if label in labels:
                continue
            if not predictions.only_answers:
                raise TableError(
                    f"{truth.file}, row {row + 1}, column label: {predictions.file} has no "
                    f"probability for {label}."
                )
            labels.append(str(label))
    return labels


def ranked(
    predictions: Predictions, labels: list[str], order: Sequence[str]
) -> tuple[Predictions, list[str]]:
    """Labels lowest first, and the answers with them."""
    try:
        wanted = in_order(ordered(labels), "ordinal", order)
    except AlignmentError as error:
        raise TableError(f"{predictions.file}: {error}.") from error
    grown = len(labels) - len(predictions.labels)
    at = [labels.index(label) if label in labels else len(labels) for label in wanted]

    def turned(answers: Floats) -> Floats:
        return np.pad(answers, ((0, 0), (0, 0), (0, grown + 1)))[..., at]

    singles = {name: turned(values) for name, values in predictions.singles.items()}
    prior = None if predictions.prior is None else turned(predictions.prior)
    return replace(
        predictions,
        labels=wanted,
        probabilities=turned(predictions.probabilities),
        singles=singles,
        prior=prior,
    ), wanted


def question_of(joined: Joined, name: str, best: str | None, draws: int) -> Question:
    predictions, truth, n = joined.predictions, joined.truth, len(joined.rows)
    singles = {modality: joined.wide(values) for modality, values in predictions.singles.items()}
    there: dict[str, NDArray[np.bool_]] = {
        modality: np.asarray(np.isfinite(values).all(2)) for modality, values in singles.items()
    }
    mask = (
        np.stack([present.all(0) for present in there.values()], 1)
        if singles
        else np.ones((n, 0), bool)
    )
    prior = None if predictions.prior is None else joined.wide(predictions.prior)
    unanswered = frozenset(
        modality for modality, present in there.items() if prior is None and not present.all()
    )
    absent = np.zeros(1) if prior is None else prior
    predictions_of = {
        modality: np.where(there[modality][..., None], values, absent)
        for modality, values in singles.items()
    }
    answering = [modality for modality in singles if modality not in unanswered]
    everything = tuple(range(len(singles)))
    scored = scored_of(joined, mask, list(singles))
    return Question(
        scored=scored,
        method=name,
        methods={name: MethodPredictions({everything: joined.probabilities}, joined.probabilities)},
        singles={modality: (values, values) for modality, values in predictions_of.items()},
        best_single=best_of(best, answering, predictions_of, joined),
        temperatures={},
        seeds=predictions.seeds,
        cluster_column=None if truth.cluster is None else "cluster",
        split=Split(policy="trained elsewhere", groups=[], folds=folds_of(scored.fold)),
        n_total=len(set(truth.keys) | set(predictions.keys)),
        left_out=left_out(predictions, truth),
        columns=subgroup_columns(
            {column: joined.column(values) for column, values in truth.columns.items()}
        ),
        draws=draws,
        only_answers=predictions.only_answers,
        soft_singles=False,
        unanswered=unanswered,
    )


def scored_of(joined: Joined, mask: NDArray[np.bool_], modalities: list[str]) -> Scored:
    """Return the test samples. mask: (n, M), where every seed has the modality."""
    predictions, n = joined.predictions, len(joined.rows)
    return Scored(
        keys=[joined.truth.keys[row] for row in joined.rows],
        y=joined.y,
        mask=mask,
        log_prior=np.zeros((n, joined.task.width)),
        cluster=joined.cluster,
        fold=np.full(n, "test") if predictions.fold is None else predictions.fold[joined.at],
        labels=joined.task.labels,
        modalities=modalities,
        learning_task=joined.task,
    )


def left_out(predictions: Predictions, truth: Truth) -> dict[str, int]:
    return {
        "no label": sum(label is None for label in truth.labels),
        "no truth": len(set(predictions.keys) - set(truth.keys)),
    }


def best_of(
    wanted: str | None, names: list[str], predictions: dict[str, Floats], joined: Joined
) -> str | None:
    if wanted is not None and wanted not in names:
        raise TableError(
            f"The gain cannot be over {wanted}: "
            + (
                f"only {', '.join(names)} alone answer every sample."
                if names
                else "no single modality answers every sample."
            )
        )

    def score(name: str) -> float:
        return float(
            np.mean([joined.task.score(joined.y, answers) for answers in predictions[name]])
        )

    return wanted or max(names, key=lambda name: (score(name), name), default=None)


def folds_of(fold: np.ndarray) -> list[Fold]:
    names, numbers = np.unique(fold, return_counts=True)
    return [
        Fold(name=str(name), n_train=None, n_test=int(number))
        for name, number in zip(names, numbers)
    ]
