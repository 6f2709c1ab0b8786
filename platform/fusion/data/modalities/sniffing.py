"""Media types by the first bytes of a file. Extensions and declared types are never trusted."""

import re

HEAD_BYTES = 4096

# (offset, magic bytes, kind, media type)
SIGNATURES: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image", "image/png"),
    (0, b"\xff\xd8\xff", "image", "image/jpeg"),
    (0, b"GIF87a", "image", "image/gif"),
    (0, b"GIF89a", "image", "image/gif"),
    (0, b"II*\x00", "image", "image/tiff"),
    (0, b"MM\x00*", "image", "image/tiff"),
    (8, b"WEBP", "image", "image/webp"),
    (8, b"WAVE", "audio", "audio/wav"),
    (0, b"fLaC", "audio", "audio/flac"),
    (0, b"OggS", "audio", "audio/ogg"),
    (8, b"AIFF", "audio", "audio/aiff"),
    (8, b"AIFC", "audio", "audio/aiff"),
    (0, b"ID3", "audio", "audio/mpeg"),
    (0, b"PAR1", "table", "application/vnd.apache.parquet"),
)
# A container is only what its inner mark says: RIFF with WEBP or WAVE, FORM with AIFF.
CONTAINERS = {b"WEBP": b"RIFF", b"WAVE": b"RIFF", b"AIFF": b"FORM", b"AIFC": b"FORM"}

FORBIDDEN: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"\A\x80[\x02-\x05]"), "a Python pickle"),
    (re.compile(rb"\A(c[A-Za-z_][\w.]*\n\w+\n|\([dl]p\d)"), "a Python pickle"),
    (
        re.compile(rb"\APK\x03\x04.{26}[^\x00]{0,80}(data\.pkl|constants\.pkl)", re.S),
        "a PyTorch file",
    ),
    (
        re.compile(
            rb"\APK\x03\x04.{26}[^\x00]{0,80}(config\.json|metadata\.json).{0,200}keras", re.S
        ),
        "a Keras file",
    ),
    (re.compile(rb"\A\x93NUMPY"), "a NumPy file"),
    (re.compile(rb"\A\x89HDF\r\n\x1a\n"), "an HDF5 file"),
    (
        re.compile(
            rb"\A\x08[\x01-\x20]\x12.(pytorch|onnx|tf2onnx|keras|skl2onnx|[\w.\-]{2,40}\x1a)", re.S
        ),
        "an ONNX model",
    ),
    (re.compile(rb"\A(\x7fELF|MZ[\x00-\xff]{58}|\xfe\xed\xfa|\xcf\xfa\xed\xfe)"), "a program"),
    (re.compile(rb"\A(PK\x03\x04|PK\x05\x06|\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf|Rar!)"), "an archive"),
    (re.compile(rb"\A%PDF-"), "a PDF document"),
)


def signature(head: bytes) -> tuple[str, str] | None:
    for offset, magic, kind, name in SIGNATURES:
        if head[offset : offset + len(magic)] == magic and head.startswith(
            CONTAINERS.get(magic, b"")
        ):
            return kind, name
    if (
        len(head) > 2 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2
    ):  # an MPEG layer III frame header
        return "audio", "audio/mpeg"
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0":
        return "image", "image/bmp"
    return None


def forbidden(head: bytes) -> str | None:
    """The name of a format that is refused whatever it is called: "a Python pickle"; None if it is
    none of them.
    """
    return next((what for pattern, what in FORBIDDEN if pattern.search(head)), None)


def sniff(head: bytes) -> str | None:
    """image, audio, table (Parquet) or text by the first bytes of a file; None for anything else,
    also for refused formats.
    """
    if forbidden(head):
        return None
    if kind_and_type := signature(head):
        return kind_and_type[0]
    return "text" if is_text(head) else None


def media_type(head: bytes) -> str | None:
    """The media type by content; None when unknown."""
    if forbidden(head):
        return None
    if kind_and_type := signature(head):
        return kind_and_type[1]
    return "text/plain" if is_text(head) else None


def is_text(head: bytes) -> bool:
    """UTF-8 without NUL; a character cut by the end of the head is no reason to refuse."""
    if b"\0" in head:
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return len(head) >= HEAD_BYTES and error.start >= len(head) - 3
    return True
