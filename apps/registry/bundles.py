"""A version's bundle on disk: checked by its digests before it leaves, packed without holding it in
memory.

The digests are those of `fusion.pipeline.bundle_files`; they are computed here with the standard
library alone, since the engine's module brings torch into the web process.
"""

import hashlib
import json
import tempfile
import zipfile
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _

from .models import ModelVersion

MANIFEST = "bundle.json"


class BundleProblem(Exception):
    """The files are gone or not those that were registered; the message says which."""


def folder_of(version: ModelVersion) -> Path:
    return settings.HOME / version.run.bundle_path


def size_of(version: ModelVersion) -> int | None:
    """Bytes on disk, None where the folder is gone."""
    folder = folder_of(version)
    return (
        sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
        if version.run.bundle_path and folder.is_dir()
        else None
    )


def checked(version: ModelVersion) -> tuple[Path, dict[str, str]]:
    """The folder and its files with their digests. Raises BundleProblem unless every byte is what
    was registered.
    """
    folder = folder_of(version)
    if not version.run.bundle_path or not (folder / MANIFEST).is_file():
        raise BundleProblem(
            _("The bundle of %(version)s is not on this server any more.") % {"version": version}
        )
    facts = _manifest(folder / MANIFEST)
    digest = _digest({name: value for name, value in facts.items() if name != "digest"})
    if not digest == facts.get("digest") == version.bundle_digest:
        raise BundleProblem(
            _("The bundle was changed after it was registered: its description has another digest.")
        )
    for name, expected in facts["files"].items():
        if (
            Path(name).name != name
            or not (folder / name).is_file()
            or _file_digest(folder / name) != expected
        ):
            raise BundleProblem(
                _("The bundle was changed after it was registered: %(file)s has another digest.")
                % {"file": name}
            )
    return folder, facts["files"]


def _manifest(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise BundleProblem(
            _("The bundle was changed after it was registered: %(file)s cannot be read.")
            % {"file": MANIFEST}
        ) from error


def _digest(facts: Any) -> str:
    return hashlib.sha256(
        json.dumps(facts, sort_keys=True, ensure_ascii=False).encode()
    ).hexdigest()


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def packed(version: ModelVersion, card: str) -> IO[bytes]:
    """A zip in a temporary file, with the card as README.md; safetensors do not compress, so it is
    only stored.
    """
    folder, files = checked(version)
    top = f"{version.model.slug}-{version.number}"
    # the response closes it
    target = tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR)  # noqa: SIM115
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in [MANIFEST, *files]:
            archive.write(folder / name, f"{top}/{name}")
        archive.writestr(f"{top}/README.md", card)
    target.seek(0)
    return target
