"""The six voices that dictate: SVOX Pico through py-nanotts. Synthetic speech; voices of other
languages read respelled English words.
"""

from importlib.util import find_spec

import numpy as np

from .remarks import WORDS

RATE = 16_000
SPELLINGS: dict[str, tuple[str, ...]] = {
    "en-US": WORDS,
    "en-GB": WORDS,
    "de-DE": ("siero", "wann", "tuh", "srie", "for", "feif", "six", "sewen", "eht", "nein"),
    "es-ES": ("zirou", "uan", "tu", "zri", "for", "faiv", "six", "seven", "eit", "nain"),
    "fr-FR": ("ziro", "ouane", "tou", "sri", "fore", "faïve", "sixe", "sévène", "eïte", "naïne"),
    "it-IT": ("ziro", "uan", "tu", "tri", "for", "faiv", "six", "seven", "eit", "nain"),
}
PITCHES = (0.85, 0.95, 1.05, 1.2)
SPEEDS = (0.9, 1.05, 1.2)
QUIET, MARGIN, PEAK = 250, 400, 9_000


def can_speak() -> bool:
    """py-nanotts has no wheel for macOS: the demo runs there without the speech team."""
    return find_spec("py_nanotts") is not None


class Dictation:
    """One clip an entry: a digit, at a pitch and speed of its own, some of them drowned
    in babble.
    """

    def __init__(self) -> None:
        from py_nanotts import NanoTTS

        self._engine = NanoTTS()
        self._clips: dict[tuple[str, int, float, float], np.ndarray] = {}

    def say(self, voice: str, digit: int, random: np.random.Generator) -> np.ndarray:
        """(samples,) float32 at 16 kHz, cut to the word."""
        key = (voice, digit, float(random.choice(PITCHES)), float(random.choice(SPEEDS)))
        if key not in self._clips:
            sound = self._engine.speak(
                f"{SPELLINGS[voice][digit]}.", voice=voice, pitch=key[2], speed=key[3]
            )
            self._clips[key] = _trim(np.frombuffer(sound, np.int16).astype(np.float32))
        return self._clips[key]

    def entry(self, voice: str, digit: int, noisy: bool, random: np.random.Generator) -> np.ndarray:
        """(samples,) int16: the clip that is written to the study."""
        clip = self.say(voice, digit, random)
        if noisy:
            clip = clip + self._babble(voice, clip, random)
        return (clip * (PEAK / (np.abs(clip).max() + 1))).astype(np.int16)

    def _babble(self, voice: str, clip: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Three other words of the same voice over hiss, between 8 dB louder and 2 dB softer than
        the clip.
        """
        babble = random.normal(0, 0.5, len(clip))
        for _ in range(3):
            other = self.say(voice, int(random.integers(10)), random)
            babble += np.roll(
                np.resize(other / (other.std() + 1), len(clip)), random.integers(len(clip))
            )
        ratio = 10 ** (random.uniform(-8, 2) / 10)
        return babble * np.sqrt((clip**2).mean() / (babble**2).mean() / ratio)


def _trim(sound: np.ndarray) -> np.ndarray:
    loud = np.flatnonzero(np.abs(sound) > QUIET)
    return sound[max(0, loud[0] - MARGIN) : loud[-1] + MARGIN]
