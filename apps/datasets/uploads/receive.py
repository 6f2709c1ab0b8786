"""Bytes of an upload onto the disk: whole, under the limit, with room left; only then the row names
them.
"""

import os
import secrets
import shutil
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.datasets.models import Upload
from apps.datasets.uploads.services import add_file
from apps.datasets.uploads.upload_folder import room_for, workspace_of
from apps.projects.policies import require

MAX_NAME = 200
NUMBERS = 10_000


def receive_file(
    actor: User, upload: Upload, name: str, file: UploadedFile, length: int | None = None
) -> None:
    """Keep one file of an upload. `length`: what the client said; raises
    ValidationError in words.
    """
    require(actor, "contribute", upload.project)
    shown = shown_name(name or file.name or "")
    check_size(
        shown,
        sum(other["size"] for other in upload.files if other["name"] != shown) + (file.size or 0),
    )
    if not file.size:
        raise ValidationError(_("%(name)s is empty. Choose another file.") % {"name": shown})
    if length is not None and length != file.size:
        raise ValidationError(
            _("%(name)s did not arrive whole. Upload it again.") % {"name": shown}
        )
    place = workspace_of(upload.pk).make()
    number = free_number(place.parts)
    keep(file, place.part(number))
    add_file(actor, upload, shown, number, file.size)


def shown_name(name: str) -> str:
    """The last part of the name that was sent, for showing; never used as a path."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1].strip()
    if not last or len(last) > MAX_NAME or any(ord(c) < 32 for c in last):
        raise ValidationError(
            _("The file needs a name of at most %(n)d characters.") % {"n": MAX_NAME}
        )
    return last


def check_size(name: str, total: int) -> None:
    limit = settings.UPLOAD_LIMIT_BYTES
    if total > limit:
        words = {"name": name, "limit": f"{limit / 2**30:,.1f} GB"}
        raise ValidationError(
            _(
                "With %(name)s the upload is over %(limit)s. Bring a larger study with `manage.py "
                "import_study` on the server."
            )
            % words
        )
    if not room_for(total):
        raise ValidationError(
            _(
                "The disk of the server has no room for this upload. Ask who runs it to make "
                "room; nothing was changed."
            )
        )


def free_number(parts: Path) -> int:
    taken = {path.name for path in parts.iterdir()}
    return next(n for n in iter(lambda: secrets.randbelow(NUMBERS), -1) if f"{n:04d}" not in taken)


def keep(file: UploadedFile, target: Path) -> None:
    """A rename where Django put the bytes on the same disk already, else a copy, made whole before
    it has its name.
    """
    if hasattr(file, "temporary_file_path"):
        shutil.move(file.temporary_file_path(), target)
        return
    part = target.with_suffix(".part")
    with part.open("wb") as out:
        for chunk in file.chunks():
            out.write(chunk)
    os.replace(part, target)
