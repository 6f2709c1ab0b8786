"""Encoders without weights: the content itself, as numbers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fusion.data.modalities import image
from fusion.encoders.base import Choice, Content, Encoder, EncoderError, fingerprint_of
from fusion.encoders.catalogue import Entry

CURVE_POINTS = 64


class Plain:
    """The common base of the three: a batch of any inputs, in any order."""

    batch = 1024
    window = 4096

    def __init__(self, name: str, kind: str, dim: int) -> None:
        self.name, self.kind, self.dim = name, kind, dim
        self.fingerprint = fingerprint_of(name, "", dim=dim)

    def prepare(self, content: Content) -> np.ndarray:
        """Return the numbers, float32 (dim,)."""
        return np.asarray(content, dtype=np.float32)

    def bucket(self, prepared: np.ndarray) -> int:
        return 0

    def encode(self, inputs: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack(inputs).astype(np.float32)


class Pixels(Plain):
    """Grey values from 0 to 1, row by row: (px * px,)."""

    def __init__(self, px: int) -> None:
        super().__init__("pixels", "image", px * px)
        self.px = px

    def prepare(self, content: Content) -> np.ndarray:
        rgb = image.decode(Path(str(content)), self.px)
        return (
            rgb.astype(np.float32) @ np.asarray([0.299, 0.587, 0.114], np.float32)
        ).ravel() / 255


class Numbers(Plain):
    """The k numbers of a table, NaN where one is missing, then k of 0 and 1: which are missing. Its
    dim is known with the first row.

    Whitening puts a column's mean into its gaps, so what the first layer adds for a 1 is the
    learned vector of that column's gap, and a network can tell a measured mean from no measurement
    (the indicator method; Le Morvan et al. 2020, AISTATS, for when it pays).
    """

    def __init__(self) -> None:
        super().__init__("numbers", "table", 0)
        self.fingerprint = fingerprint_of("numbers", "", gaps="learned")

    def prepare(self, content: Content) -> np.ndarray:
        """Return the numbers and their gaps, float32 (2 k,)."""
        return with_gaps(super().prepare(content)[None])[0]


def with_gaps(values: np.ndarray) -> np.ndarray:
    """Return values, (n, k) with NaN where a number is missing, followed by 1 for each gap and 0
    for each number: float32 (n, 2 k).
    """
    return np.concatenate([values, np.isnan(values)], 1).astype(np.float32)


class Curve(Plain):
    """64 points of the linearly interpolated series, then mean, deviation, least, greatest and
    slope over its length; gaps are bridged.
    """

    def __init__(self) -> None:
        super().__init__("curve", "series", CURVE_POINTS + 5)

    def prepare(self, content: Content) -> np.ndarray:
        points = drawn(content, CURVE_POINTS)
        slope = points[-1] - points[0]
        return np.asarray(
            [*points, points.mean(), points.std(), points.min(), points.max(), slope], np.float32
        )


def drawn(content: Content, points: int) -> np.ndarray:
    """Return a series interpolated linearly, its gaps bridged, float64 (points,); zeros where there
    is no number at all.
    """
    values = np.asarray(content, dtype=np.float64)
    there = np.flatnonzero(np.isfinite(values))
    if not len(there):
        return np.zeros(points)
    return np.asarray(np.interp(np.linspace(0, len(values) - 1, points), there, values[there]))


def load(entry: Entry, choice: Choice) -> Encoder:
    if choice.layers or choice.pooling or choice.grid:
        raise EncoderError(f"{entry.title} has no layers and no pooling to choose")
    if entry.name == "pixels":
        return Pixels(choice.resolution or entry.resolution or 28)
    return Numbers() if entry.name == "numbers" else Curve()
