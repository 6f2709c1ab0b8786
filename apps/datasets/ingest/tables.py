"""Tables of strangers, read in a child process with limits (see reader.py)."""

import json
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fusion.data.modalities import BrokenFile
from fusion.data.modalities.child import environment

ROOT = Path(__file__).parents[3]
SECONDS = 600


@dataclass
class RawTable:
    """columns: name -> one value a row, None where empty; lines: where each row stands in the file;
    problems: rows left out.
    """

    columns: dict[str, list[Any]] = field(default_factory=dict)
    lines: list[int] = field(default_factory=list)
    problems: list[dict[str, Any]] = field(default_factory=list)
    encoding: str = ""

    def __len__(self) -> int:
        return len(self.lines)


def is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def read_table(path: Path) -> RawTable:
    """A whole CSV or Parquet file, recognised by content; raises BrokenFile."""
    if not path.is_file():
        raise BrokenFile("is not there")
    env = environment()
    env["PYTHONPATH"] = f"{env['PYTHONPATH']}:{ROOT}"
    command = [
        sys.executable,
        "-P",
        "-m",
        f"{__package__}.reader",
        str(path),
        "parquet" if is_parquet(path) else "csv",
    ]
    with subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, text=True, encoding="utf-8", env=env
    ) as child:
        deadline = threading.Timer(SECONDS, child.kill)
        deadline.start()
        try:
            table = _parts(child)
        finally:
            deadline.cancel()
            child.kill()
    if table is None:
        raise BrokenFile(
            f"made its reader stop (code {child.returncode}): it needs too much memory or time, or is damaged"
        )
    return table


def _parts(child: "subprocess.Popen[str]") -> RawTable | None:
    table, complete = RawTable(), False
    assert child.stdout is not None
    for line in child.stdout:
        part = json.loads(line)
        if "broken" in part:
            raise BrokenFile(part["broken"])
        if "about" in part:
            table.problems, table.encoding = (
                part["about"]["problems"],
                part["about"].get("encoding", ""),
            )
        elif "lines" in part:
            table.lines, complete = part["lines"], True
        else:
            table.columns[part["name"]] = shared(part["values"])
    return table if complete else None


def shared(values: list[Any]) -> list[Any]:
    """Equal texts as one object: a column of categories takes a pointer a row."""
    known: dict[str, str] = {}
    return [known.setdefault(value, value) if isinstance(value, str) else value for value in values]
