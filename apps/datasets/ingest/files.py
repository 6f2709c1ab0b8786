"""Where the media that a table names are: by path, by the end of the path, or by a file name that
only one file has.
"""

from collections import defaultdict
from pathlib import Path

from fusion.data.modalities import HEAD_BYTES, BrokenFile, sniff

from .unpack import folded


class Files:
    """Files by name: of an unpacked upload, or of a folder on this machine (read only where a table
    names one).
    """

    def __init__(self, files: dict[str, Path], folder: Path | None = None) -> None:
        self.folder = folder
        self.exact = files
        self.folded = {folded(name): path for name, path in files.items()}
        self.ends: defaultdict[str, list[str]] = defaultdict(list)
        for name in self.folded:
            self.ends[name.rsplit("/", 1)[-1]].append(name)
        self.kinds: dict[Path, str | None] = {}

    def find(self, value: str) -> Path | None:
        name = value.strip().replace("\\", "/").removeprefix("./")
        if path := self.exact.get(name) or self._in_folder(name):
            return path
        key = folded(name)
        if path := self.folded.get(key):
            return path
        same = [
            end
            for end in self.ends.get(key.rsplit("/", 1)[-1], ())
            if end.endswith(f"/{key}") or key.endswith(f"/{end}") or "/" not in key
        ]
        return self.folded[same[0]] if len(same) == 1 else None

    def _in_folder(self, name: str) -> Path | None:
        if self.folder is None:
            return None
        from fusion.data.study import inside

        try:
            path = inside(self.folder, name)
        except BrokenFile:
            return None
        return path if path.is_file() else None

    def sniff(self, value: str) -> str | None:
        """The medium of the file of this name by its content; None if there is no such file."""
        path = self.find(value)
        if path is None:
            return None
        if path not in self.kinds:
            with path.open("rb") as file:
                self.kinds[path] = sniff(file.read(HEAD_BYTES))
        return self.kinds[path]
