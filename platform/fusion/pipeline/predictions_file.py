"""Answers as a Parquet file: one row a sample and seed."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from fusion.core.arrays import Floats
from fusion.core.files import write_bytes
from fusion.data.alignment_files import label_type
from fusion.evaluation.disagreements import together
from fusion.tasks.base import LearningTask
from fusion.tasks.predictions import Scored

FLOATS = {
    "confidence": pa.float32(),
    "probabilities": pa.list_(pa.float32()),
    "spread": pa.float32(),
}


def write(
    path: Path, scored: Scored, answers: Floats, singles: dict[str, Floats], seeds: list[int]
) -> None:
    """answers and singles: (S, n, D). Columns: key, truth, cluster, fold, seed, answer, confidence,
    probabilities, prior, suspicion, single:MODALITY. Of a number spread stands in place of
    confidence and probabilities.

    `prior` is what is answered where nothing is known; `suspicion` is that of the label, in nats,
    the same in every seed's rows (fusion.evaluation.disagreements); `single:...` is what that
    modality alone answers, null where the sample lacks it.
    """
    task = scored.task
    suspicious = task.suspicion(together(task, singles, scored.mask, scored.log_prior), scored.y)
    tables = [
        pa.table(
            rows(
                scored,
                p,
                {name: values[i] for name, values in singles.items()},
                seeds[i],
                suspicious,
            )
        )
        for i, p in enumerate(answers)
    ]
    table = pa.concat_tables(tables).replace_schema_metadata(
        {"labels": "\n".join(scored.labels), "task": task.name}
    )
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    write_bytes(path, sink.getvalue().to_pybytes())


def rows(
    scored: Scored, p: Floats, singles: dict[str, Floats], seed: int, suspicious: Floats
) -> dict[str, Any]:
    task = scored.task
    kind, prior = label_type(task.name), task.predictions(task.beliefs(scored.log_prior))
    columns: dict[str, Any] = {
        "key": pa.array(scored.keys, pa.string()),
        "truth": pa.array(task.decode(scored.y), kind),
        "cluster": pa.array([str(name) for name in scored.cluster], pa.string()),
        "fold": pa.array([str(name) for name in scored.fold], pa.string()),
        "seed": pa.array([seed] * len(scored), pa.int64()),
        **told(task, p),
        "prior": pa.array(task.named(prior), kind),
        "suspicion": pa.array(suspicious, pa.float32()),
    }
    for column, name in enumerate(scored.modalities):
        answers = zip(task.named(singles[name]), scored.mask[:, column])
        columns[f"single:{name}"] = pa.array(
            [answer if there else None for answer, there in answers], kind
        )
    return columns


def told(task: LearningTask, answers: Floats) -> dict[str, pa.Array]:
    """answer, then how sure it is. answers: (n, D)"""
    beside = {
        name: pa.array(values, FLOATS[name]) for name, values in task.columns(answers).items()
    }
    return {"answer": pa.array(task.named(answers), label_type(task.name)), **beside}
