"""What an installation knows about an encoder: `encoder.json` in the folder of its name. Light,
since the web process shows it.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

RECORD = "encoder.json"


@dataclass(frozen=True)
class Check:
    """A self-test on samples that are made here. date: ISO 8601, UTC; seconds: wall clock for one
    sample; fault: empty where it passed.
    """

    date: str
    seconds: float
    fault: str = ""

    @property
    def passed(self) -> bool:
        return not self.fault


@dataclass(frozen=True)
class Record:
    """dim: of a vector with the default options; layers: how many can be asked for; parameters:
    numbers in the network.

    sha256: of the weights; digest: of weights and configuration together, empty for an encoder that
    comes with the product.
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
    """None where there is no record, or none that can be understood."""
    facts = of_json(folder / RECORD)
    try:
        return Record(**{**facts, "check": Check(**facts["check"])}) if facts else None
    except (TypeError, KeyError):
        return None


def write(folder: Path, record: Record) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f".{RECORD}.tmp"
    beside.write_text(
        json.dumps(asdict(record), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    beside.replace(folder / RECORD)


def of_json(path: Path) -> dict[str, Any]:
    """The named values of a file; empty where it cannot be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError):
        # a folder of an administrator that is still being copied, or broken, is no encoder; loading
        # it by name says why
        return {}
    return content if isinstance(content, dict) else {}
