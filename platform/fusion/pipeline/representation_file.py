"""The fused representation of the test samples as a Parquet file: one row a sample, in the order of
their keys within each round.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fusion.core.files import write_bytes
from fusion.evaluation.subgroups import MOST_VALUES
from fusion.features.representation import Space, Vectors, drawn
from fusion.tasks.predictions import Scored

NUMBERS = 2**26
"""In one file at most, 256 MB; of more samples than that holds some are drawn by their keys."""
ROWS = 20_000
"""In one part of the file: what is written, and read, at the same time."""


def write(
    path: Path, space: Space, scored: Scored, columns: Mapping[str, Sequence[Any]], places: Vectors
) -> None:
    """Columns: key, truth, fold, space, x, y, column:NAME of each of `columns` that makes
    subgroups, all, alone:MODALITY.

    space: the fold, null where all of them have one space; vectors and places of different spaces
    cannot be compared. x, y: the place on the map (fusion.evaluation.embedding_map), null where it
    has none. `all` and `alone:...` are vectors of D numbers, null where the sample has no such
    input.
    """
    rows = drawn(scored.keys, NUMBERS // (space.whole.shape[1] * (1 + len(space.alone))))
    table: dict[str, Any] = {
        "key": pa.array([scored.keys[row] for row in rows], pa.string()),
        "truth": pa.array([scored.task.truth(y) for y in scored.y[rows]], pa.string()),
        "fold": pa.array([str(name) for name in scored.fold[rows]], pa.string()),
    }
    table["space"] = pa.nulls(len(rows), pa.string()) if space.common else table["fold"]
    for axis, name in enumerate("xy"):
        table[name] = pa.array(places[rows, axis], pa.float32(), mask=np.isnan(places[rows, axis]))
    for name, values in columns.items():
        texts = [None if values[row] is None else str(values[row]) for row in rows]
        if len(set(texts)) <= MOST_VALUES:
            table[f"column:{name}"] = pa.array(texts, pa.string())
    table["all"] = vectors(space.whole[rows], np.any(scored.mask[rows], axis=1))
    for column, (name, alone) in enumerate(space.alone.items()):
        table[f"alone:{name}"] = vectors(alone[rows], scored.mask[rows, column])
    facts = {"method": space.method, "modalities": "\n".join(space.alone)}
    sink = pa.BufferOutputStream()
    pq.write_table(
        pa.table(table).replace_schema_metadata(facts),
        sink,
        compression="zstd",
        row_group_size=ROWS,
    )
    write_bytes(path, memoryview(sink.getvalue()))


def vectors(values: Vectors, present: NDArray[np.bool_]) -> pa.Array:
    """(n, D) -> n lists of D float32, null where not present"""
    flat = pa.array(np.ascontiguousarray(values).ravel(), pa.float32())
    return pa.FixedSizeListArray.from_arrays(flat, values.shape[1], mask=pa.array(~present))
