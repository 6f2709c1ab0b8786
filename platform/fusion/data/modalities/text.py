"""Texts: UTF-8, without NUL, of a length a person could read."""

from pathlib import Path

from fusion.data.modalities import BrokenFile, Inspection, head_of

MAX_BYTES = 20_000_000
MAX_CHARACTERS = 1_000_000


def clean(text: str) -> str:
    """The text as it is kept and hashed; raises BrokenFile on NUL and on texts that are
    too long.
    """
    if "\0" in text:
        raise BrokenFile("holds a NUL character, which no text may have")
    if len(text) > MAX_CHARACTERS:
        raise BrokenFile(f"has {len(text):,} characters; at most {MAX_CHARACTERS:,} are read")
    return text.strip()


def decode(path: Path) -> str:
    """The whole text of a file; raises BrokenFile."""
    head_of(path, MAX_BYTES)
    try:
        return clean(path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise BrokenFile(
            f"is not UTF-8 text (byte {error.start:,} is {error.object[error.start]:#04x}); save "
            "it as UTF-8"
        ) from error


def inspect(path: Path) -> Inspection:
    """Describe a text file; raises BrokenFile."""
    text = decode(path)
    facts = {"characters": len(text), "words": len(text.split())}
    return Inspection("text", "text/plain", path.stat().st_size, facts, [] if text else ["empty"])
