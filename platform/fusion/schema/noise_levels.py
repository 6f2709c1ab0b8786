"""Graded noise on inputs: which levels there are for each kind of modality. Light: recipes,
protocols and pages name levels.
"""

from typing import NamedTuple


class NoiseLevel(NamedTuple):
    name: str
    strength: float


LEVELS: dict[str, tuple[NoiseLevel, ...]] = {
    "image": (NoiseLevel("2 %", 0.02), NoiseLevel("4 %", 0.04), NoiseLevel("8 %", 0.08)),
    "audio": (NoiseLevel("20 dB", 20.0), NoiseLevel("10 dB", 10.0), NoiseLevel("0 dB", 0.0)),
    "text": (NoiseLevel("10 %", 0.1), NoiseLevel("25 %", 0.25), NoiseLevel("50 %", 0.5)),
    "table": (NoiseLevel("0.25 sd", 0.25), NoiseLevel("0.5 sd", 0.5), NoiseLevel("1 sd", 1.0)),
    "series": (NoiseLevel("0.25 sd", 0.25), NoiseLevel("0.5 sd", 0.5), NoiseLevel("1 sd", 1.0)),
}
"""Mildest first. image: Gaussian blur, its standard deviation as a share of the shorter side;
audio: white noise at this signal-to-noise ratio; text: share of words dropped; table and series:
Gaussian noise in standard deviations of the column, or of the series, over training.
"""
