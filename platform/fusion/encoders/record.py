"""The record of an installed encoder: `encoder.json` in the folder of its name. Light, since the
web process shows it.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

RECORD = "encoder.json"


@dataclass(frozen=True)
class Check:
    """The outcome of a self-test.

    date: ISO 8601, UTC; seconds: wall clock for one sample; fault: empty where it passed.
    """

    date: str
    seconds: float
    fault: str = ""

    @property
    def passed(self) -> bool:
        return not self.fault


@dataclass(frozen=True)
class Record:
    """An encoder as it was installed and tested.

    dim: length of a vector with the default options; layers: number of layers to choose from;
    parameters: numbers in the network. sha256: of the weights; digest: of weights and configuration
    together, empty for an encoder that comes with the product.
    """

    name: str
    family: str
    kind: str
    dim: int
    layers: int
    parameters: int
    sha256: str
    digest: str
    source: str
    version: str
    licence: str
    check: Check


def read(folder: Path) -> Record | None:
    """Return the record in a folder; None where it is missing or cannot be understood."""
    facts = of_json(folder / RECORD)
    try:
        return Record(**{**facts, "check": Check(**facts["check"])}) if facts else None
    except (TypeError, KeyError):
        return None


def write(folder: Path, record: Record) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{RECORD}.tmp"
    partial.write_text(
        json.dumps(asdict(record), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    partial.replace(folder / RECORD)


def of_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file; empty where it cannot be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError):
        # a folder of an administrator that is still being copied, or broken, is no encoder; loading
        # it by name says why
        return {}
    return content if isinstance(content, dict) else {}
