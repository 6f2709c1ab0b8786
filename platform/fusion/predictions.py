"""Answers as a Parquet file: one row a sample and seed."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from fusion.evaluate.answers import Scored
from fusion.evaluate.disagreement import suspicion, together
from fusion.evaluate.metrics import Floats
from fusion.files import write_bytes


def write(path: Path, scored: Scored, probabilities: Floats, singles: dict[str, Floats], seeds: list[int]) -> None:
    """probabilities and singles: (S, n, K). Columns: key, truth, cluster, fold, seed, answer, confidence, probabilities, prior,
    suspicion, single:MODALITY.

    `prior` is the label that is answered where nothing is known; `suspicion` is that of the label, in nats, the same in every seed's rows (fusion.evaluate.disagreement); `single:...` is what that
    modality alone answers, null where the sample lacks it.
    """
    suspicious = suspicion(together(singles, scored.log_prior), scored.y)
    tables = [
        pa.table(rows(scored, p, {name: values[i] for name, values in singles.items()}, seeds[i], suspicious))
        for i, p in enumerate(probabilities)
    ]
    table = pa.concat_tables(tables).replace_schema_metadata({"labels": "\n".join(scored.labels)})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    write_bytes(path, sink.getvalue().to_pybytes())


def rows(scored: Scored, p: Floats, singles: dict[str, Floats], seed: int, suspicious: Floats) -> dict[str, Any]:
    names = scored.labels
    columns: dict[str, Any] = {
        "key": pa.array(scored.keys, pa.string()),
        "truth": pa.array([names[k] for k in scored.y], pa.string()),
        "cluster": pa.array([str(name) for name in scored.cluster], pa.string()),
        "fold": pa.array([str(name) for name in scored.fold], pa.string()),
        "seed": pa.array([seed] * len(scored), pa.int64()),
        "answer": pa.array([names[k] for k in p.argmax(1)], pa.string()),
        "confidence": pa.array(p.max(1), pa.float32()),
        "probabilities": pa.array(list(p), pa.list_(pa.float32())),
        "prior": pa.array([names[k] for k in scored.log_prior.argmax(1)], pa.string()),
        "suspicion": pa.array(suspicious, pa.float32()),
    }
    for column, name in enumerate(scored.modalities):
        said = singles[name].argmax(1)
        answers = [names[k] if there else None for k, there in zip(said, scored.mask[:, column])]
        columns[f"single:{name}"] = pa.array(answers, pa.string())
    return columns
