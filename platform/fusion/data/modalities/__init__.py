"""The media of a study: what a file really is, whether it can be read, and how large it is.

Importing this package loads no numpy, Pillow or soundfile: the web process asks it for kinds and
limits. `inspect(path, kind)` decodes a file completely in this process; for files that strangers
sent use `fusion.data.child.Inspector`, which does the same in a child process with limits. A
sixth medium is one new module with `inspect(path) -> Inspection`, and one line in `MODULES`.
"""

from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from fusion.data.modalities.sniffing import HEAD_BYTES, forbidden, media_type, sniff

__all__ = [
    "HEAD_BYTES",
    "MODULES",
    "BrokenFile",
    "Inspection",
    "forbidden",
    "inspect",
    "media_type",
    "module",
    "sniff",
]

Picture = bytes

MODULES = ("image", "audio", "text", "series")


class BrokenFile(Exception):
    """A file that cannot be used. `reason` continues the sentence "FILE ..." in plain words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass
class Inspection:
    """A readable file described.

    facts: width, height, mode and format of an image; seconds, rate, channels and frames of a
    recording. flags: things a person should know that do not make the
    file unusable: blank, animated, location, silent, clipped, empty.
    """

    kind: str
    media_type: str
    bytes: int
    facts: dict[str, Any] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)
    thumbnail: Picture | None = None
    waveform: list[int] | None = None


def module(kind: str) -> ModuleType:
    """The module that knows this kind of medium; ValueError for a kind that is none."""
    if kind not in MODULES:
        raise ValueError(f"{kind} is no kind of medium; there are: {', '.join(MODULES)}")
    return import_module(f"{__name__}.{kind}")


def inspect(path: Path, kind: str) -> Inspection:
    """Decode the whole file and describe it; raises BrokenFile."""
    return module(kind).inspect(Path(path))


def head_of(path: Path, limit: int) -> tuple[bytes, int]:
    """The first bytes of a file and its size; raises BrokenFile if it is absent, empty, too large
    or of a forbidden format.
    """
    if not path.is_file():
        raise BrokenFile("is not there")
    size = path.stat().st_size
    if size == 0:
        raise BrokenFile("is empty (0 bytes)")
    if size > limit:
        raise BrokenFile(f"is too large ({size / 1e6:,.0f} MB; at most {limit / 1e6:,.0f} MB)")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if what := forbidden(head):
        raise BrokenFile(
            f"is {what}, which is never opened here because it can run code or hide anything"
        )
    return head, size


def expect(head: bytes, kind: str) -> str:
    """The media type of a file that must be of this kind; raises BrokenFile if its content says
    otherwise.
    """
    medium = sniff(head)
    if medium != kind:
        raise BrokenFile(
            f"is {'of an unknown format' if medium is None else f'{medium}, not {kind}'} (its "
            f"first bytes are {head[:8].hex(' ')})"
        )
    return media_type(head) or "application/octet-stream"
