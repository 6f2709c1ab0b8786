"""The identity of a fit, by which its curves are stored."""

from typing import NamedTuple

TUNE = "tune:"
"""Before the modality, where an encoder is tuned."""


class FitKey(NamedTuple):
    """One fit of a run. model: a method, a modality, or `tune:MODALITY` of a tuned encoder.

    inner: the fold inside the training samples of `fold`, from 1; 0 of the fit on all of them.
    """

    model: str
    fold: str
    inner: int = 0

    @property
    def place(self) -> str:
        """The fold, with the inner one where it is that of an inner one."""
        return f"{self.fold}, inner {self.inner}" if self.inner else self.fold

    @property
    def tunes(self) -> bool:
        return self.model.startswith(TUNE)

    def __str__(self) -> str:
        return f"{self.model} · {self.place}"
