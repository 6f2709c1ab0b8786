"""The identity of a fit: what curves, the fit store and the log name it by."""

from typing import NamedTuple


class FitKey(NamedTuple):
    """One fit of a run. model: a method or a modality; `tune:MODALITY` of an encoder that is tuned.

    inner: the fold inside the training samples of `fold`, from 1; 0 of the fit on all of them.
    """

    model: str
    fold: str
    inner: int = 0

    def __str__(self) -> str:
        inner = f", inner {self.inner}" if self.inner else ""
        return f"{self.model} · {self.fold}{inner}"
