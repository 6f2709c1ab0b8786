"""Images: PNG, JPEG, WebP, TIFF, BMP and GIF by Pillow, whole files only."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps

from fusion.data.modalities import BrokenFile, Inspection, expect, head_of

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")
MAX_BYTES = 200_000_000
MAX_PIXELS = 100_000_000
THUMBNAIL_PX = 256

Image.MAX_IMAGE_PIXELS = MAX_PIXELS


@contextmanager
def opened(path: Path, size: int) -> Iterator[Image.Image]:
    """The completely decoded image; every complaint of Pillow becomes a BrokenFile in words."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(path, formats=FORMATS) as image:
                image.load()
                yield image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BrokenFile(
            f"has too many pixels (at most {MAX_PIXELS // 1_000_000} million)"
        ) from error
    except MemoryError as error:
        raise BrokenFile("needs more memory than a file may use") from error
    except (
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        Warning,
        ArithmeticError,
        LookupError,
        TypeError,
    ) as error:
        raise BrokenFile(reason(path, size, error)) from error


def reason(path: Path, size: int, error: Exception) -> str:
    if not ends_properly(path, size):
        return f"ends in the middle of its data ({size:,} bytes, no end mark)"
    return (
        f"cannot be decoded ({str(error).splitlines()[0] if str(error) else type(error).__name__})"
    )


def ends_properly(path: Path, size: int) -> bool:
    """Return whether the end mark of the format is where it should be; True for formats without
    one.
    """
    with path.open("rb") as file:
        head = file.read(12)
        file.seek(max(0, size - 64))
        tail = file.read()
    if head.startswith(b"\x89PNG"):
        return b"IEND" in tail
    if head.startswith(b"\xff\xd8"):
        return b"\xff\xd9" in tail
    if head.startswith(b"GIF"):
        return tail.rstrip(b"\0").endswith(b";")
    if head.startswith(b"RIFF"):
        return int.from_bytes(head[4:8], "little") + 8 <= size
    return True


def inspect(path: Path, thumbnail_px: int | None = None) -> Inspection:
    """Decode `path` and describe it; with `thumbnail_px` also draw the small picture. Raises
    BrokenFile.
    """
    head, size = head_of(path, MAX_BYTES)
    name = expect(head, "image")
    with opened(path, size) as image:
        facts = {
            "width": image.width,
            "height": image.height,
            "mode": image.mode,
            "format": image.format,
        }
        inspection = Inspection("image", name, size, facts, flags_of(image))
        if thumbnail_px:
            inspection.thumbnail = draw(image, thumbnail_px)
    return inspection


def flags_of(image: Image.Image) -> list[str]:
    flags = []
    extrema = image.getextrema()
    if all(
        low == high for low, high in ([extrema] if isinstance(extrema[0], int | float) else extrema)
    ):
        flags.append("blank")
    if getattr(image, "n_frames", 1) > 1:
        flags.append("animated")
    if ExifTags.IFD.GPSInfo in image.getexif():
        flags.append("location")
    return flags


def upright_rgb(image: Image.Image) -> Image.Image:
    """8-bit RGB, turned as its camera says; transparency becomes white; deeper grey is stretched
    from its least to its greatest value, places without a number being as dark as the least.
    """
    image = ImageOps.exif_transpose(image)
    if image.mode[0] in "IF":
        values = np.asarray(image, dtype=np.float64)
        known = np.isfinite(values)
        low, high = (values[known].min(), values[known].max()) if known.any() else (0.0, 0.0)
        values = np.where(known, values, low)
        image = Image.fromarray(
            ((values - low) * (255 / (high - low) if high > low else 0)).astype(np.uint8)
        )
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    return image.convert("RGB")


def draw(image: Image.Image, px: int) -> bytes:
    """A WebP no wider or higher than `px`, without any metadata of the original. Tiny pictures are
    not enlarged.
    """
    # halving first keeps memory and time small for large scans; palettes and deep greys cannot be
    # averaged as they are
    factor = max(image.size) // (2 * px)
    small = upright_rgb(
        image.reduce(factor) if factor > 1 and image.mode in ("L", "RGB", "RGBA") else image
    )
    small.thumbnail((px, px))
    out = io.BytesIO()
    small.save(out, "WEBP", quality=80, lossless=max(small.size) <= 64, method=2)
    return out.getvalue()


def thumbnail(path: Path, px: int = THUMBNAIL_PX) -> bytes:
    """The small picture of a file as WebP bytes; raises BrokenFile."""
    drawn = inspect(path, thumbnail_px=px).thumbnail
    assert drawn is not None
    return drawn


def decode(path: Path, px: int) -> np.ndarray:
    """uint8 (px, px, 3): the picture stretched to a square by bilinear interpolation. Raises
    BrokenFile.
    """
    head, size = head_of(path, MAX_BYTES)
    expect(head, "image")
    with opened(path, size) as image:
        return np.asarray(upright_rgb(image).resize((px, px), Image.Resampling.BILINEAR))
