"""Recordings: WAV, FLAC, Ogg, MP3 and AIFF by libsndfile, with the checks that it does not make."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from math import gcd
from pathlib import Path

import numpy as np
import soundfile

from fusion.data.modalities import BrokenFile, Inspection, expect, head_of

MAX_BYTES = 1_000_000_000
MAX_SECONDS = 4 * 3600
MAX_CHANNELS = 16
MIN_RATE, MAX_RATE = 1_000, 384_000
WAVEFORM_POINTS = 120
SILENT_PEAK = 1e-4  # -80 dBFS
CLIPPED_SHARE = 1e-3
BLOCK = 1 << 16
UNKNOWN_LENGTH = 1 << 62  # what libsndfile answers for a stream that does not say


def inspect(path: Path, waveform_points: int | None = None) -> Inspection:
    """Read every frame of `path` and describe it; with `waveform_points` also draw its peaks.
    Raises BrokenFile.
    """
    head, size = head_of(path, MAX_BYTES)
    name = expect(head, "audio")
    if name == "audio/wav":
        check_wav(path, size)
    with opened(path, size) as sound:
        check_header(sound)
        peaks, frames, clipped = scan(sound)
        facts = {
            "seconds": round(frames / sound.samplerate, 4),
            "rate": sound.samplerate,
            "channels": sound.channels,
        }
        inspection = Inspection(
            "audio", name, size, facts | {"frames": frames, "format": sound.format}
        )
    if peaks.max() < SILENT_PEAK:
        inspection.flags.append("silent")
    if clipped > CLIPPED_SHARE * frames:
        inspection.flags.append("clipped")
    if waveform_points:
        inspection.waveform = drawn(peaks, waveform_points)
    return inspection


def opened(path: Path, size: int) -> soundfile.SoundFile:
    try:
        return soundfile.SoundFile(path)
    except (soundfile.LibsndfileError, RuntimeError, ValueError, TypeError) as error:
        raise BrokenFile(f"cannot be decoded ({plain(error)}; {size:,} bytes)") from error


def plain(error: Exception) -> str:
    text = getattr(error, "error_string", None) or str(error)
    return text.strip().rstrip(".").splitlines()[0]


def check_wav(path: Path, size: int) -> None:
    """libsndfile reads what is left of a cut WAV without a word: walk its chunks and compare the
    sizes.
    """
    if size < 44:
        raise BrokenFile(f"ends in the middle of its header ({size} bytes)")
    with path.open("rb") as file:
        position = 12
        while position + 8 <= size:
            file.seek(position)
            name, length = file.read(4), int.from_bytes(file.read(4), "little")
            if name == b"data":
                streamed = length in (
                    0,
                    0xFFFFFFFF,
                )  # written by a program that could not go back to fill it in
                if not streamed and position + 8 + length > size:
                    raise BrokenFile(
                        f"ends in the middle of its data ({size - position - 8:,} of {length:,} "
                        "bytes)"
                    )
                return
            position += 8 + length + length % 2
    raise BrokenFile(f"holds no sound data ({size:,} bytes)")


def check_header(sound: soundfile.SoundFile) -> None:
    if not MIN_RATE <= sound.samplerate <= MAX_RATE:
        raise BrokenFile(
            f"says it has {sound.samplerate:,} samples a second; {MIN_RATE:,} to {MAX_RATE:,} are "
            "read"
        )
    if sound.channels > MAX_CHANNELS:
        raise BrokenFile(f"has {sound.channels} channels; at most {MAX_CHANNELS} are read")
    # Ogg and MP3 may not know their length: it is counted while reading
    if sound.frames < UNKNOWN_LENGTH and sound.frames / sound.samplerate > MAX_SECONDS:
        raise BrokenFile(
            f"lasts {sound.frames / sound.samplerate / 3600:,.1f} hours; at most "
            f"{MAX_SECONDS // 3600} are read"
        )


def scan(sound: soundfile.SoundFile) -> tuple[np.ndarray, int, int]:
    """Peaks of short stretches in order, number of frames, number of frames at full scale. Raises
    BrokenFile.
    """
    stretch = min(BLOCK, max(1, sound.frames // 4096)) if sound.frames < UNKNOWN_LENGTH else 1024
    peaks: list[np.ndarray] = []
    frames = clipped = 0
    for block in blocks(sound):
        level = np.abs(block).max(axis=1)
        if not np.isfinite(level).all():
            raise BrokenFile("holds values that are no numbers (NaN or infinite)")
        peaks.append(np.maximum.reduceat(level, np.arange(0, len(level), stretch)))
        clipped += int((level >= 0.999).sum())
        frames += len(block)
        if frames / sound.samplerate > MAX_SECONDS:
            raise BrokenFile(f"lasts more than {MAX_SECONDS // 3600} hours")
    if not frames:
        raise BrokenFile("holds no sound (0 samples)")
    if sound.format in ("WAV", "FLAC", "AIFF") and frames < sound.frames < UNKNOWN_LENGTH:
        raise BrokenFile(f"ends in the middle of its data ({frames:,} of {sound.frames:,} samples)")
    return np.concatenate(peaks), frames, clipped


def blocks(sound: soundfile.SoundFile, frames: int | None = None) -> Iterator[np.ndarray]:
    """float32 (frames, channels) pieces, read one after the other, at most `frames` in all. Raises
    BrokenFile.
    """
    left = UNKNOWN_LENGTH if frames is None else frames
    while left > 0:
        try:
            block = sound.read(min(BLOCK, left), dtype="float32", always_2d=True)
        except (soundfile.LibsndfileError, RuntimeError) as error:
            raise BrokenFile(f"cannot be decoded to its end ({plain(error)})") from error
        if not len(block):
            return
        left -= len(block)
        yield block


def drawn(peaks: np.ndarray, points: int) -> list[int]:
    """`points` peaks from 0 to 100, relative to full scale."""
    edges = np.linspace(0, len(peaks), points + 1).astype(int)
    return [
        int(min(100, round(100 * float(peaks[a : max(b, a + 1)].max(initial=0)))))
        for a, b in pairwise(edges)
    ]


def waveform(path: Path, points: int = WAVEFORM_POINTS) -> list[int]:
    """Peaks 0 to 100 of `points` equal stretches of a recording; raises BrokenFile."""
    peaks = inspect(path, waveform_points=points).waveform
    assert peaks is not None
    return peaks


def decode(path: Path, rate: int = 16_000, seconds: float | None = None) -> np.ndarray:
    """float32 (frames,): the mean of all channels at `rate` samples a second, at most the first
    `seconds`. Raises BrokenFile.
    """
    _, size = head_of(path, MAX_BYTES)
    with opened(path, size) as sound:
        check_header(sound)
        limit = None if seconds is None else round(seconds * sound.samplerate)
        pieces = [block.mean(axis=1) for block in blocks(sound, limit)]
        own = sound.samplerate
    if not pieces:
        raise BrokenFile("holds no sound (0 samples)")
    samples = np.concatenate(pieces)
    if not np.isfinite(samples).all():
        raise BrokenFile("holds values that are no numbers (NaN or infinite)")
    return samples if own == rate else resampled(samples, own, rate)


def resampled(samples: np.ndarray, own: int, rate: int) -> np.ndarray:
    from scipy.signal import resample_poly

    shared = gcd(own, rate)
    up, down = rate // shared, own // shared
    return resample_poly(
        samples, up, down, window=low_pass(max(up, down)).astype(samples.dtype)
    ).astype(np.float32)


@lru_cache(maxsize=4)  # one may be 60 MB, for a strange rate
def low_pass(rate: int) -> np.ndarray:
    """The filter that resample_poly would make anew for every recording."""
    from scipy.signal import firwin

    return firwin(20 * rate + 1, 1 / rate, window=("kaiser", 5.0))
