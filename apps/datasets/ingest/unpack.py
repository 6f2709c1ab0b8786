"""Archives of strangers: nothing is written outside the folder, and nothing larger than the limits
(reliability: zip slip, bombs).
"""

import stat
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from fusion.data.modalities import forbidden
from fusion.data.tables.media_files import folded

MAX_FILES = 200_000
MAX_UNPACKED = 20 * 2**30
MAX_RATIO = 200
RATIO_FROM = 200 * 2**20
MAX_NAME = 300
CHUNK = 1 << 20
IGNORED = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")


class Refused(Exception):
    """An archive that is not unpacked; the message continues "ARCHIVE ..."."""


@dataclass
class Unpacked:
    """files: what lies in the folder, by its name inside; refused: [(name, reason)] of files that
    were left out.
    """

    files: dict[str, Path] = field(default_factory=dict)
    refused: list[tuple[str, str]] = field(default_factory=list)
    bytes: int = 0


def is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


def unpack(archive: Path, folder: Path, into: Unpacked, step: Callable[[int, int], None]) -> None:
    """All files of a zip into `folder`; raises Refused for an archive that is hostile, locked or
    damaged.
    """
    try:
        with zipfile.ZipFile(archive) as zipped:
            members = list(checked(zipped, archive.stat().st_size))
            taken = {folded(name) for name in into.files}
            for number, (member, name) in enumerate(members, 1):
                if folded(name) in taken:
                    raise Refused(f"holds {name}, which another uploaded file holds too")
                extract(zipped, member, name, folder, into)
                step(number, len(members))
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        NotImplementedError,
        EOFError,
        ValueError,
    ) as error:
        raise Refused(f"cannot be read to its end ({error}); pack and upload it again") from error


def checked(zipped: zipfile.ZipFile, size: int) -> Iterator[tuple[zipfile.ZipInfo, str]]:
    """Members and their names, after every check that needs no reading. Raises Refused."""
    members = [m for m in zipped.infolist() if not m.is_dir()]
    if len(members) > MAX_FILES:
        raise Refused(f"holds {len(members):,} files; at most {MAX_FILES:,} are unpacked")
    total = sum(m.file_size for m in members)
    if total > MAX_UNPACKED:
        raise Refused(
            f"would unpack to {total / 2**30:,.1f} GB; at most {MAX_UNPACKED // 2**30} GB are "
            "unpacked"
        )
    if total > RATIO_FROM and total > MAX_RATIO * size:
        raise Refused(
            f"would unpack to {total / size:,.0f} times its size, as a trap does; pack the files "
            "otherwise"
        )
    seen: set[str] = set()
    for member in members:
        name = safe_name(member)
        if set(PurePosixPath(name).parts) & set(IGNORED):
            continue
        if folded(name) in seen:
            raise Refused(f"holds {name} twice, or two names that differ only in capitals")
        seen.add(folded(name))
        yield member, name


def safe_name(member: zipfile.ZipInfo) -> str:
    """The name as a relative path; raises Refused for one that leads out, for links, devices and
    locked files.
    """
    name = decoded(member)
    path = PurePosixPath(name.replace("\\", "/"))
    mode = member.external_attr >> 16
    if (
        path.is_absolute()
        or ".." in path.parts
        or (path.parts and path.parts[0].endswith(":"))
        or not path.parts
    ):
        raise Refused(f"holds the name {name!r}, which leads out of it; nothing was unpacked")
    if any(ord(c) < 32 for c in name) or len(name) > MAX_NAME:
        raise Refused(
            f"holds a name with control characters or over {MAX_NAME} characters: {name[:60]!r}"
        )
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise Refused(f"holds {name}, a link or device; pack the file itself")
    if member.flag_bits & 0x1:
        raise Refused("is locked by a password; pack it without one")
    return unicodedata.normalize("NFC", str(path))


def decoded(member: zipfile.ZipInfo) -> str:
    """Names without the UTF-8 flag were read as code page 437; most are UTF-8 or, packed in
    Chinese, GB18030.
    """
    if member.flag_bits & 0x800 or member.filename.isascii():
        return member.filename
    raw = member.filename.encode("cp437", "replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return member.filename


def extract(
    zipped: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, folder: Path, into: Unpacked
) -> None:
    """One file, counted while it is read: what an archive says of itself is not believed."""
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipped.open(member) as source:
        head = source.read(CHUNK)
        if what := forbidden(head[:4096]):
            into.refused.append((name, f"is {what}, which is never opened here"))
            return
        with target.open("xb") as out:
            while head:
                into.bytes += len(head)
                if into.bytes > MAX_UNPACKED:
                    raise Refused(f"unpacks to more than {MAX_UNPACKED // 2**30} GB")
                out.write(head)
                head = source.read(CHUNK)
    into.files[name] = target
