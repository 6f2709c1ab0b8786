"""Stops a body that is over the limit before the disk is full of it."""

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import StopUpload, TemporaryFileUploadHandler

from apps.datasets.uploads.upload_folder import room_for

REFUSED = "consilience.upload_refused"


class LimitedUploadHandler(TemporaryFileUploadHandler):
    """`request.META[REFUSED]` says that the files were not taken; the fields of the form that came
    before them were.
    """

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, Any],
        content_length: int,
        boundary: Any,
        encoding: Any = None,
    ) -> None:
        self.declared = int(content_length or 0)
        self.form = boundary is not None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        if self.declared > settings.UPLOAD_LIMIT_BYTES or not room_for(self.declared):
            if not self.form:  # a program sends the bare bytes: there is no page to say it on
                raise RequestDataTooBig(
                    "The file is larger than what fits in one upload, or the server's disk is full."
                )
            self.request.META[REFUSED] = self.declared
            raise StopUpload(connection_reset=True)
        super().new_file(*args, **kwargs)
