"""The file that a cell names: by its path, else by what people and systems do to paths."""

import unicodedata
from collections import defaultdict
from pathlib import Path, PurePosixPath

from fusion.data.modalities import HEAD_BYTES, BrokenFile, sniff


def folded(name: str) -> str:
    """Return a name as it is compared: composed, without capitals."""
    return unicodedata.normalize("NFC", name).casefold()


def slashed(name: str) -> str:
    return name.strip().replace("\\", "/").removeprefix("./")


class MediaFiles:
    """Files by name: those of an unpacked upload, or those of a folder on this machine, which is
    walked through only where a name does not fit as it stands.
    """

    def __init__(self, files: dict[str, Path] | None = None, folder: Path | None = None) -> None:
        self.files = dict(files or {})
        self.folder = folder
        self.complete = folder is None
        self.by_folded: dict[str, Path | None] = {}
        """None where several files differ by capitals or accents alone: which is meant?"""
        self.ends: defaultdict[str, list[str]] = defaultdict(list)
        self.kinds: dict[Path, str | None] = {}
        self.index(self.files)

    def index(self, files: dict[str, Path]) -> None:
        for name, path in files.items():
            key = folded(name)
            self.by_folded[key] = None if key in self.by_folded else path
            last = key.rsplit("/", 1)[-1]
            for end in {last, last.rsplit(".", 1)[0]}:
                self.ends[end].append(key)

    def walk(self) -> None:
        """Add every file of the folder."""
        if self.complete or self.folder is None:
            return
        self.complete = True
        present = {
            path.relative_to(self.folder).as_posix(): path
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and path.resolve().is_relative_to(self.folder.resolve())
        }
        self.index({name: path for name, path in present.items() if name not in self.files})
        self.files |= present

    def find(self, value: str) -> Path | None:
        """Return the file of exactly this name, else the only one whose name differs by slashes,
        capitals, accents, folders in front or a missing ending; None where there is none.
        """
        name = slashed(value)
        if path := self.files.get(name) or self.in_folder(name):
            return path
        self.walk()
        key = folded(name)
        if key in self.by_folded:
            return self.by_folded[key]
        last = key.rsplit("/", 1)[-1]
        same = {name for name in self.ends.get(last, ()) if fits(name, key, "." not in last)}
        return self.by_folded[same.pop()] if len(same) == 1 else None

    def in_folder(self, name: str) -> Path | None:
        if self.folder is None:
            return None
        try:
            path = inside(self.folder, name)
            return path if path.is_file() else None
        except (BrokenFile, OSError):
            return None

    def name_of(self, path: Path) -> str:
        """Return the name by which a file is known here."""
        if self.folder and path.is_relative_to(self.folder):
            return path.relative_to(self.folder).as_posix()
        return next((name for name, known in self.files.items() if known == path), path.name)

    def sniff(self, value: str) -> str | None:
        """Return the medium of the file of this name by its content; None if there is none."""
        path = self.find(value)
        if path is None:
            return None
        if path not in self.kinds:
            with path.open("rb") as file:
                self.kinds[path] = sniff(file.read(HEAD_BYTES))
        return self.kinds[path]


def fits(name: str, key: str, without_ending: bool) -> bool:
    """Return whether one name is the other with folders in front of it; without_ending: the key may
    lack the ending of the file.
    """
    whole = name.rsplit(".", 1)[0] if without_ending and "." in name.rsplit("/", 1)[-1] else name
    if whole.rsplit("/", 1)[-1] != key.rsplit("/", 1)[-1]:
        return False
    return "/" not in key or whole == key or whole.endswith(f"/{key}") or key.endswith(f"/{whole}")


def inside(folder: Path, name: str) -> Path:
    """Return `folder / name`; raises BrokenFile if the name is absolute, climbs out, or goes
    through a link that does.
    """
    pure = PurePosixPath(name)
    if "\0" in name or "\\" in name or pure.is_absolute() or ".." in pure.parts or not pure.parts:
        raise BrokenFile("is no path inside the study folder")
    path = folder / pure
    if not path.resolve().is_relative_to(folder.resolve()):
        raise BrokenFile("leads out of the study folder")
    return path
