"""Time series: a list of numbers in a cell, or a file with one number a line (CSV: the last
column).
"""

import csv
import json
import math
import re
from pathlib import Path
from typing import Any

from fusion.data.modalities import BrokenFile, Inspection, head_of

MAX_BYTES = 200_000_000
MAX_POINTS = 10_000_000


def parse(value: Any) -> list[float]:
    """Numbers of one cell: a list, a JSON list, or numbers separated by spaces, semicolons or
    commas. Raises BrokenFile.
    """
    if isinstance(value, str):
        value = listed(value.strip())
    if not isinstance(value, list | tuple):
        raise BrokenFile("is no list of numbers")
    if len(value) > MAX_POINTS:
        raise BrokenFile(f"has {len(value):,} values; at most {MAX_POINTS:,} are read")
    return [number(v) for v in value]


def listed(text: str) -> Any:
    """The list that a text writes out; an empty place between two marks stays one. Raises
    BrokenFile.
    """
    if text.startswith("["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BrokenFile(f"is no list of numbers ({error})") from error
    if re.search(r"\d,\d", text) and re.search(r"\d;|\d\s+[\d.+-]", text):
        raise BrokenFile(
            "has commas beside other separators, which may be decimal commas; write the numbers"
            " with a point, as in 1.5 2.5"
        )
    return re.split(r"\s*[;,]\s*|\s+", text)


def number(value: Any) -> float:
    """A finite number, or NaN for an empty place. Raises BrokenFile."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return math.nan
    try:
        parsed = float(value.replace("_", "?") if isinstance(value, str) else value)
    except (TypeError, ValueError, OverflowError) as error:
        raise BrokenFile(f"holds {str(value)[:40]!r}, which is no number") from error
    if math.isinf(parsed):
        raise BrokenFile("holds an infinite value")
    return parsed


def decode(path: Path) -> list[float]:
    """The numbers of a file; a first line of words is taken as a heading. Raises BrokenFile."""
    head_of(path, MAX_BYTES)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            cells = [row[-1] for row in csv.reader(file) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BrokenFile(f"is no text of numbers ({error})") from error
    if cells and not is_number(cells[0]):
        cells = cells[1:]
    return parse(cells)


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def inspect(path: Path) -> Inspection:
    """Describe a file of numbers; raises BrokenFile."""
    values = decode(path)
    if not values:
        raise BrokenFile("holds no numbers")
    facts = {"points": len(values), "missing": sum(math.isnan(v) for v in values)}
    return Inspection(
        "series", "text/csv", path.stat().st_size, facts, ["blank"] if len(set(values)) == 1 else []
    )
