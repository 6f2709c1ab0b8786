"""The table file of a version: one Parquet file, key first, media cells as digests; and what its
columns hold.
"""

import hashlib
import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from fusion.data.tables.typed import TypedColumn

from .draft import Draft

ROW_GROUP = 50_000
TOP = 50
TYPES = {
    "number": pa.float64(),
    "time": pa.timestamp("us"),
    "tags": pa.list_(pa.string()),
    "series": pa.list_(pa.float64()),
}
COUNTED = ("category", "label", "group", "tags")
MEASURED = {"number": float, "time": str}


def write_table(draft: Draft, path: Path) -> None:
    """The same content gives the same bytes, so the same digest."""
    columns = {draft.key: pa.array(draft.keys, pa.string())}
    for name, column in draft.columns.items():
        columns[name] = pa.array(column.values, TYPES.get(column.kind, pa.string()))
    table = pa.table(columns)
    coded = [
        name
        for name, column in draft.columns.items()
        if column.kind not in ("number", "time", "series")
    ]
    # a column of lists is coded under the path of its elements
    paths = [
        f"{name}.list.element" if draft.columns[name].kind == "tags" else name for name in coded
    ]
    parquet.write_table(
        table, path, row_group_size=ROW_GROUP, compression="zstd", use_dictionary=paths
    )


def describe_columns(draft: Draft) -> list[dict[str, Any]]:
    """The facts that the database keeps of each column, the key first."""
    key = {
        "name": draft.key,
        "kind": "id",
        "key": True,
        "missing": 0,
        "distinct": len(set(draft.keys)),
    }
    return [
        key,
        *(describe(name, column, draft.broken[name]) for name, column in draft.columns.items()),
    ]


def describe(name: str, column: TypedColumn, broken: int) -> dict[str, Any]:
    present = [value for value in column.values if value is not None]
    facts: dict[str, Any] = {
        "name": name,
        "kind": column.kind,
        "unit": column.unit,
        "description": column.description,
    }
    facts |= {"missing": len(column.values) - len(present), "distinct": distinct(present)}
    if broken:
        facts["broken"] = broken
    if present and column.kind in MEASURED:
        facts |= {
            "min": MEASURED[column.kind](min(present)),
            "max": MEASURED[column.kind](max(present)),
        }
    if present and column.kind == "number":
        facts["mean"] = math.fsum(present) / len(present)
    if column.kind == "text" and present:
        words = sorted(len(text.split()) for text in present)
        facts |= {"words": words[len(words) // 2], "max_words": words[-1]}
    if column.kind in COUNTED:
        counted = (
            Counter(tag for tags in present for tag in tags)
            if column.kind == "tags"
            else Counter(present)
        )
        facts["top"] = [[value, count] for value, count in counted.most_common(TOP)]
    return facts


def distinct(present: list[Any]) -> int:
    return len({tuple(value) if isinstance(value, list) else value for value in present})


def digest_over(columns: list[dict[str, Any]], table_sha256: str) -> str:
    """The digest that an alignment names: over the table's bytes and the meaning of its columns."""
    schema = [[c["name"], c["kind"], c.get("unit", "")] for c in columns]
    return hashlib.sha256(
        json.dumps([schema, table_sha256], ensure_ascii=False).encode()
    ).hexdigest()
