"""Bytes under their SHA-256 in the default storage, and the small copies that were made of them."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

from apps.projects.models import Project

from .models import Blob, BlobUse

CHUNK = 1 << 20
CACHE_BYTES = 20 * 2**30
THUMB_PX = 256
VIEW_PX = 1024
DERIVED_TYPE = "image/webp"
SIZES = {"thumb": "thumb", "view": "view"}


def blob_name(sha256: str, size: str = "") -> str:
    """Return the name of the bytes in the storage; `size` names a small copy: thumb (256 px) or
    view (1,024 px).
    """
    name = f"{sha256[:2]}/{sha256[2:4]}/{sha256}"
    return f"{name}.{SIZES[size]}.webp" if size else name


def quarantine_name(sha256: str) -> str:
    return f"quarantine/{sha256[:2]}/{sha256}"


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Staged(File):
    """A file that a folder storage renames into place, so that a name never stands over half of its
    bytes.
    """

    def temporary_file_path(self) -> str:
        return self.name


def staging_folder() -> Path:
    """Return a folder on the disk of the folder storage, where that is in use: a rename
    is enough.
    """
    root = Path(getattr(default_storage, "location", None) or settings.FILE_UPLOAD_TEMP_DIR)
    folder = root / "staging"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def has_file(name: str, size: int) -> bool:
    """Whole bytes are there: a name over other bytes, left by a fault of the disk, does
    not count.
    """
    try:
        return default_storage.size(name) == size
    except OSError:
        return False


def store_path(path: Path, name: str) -> None:
    """Put the bytes of a file under a name; done already, it does nothing. Atomic, and safe to
    repeat.
    """
    if has_file(name, path.stat().st_size):
        return
    default_storage.delete(name)
    handle, staged = tempfile.mkstemp(dir=staging_folder())
    os.close(handle)
    place_copy(path, Path(staged))
    _save(Path(staged), name)


def place_copy(path: Path, staged: Path) -> None:
    """Files of an upload are linked instead of copied; those of somebody's own folder stay theirs
    and are copied.
    """
    if path.is_relative_to(settings.HOME / "uploads"):
        staged.unlink()
        try:
            os.link(path, staged)
        except OSError:  # another disk, or one that knows no links
            shutil.copyfile(path, staged)
    else:
        shutil.copyfile(path, staged)


def _save(staged: Path, name: str) -> None:
    try:
        with staged.open("rb") as file:
            saved = default_storage.save(name, Staged(file, name=str(staged)))
        if saved != name:  # somebody stored the same bytes in this moment
            default_storage.delete(saved)
    finally:
        staged.unlink(missing_ok=True)


def blob_path(sha256: str) -> Path:
    """A file on this machine with the bytes: the storage's own, else a copy in the cache of this
    machine.
    """
    name = blob_name(sha256)
    try:
        return Path(default_storage.path(name))
    except NotImplementedError:
        return _fetched(name, sha256)


def _fetched(name: str, sha256: str) -> Path:
    folder = settings.HOME / "cache" / "blobs"
    path = folder / sha256
    if path.exists():
        os.utime(path)
        return path
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, part = tempfile.mkstemp(dir=folder, suffix=".part")
    with os.fdopen(handle, "wb") as target, default_storage.open(name, "rb") as source:
        shutil.copyfileobj(source, target, CHUNK)
    _make_room(folder)
    os.replace(part, path)
    return path


def _make_room(folder: Path) -> None:
    """Throw out what was not used for longest until the cache is under its limit."""
    files = sorted(
        (f for f in folder.iterdir() if f.suffix != ".part"), key=lambda f: f.stat().st_mtime
    )
    total = sum(f.stat().st_size for f in files)
    for file in files:
        if total <= CACHE_BYTES:
            return
        total -= file.stat().st_size
        file.unlink(missing_ok=True)


def register_blobs(project: Project, blobs: Iterable[Blob]) -> dict[str, Blob]:
    """Rows for stored bytes and the project's right to them, in bulk; inside the transaction of the
    version. By digest.
    """
    wanted = {blob.sha256: blob for blob in blobs}
    Blob.objects.bulk_create(wanted.values(), ignore_conflicts=True, batch_size=500)
    registered = blobs_by_digest(wanted)
    BlobUse.objects.bulk_create(
        (BlobUse(project=project, blob=blob) for blob in registered.values()),
        ignore_conflicts=True,
        batch_size=500,
    )
    return registered


def blobs_by_digest(digests: Iterable[str]) -> dict[str, Blob]:
    names, blobs = list(digests), dict[str, Blob]()
    for start in range(0, len(names), 500):
        blobs |= Blob.objects.in_bulk(names[start : start + 500], field_name="sha256")
    return blobs
