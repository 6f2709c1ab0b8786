"""Runs compared by what they answered to the same test samples: paired by sample, in the same
bootstrap draws over clusters.

    runs = [read(f"{name}/predictions.parquet", name) for name in ("one", "two")]
    comparison = compare(runs)                            # CannotCompare
    comparison.runs[1].differences["macro_f1"].verdict    # clearly better, ... worse

Light but for numpy: the web process compares runs whose answers it read itself; `read` needs
pyarrow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.core.arrays import Floats, Ints
from fusion.schema.comparison import Compared, Comparison, Difference
from fusion.schema.intervals import Clusters, Interval, Verdict
from fusion.schema.metrics import COMPARED, METRICS
from fusion.schema.notes import Note
from fusion.schema.task_names import TaskName
from fusion.tasks import task_of
from fusion.tasks.bootstrap import Resampler, cluster_note, interval

if TYPE_CHECKING:
    from fusion.tasks.predictions import Scored

CLEAR = 0.05


class CannotCompare(ValueError):
    """Two runs that were not judged on the same samples; `note` says how they differ."""

    def __init__(self, note: Note) -> None:
        super().__init__(str(note))
        self.note = note


@dataclass(frozen=True)
class Answered:
    """The predictions of one run. keys, truth (labels of an alignment's form), cluster: one entry a
    sample; probabilities: its answers (S, n, D), columns as `labels` has them.

    cluster: None where nobody knows; only_answers: the probabilities are 1 for the answer.
    """

    name: str
    keys: Sequence[str]
    truth: Sequence[Any]
    labels: Sequence[str]
    probabilities: Floats
    cluster: Sequence[str] | None = None
    only_answers: bool = False
    task: TaskName = "classification"

    def by_key(self, labels: Sequence[str]) -> Floats:
        """(S, n, D) by the order of the keys, over these labels; 0 for those that it
        does not know.
        """
        order = sorted(range(len(self.keys)), key=lambda at: self.keys[at])
        if self.task == "regression":
            return self.probabilities[:, order]
        probabilities = np.zeros((len(self.probabilities), len(self.keys), len(labels)))
        probabilities[:, :, [labels.index(label) for label in self.labels]] = self.probabilities[
            :, order
        ]
        return probabilities


def compare(
    runs: Sequence[Answered], reference: str | None = None, draws: int = 1000
) -> Comparison:
    """reference: the name of one of the runs, the first by default. Raises CannotCompare."""
    if len(runs) < 2:
        raise CannotCompare(Note.of("one_run"))
    first = next((run for run in runs if run.name == reference), runs[0])
    for run in runs:
        same_samples(first, run)
    labels = list(dict.fromkeys(label for run in runs for label in run.labels))
    truth, task = dict(zip(first.keys, first.truth)), task_of(first.task, labels)
    y = task.encode([truth[key] for key in sorted(truth)])
    resampler = Resampler(clusters_of(runs, sorted(truth)), draws)
    scores = {run.name: task.scores(resampler, y, run.by_key(labels)) for run in runs}
    metrics = metrics_of(runs, first.task)
    draws_of = {
        name: {metric: own.draws(metric) for metric in metrics} for name, own in scores.items()
    }
    differences = differences_to(first.name, draws_of)
    unknown = all(run.cluster is None for run in runs)
    return Comparison(
        reference=first.name,
        n=len(y),
        clusters=Clusters(
            column=None if unknown else "cluster",
            n=resampler.n,
            draws=resampler.draws,
            note=cluster_note(resampler.n),
        ),
        corrected=len(differences),
        runs=[
            Compared(
                name=name,
                metrics={metric: interval(values) for metric, values in own.items()},
                differences=differences.get(name, {}),
            )
            for name, own in draws_of.items()
        ],
    )


def metrics_of(runs: Sequence[Answered], task: TaskName) -> list[str]:
    """Return the metrics that are known of every run: without probabilities there are fewer."""
    only_answers = any(run.only_answers for run in runs)
    return [
        name for name in COMPARED[task] if not (only_answers and METRICS[name].needs_probabilities)
    ]


def differences_to(
    reference: str, draws_of: Mapping[str, Mapping[str, Floats]]
) -> dict[str, dict[str, Difference]]:
    """Return run -> metric -> the paired difference to the reference, for every other run.

    draws_of: run -> metric -> (1 + draws,).
    """
    own = draws_of[reference]
    others = {name: draws for name, draws in draws_of.items() if name != reference}
    by_metric = {
        metric: paired(
            metric, {name: draws[metric] - own[metric] for name, draws in others.items()}
        )
        for metric in own
    }
    return {name: {metric: by_metric[metric][name] for metric in own} for name in others}


def same_samples(run: Answered, other: Answered) -> None:
    """Raise CannotCompare where two runs were not judged on the same samples and labels."""
    names = {"one": run.name, "other": other.name}
    if run.task != other.task:
        raise CannotCompare(Note.of("tasks_differ", task=run.task, other_task=other.task, **names))
    only_one = sorted(set(run.keys) - set(other.keys))
    only_other = sorted(set(other.keys) - set(run.keys))
    if only_one or only_other:
        n_one, n_other, key = len(only_one), len(only_other), (only_one or only_other)[0]
        raise CannotCompare(
            Note.of("samples_differ", n_one=n_one, n_other=n_other, key=key, **names)
        )
    labels = dict(zip(run.keys, run.truth))
    for key, label in sorted(zip(other.keys, other.truth)):
        if labels[key] != label:
            raise CannotCompare(
                Note.of(
                    "labels_differ",
                    key=key,
                    label=str(labels[key]),
                    other_label=str(label),
                    **names,
                )
            )


def against(reference: Answered, scored: "Scored") -> Floats:
    """(S, n, D') of the reference in the order of `scored`, over its labels and whatever others it
    knows. Raises CannotCompare.
    """
    task, nothing = scored.task, np.zeros((0, len(scored), 0))
    same_samples(
        Answered(
            "this run", scored.keys, task.decode(scored.y), scored.labels, nothing, task=task.name
        ),
        reference,
    )
    if task.name == "multi-label":  # each label is judged by itself
        return reference.by_key(list(dict.fromkeys([*scored.labels, *reference.labels])))[
            :, placed(scored), : len(scored.labels)
        ]
    probabilities = reference.by_key(
        [*scored.labels, *(label for label in reference.labels if label not in scored.labels)]
    )
    return probabilities[:, placed(scored)]


def placed(scored: "Scored") -> Ints:
    """Return the place of each sample in the order of the keys."""
    return np.argsort(np.argsort(scored.keys))


def clusters_of(runs: Sequence[Answered], keys: Sequence[str]) -> "np.ndarray":
    """Those of the first run that knows them; every sample by itself where none does."""
    known = next(
        (dict(zip(run.keys, run.cluster)) for run in runs if run.cluster is not None), None
    )
    return np.array([known[key] for key in keys] if known else keys)


def paired(metric: str, differences: dict[str, Floats]) -> dict[str, Difference]:
    """differences: name -> (1 + draws,) to the reference. *Clearly*: the interval excludes 0, and
    the corrected p is under 0.05.
    """
    p = holm([p_of(draws) for draws in differences.values()])
    results = {}
    for (name, draws), corrected in zip(differences.items(), p):
        between = interval(draws)
        clear = (
            corrected < CLEAR
            and between.low is not None
            and between.high is not None
            and not between.low <= 0 <= between.high
        )
        better = (between.value < 0) == METRICS[metric].lower_is_better
        verdict: Verdict = (
            "no clear difference" if not clear else "clearly better" if better else "clearly worse"
        )
        results[name] = Difference(**between.model_dump(), p=corrected, verdict=verdict)
    return results


def p_of(draws: Floats) -> float:
    """Two-sided, of no difference: twice the smaller share of draws on either side of 0 (Davison
    and Hinkley 1997, (4.11): never 0).
    """
    drawn = draws[1:]
    return min(1.0, 2 * (1 + int(min((drawn <= 0).sum(), (drawn >= 0).sum()))) / (1 + len(drawn)))


def holm(p: Sequence[float]) -> list[float]:
    """Holm 1979, A simple sequentially rejective multiple test procedure: the smallest p times m,
    the next times m - 1 ..., never falling.
    """
    corrected, worst = [1.0] * len(p), 0.0
    for rank, place in enumerate(sorted(range(len(p)), key=lambda place: p[place])):
        worst = max(worst, min(1.0, (len(p) - rank) * p[place]))
        corrected[place] = worst
    return corrected


def table(comparison: Comparison) -> list[str]:
    """Lines for a terminal."""
    lines = [
        f"{comparison.n:,} test samples, {comparison.clusters.n:,} clusters; differences to "
        f"{comparison.reference}, p corrected over {comparison.corrected}"
    ]
    for metric in comparison.runs[0].metrics:
        lines += [
            "",
            METRICS[metric].title
            + (", lower is better" if METRICS[metric].lower_is_better else ""),
        ]
        for run in comparison.runs:
            value, to = run.metrics[metric], run.differences.get(metric)
            difference = (
                "reference"
                if to is None
                else f"{to.value:+.3f} ({span(to, '+')})  p {to.p:.3f}  {to.verdict}"
            )
            lines.append(f"  {value.value:.3f} ({span(value)})  {difference}  {run.name}")
    return lines


def span(interval: Interval, sign: str = "") -> str:
    return (
        "no interval"
        if interval.low is None
        else f"{interval.low:{sign}.3f} to {interval.high:{sign}.3f}"
    )


def read(path: str | Path, name: str) -> Answered:
    """A table as `python -m fusion train` writes it, or any other that names the truth. Raises
    TableError.
    """
    from fusion.evaluation.prediction_tables import PredictionTable, labels_in, predictions_in

    table = PredictionTable.open(path)
    task = table.task
    predictions, keys = predictions_in(table, task), table.keys()
    truth = dict(zip(keys, labels_in(table, "truth", task)))
    if lacking := [key for key, label in truth.items() if label is None]:
        raise table.fail("is empty; every sample needs its label", keys.index(lacking[0]), "truth")
    cluster = dict(zip(keys, map(str, table.values("cluster")))) if table.has("cluster") else None
    return Answered(
        name=name,
        keys=predictions.keys,
        truth=[truth[key] for key in predictions.keys],
        labels=predictions.labels,
        probabilities=predictions.probabilities,
        cluster=None if cluster is None else [cluster[key] for key in predictions.keys],
        only_answers=predictions.only_answers,
        task=task,
    )
