"""A self-test of an encoder: it reads two generated samples of its kind twice."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from fusion.encoders.base import Content, Encoder, EncoderError

SAME = 1e-4
RATE = 16_000


@dataclass(frozen=True)
class Tested:
    """The measurements of a self-test.

    dim: length of a vector with the default options; layers: number of layers to choose from;
    seconds: wall clock for one sample, after the first.
    """

    dim: int
    layers: int
    parameters: int
    seconds: float


def self_test(read: Callable[[], Encoder]) -> Tested:
    """Read the encoder twice. Raises EncoderError if it cannot read a sample, if a vector has
    another length than was promised or is not finite, if the second reading gives others, if both
    samples get the same, or if a sample's vector depends on its neighbour.
    """
    with tempfile.TemporaryDirectory() as folder:
        encoder = read()
        parameters = parameters_of(encoder)
        contents = samples(encoder.kind, Path(folder))
        try:
            vectors = vectors_of(encoder, contents)
            again = vectors_of(read(), contents)
            begun = time.perf_counter()
            alone = np.concatenate([vectors_of(encoder, [content]) for content in contents])
            seconds = (time.perf_counter() - begun) / len(contents)
        except (IndexError, RuntimeError, TypeError, ValueError, AttributeError) as error:
            # whatever a model does with a sample that it cannot take: the configuration does not
            # fit its weights or its tokenizer
            raise EncoderError(
                f"{encoder.name} cannot read a sample of the kind {encoder.kind}: "
                f"{type(error).__name__}: {error}"
            ) from error
    if fault := fault_of(encoder, vectors, again, alone):
        raise EncoderError(f"{encoder.name} did not pass its self-test: {fault}")
    return Tested(vectors.shape[1], 1 + max(getattr(encoder, "layers", [-1])), parameters, seconds)


def fault_of(encoder: Encoder, vectors: np.ndarray, again: np.ndarray, alone: np.ndarray) -> str:
    """Return the fault in words, empty without one. vectors, again, alone: (2, dim)."""
    if encoder.dim and vectors.shape != (2, encoder.dim):
        return f"it gave vectors of the shape {vectors.shape}, not (2, {encoder.dim})"
    if not np.isfinite(vectors).all():
        return "it gave numbers that are not finite"
    if not np.allclose(vectors, again, atol=SAME):
        return "the same sample got another vector when the model was read again"
    if np.allclose(vectors[0], vectors[1], atol=SAME * float(np.abs(vectors).max())):
        return "two different samples got the same vector"
    if not np.allclose(
        vectors, alone, atol=SAME * max(1.0, float(np.abs(vectors).max())), rtol=1e-3
    ):
        return "a sample's vector depends on what is read beside it"
    return ""


def vectors_of(encoder: Encoder, contents: list[Content]) -> np.ndarray:
    return encoder.encode([encoder.prepare(content) for content in contents])


def parameters_of(encoder: Encoder) -> int:
    model = getattr(encoder, "model", None)
    return 0 if model is None else sum(weight.numel() for weight in model.parameters())


def samples(kind: str, folder: Path) -> list[Content]:
    """Return two different contents of a kind; files go into `folder`."""
    if kind == "image":
        return [picture(folder / "stripes.png", 0), picture(folder / "rings.png", 1)]
    if kind == "audio":
        return [tone(folder / "low.wav", 220.0, 1.0), tone(folder / "high.wav", 880.0, 0.9)]
    if kind == "text":
        return [
            "A cough that has lasted for three weeks.",
            "Two swallows were seen above the river at noon, earlier than last year.",
        ]
    steps = np.arange(96)
    series: list[Content] = [
        tuple(np.sin(steps / 5).tolist()),
        tuple((steps % 12).astype(float).tolist()),
    ]
    return series if kind == "series" else [(1.0, 2.5, 0.0), (3.0, -1.0, 1.0)]


def picture(path: Path, sort: int) -> Path:
    y, x = np.mgrid[0:96, 0:96]
    wave = np.sin(x / 6) if sort == 0 else np.sin(np.hypot(x - 48, y - 48) / 4)
    grey = (127 + 120 * wave).astype(np.uint8)
    Image.fromarray(np.stack([grey, np.roll(grey, 8, 0), 255 - grey], 2)).save(path)
    return path


def tone(path: Path, pitch: float, seconds: float) -> Path:
    """Write a tone that rises by an octave."""
    t = np.arange(int(seconds * RATE)) / RATE
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * pitch * t * (1 + t / seconds / 2)), RATE)
    return path
