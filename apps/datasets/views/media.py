"""The bytes of a picture or recording, for those who may see a project that holds it."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from django.core.files.storage import default_storage
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.views.decorators.http import require_safe

from apps.datasets.blobs import CHUNK, DERIVED_TYPE, SIZES, blob_name
from apps.datasets.models import Blob
from apps.datasets.queries import blob_of
from apps.projects.models import Project
from apps.projects.pages import project_page

PLAYED = {"audio/wav", "audio/flac", "audio/ogg", "audio/mpeg"}
ENDS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/tiff": "tif",
    "image/bmp": "bmp",
    "image/webp": "webp",
    "audio/wav": "wav",
    "audio/flac": "flac",
    "audio/ogg": "ogg",
    "audio/mpeg": "mp3",
    "audio/aiff": "aiff",
    "application/vnd.apache.parquet": "parquet",
}
SHARED = "private, max-age=3600"


@project_page("view")
@require_safe
def media(request: HttpRequest, project: Project, sha256: str) -> HttpResponseBase:
    """Answer `?size=thumb` or `view` with a picture that was drawn anew here; else with a recording
    to play, a picture's view, or a download.
    """
    blob = blob_of(project, sha256)
    if blob is None:
        raise Http404
    size = copy_of(blob, request.GET)
    tag = f'"{sha256}{size}"'
    if request.headers.get("If-None-Match") == tag:
        return safe(HttpResponse(status=304), tag, SHARED)
    if size:
        return safe(derived(sha256, size), tag, SHARED)
    return original(request, blob, tag)


def copy_of(blob: Blob, query: dict[str, str]) -> str:
    """The small copy to answer with, or nothing for the original. A small picture has one copy for
    both sizes.
    """
    copies = blob.facts.get("copies", [])
    if not copies or "original" in query:
        return ""
    wanted = query.get("size", "view")
    return wanted if wanted in SIZES and wanted in copies else copies[0]


def derived(sha256: str, size: str) -> FileResponse:
    return FileResponse(opened(blob_name(sha256, size)), content_type=DERIVED_TYPE)


def opened(name: str) -> BinaryIO:
    try:
        return default_storage.open(name, "rb")
    except FileNotFoundError as error:
        raise Http404 from error


def original(request: HttpRequest, blob: Blob, tag: str) -> HttpResponseBase:
    plays = blob.media_type in PLAYED and "original" not in request.GET
    kind = blob.media_type if blob.media_type in ENDS else "application/octet-stream"
    file = opened(blob_name(blob.sha256))
    answer = ranged(request, blob, file, kind) if plays else FileResponse(file, content_type=kind)
    if plays:
        answer.headers["Accept-Ranges"] = "bytes"
        return safe(answer, tag, SHARED)
    answer.headers["Content-Disposition"] = (
        f'attachment; filename="{blob.sha256[:16]}.{ENDS.get(blob.media_type, "bin")}"'
    )
    return safe(answer, tag, "private, no-store")


def ranged(request: HttpRequest, blob: Blob, file: BinaryIO, kind: str) -> HttpResponseBase:
    """One range of bytes, as players ask for when somebody seeks; anything else gets the whole."""
    wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("Range", ""))
    if wanted is None or not any(wanted.groups()):
        return FileResponse(file, content_type=kind)
    first, last = span(*wanted.groups(), blob.size)
    if first > last or first >= blob.size:
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{blob.size}"})
    file.seek(first)
    answer = StreamingHttpResponse(part_of(file, last - first + 1), status=206, content_type=kind)
    answer.headers["Content-Range"] = f"bytes {first}-{last}/{blob.size}"
    answer.headers["Content-Length"] = str(last - first + 1)
    return answer


def span(first: str, last: str, size: int) -> tuple[int, int]:
    if not first:
        return max(0, size - int(last)), size - 1
    return int(first), min(int(last), size - 1) if last else size - 1


def part_of(file: BinaryIO, left: int) -> Iterator[bytes]:
    with file:
        while left > 0 and (chunk := file.read(min(CHUNK, left))):
            left -= len(chunk)
            yield chunk


def safe(answer: HttpResponseBase, tag: str, caching: str) -> HttpResponseBase:
    """Nothing that a stranger uploaded may act as a page, be sniffed, or be kept by a
    shared cache.
    """
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    answer.headers["Cache-Control"] = caching
    answer.headers["ETag"] = tag
    return answer
