"""The folder of one upload under `CONSILIENCE_HOME/uploads/`: parts as they came, files unpacked,
what the inspection found.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

RESERVE_BYTES = 2**30
RESERVE_SHARE = 0.05


@dataclass(frozen=True)
class UploadFolder:
    folder: Path

    @property
    def parts(self) -> Path:
        return self.folder / "parts"

    @property
    def files(self) -> Path:
        return self.folder / "files"

    def part(self, number: int) -> Path:
        """Parts are named by number: a name that somebody sent is never a path here."""
        return self.parts / f"{number:04d}"

    def make(self) -> "UploadFolder":
        self.parts.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self

    def empty_files(self) -> Path:
        """A second attempt unpacks afresh; what was inspected stays."""
        shutil.rmtree(self.files, ignore_errors=True)
        self.files.mkdir(parents=True)
        return self.files

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def workspace_of(upload_id: object) -> UploadFolder:
    return UploadFolder(settings.HOME / "uploads" / str(upload_id))


def room_for(size: int) -> bool:
    """Return True where the disk keeps its reserve (1 GiB or 5 %, whichever is less) when so many
    bytes more are written.
    """
    usage = shutil.disk_usage(settings.HOME)
    return usage.free - size > min(RESERVE_BYTES, RESERVE_SHARE * usage.total)
