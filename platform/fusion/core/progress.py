"""Progress of the engine, told to a command line, a worker or a test."""

from collections.abc import Callable, Iterable

from fusion.core.fit_key import FitKey


class Stopped(Exception):
    """Somebody asked the run to stop; everything written so far stays valid."""


class Progress:
    """Receives what a run reports. This one is silent; override what you need.

    `check` is called often (each batch, each epoch) and may raise `Stopped`.
    """

    def stages(self, names: Iterable[str]) -> None:
        """The stages of this run, in order, as short codes: read, embed, tune, train, evaluate,
        bundle.
        """

    def stage(self, name: str) -> None:
        """A stage begins."""

    def step(self, done: int, total: int, unit: str = "") -> None:
        """`done` of `total` units of the current stage are finished."""

    def metric(self, fit: FitKey, seed: int, epoch: int, name: str, value: float) -> None:
        """Receive one point of a curve: name is train_loss, validation_loss or
        validation_macro_f1.
        """

    def log(self, text: str) -> None:
        """A line for the log, in plain words."""

    def check(self) -> None:
        """Raise `Stopped` if the run should end now."""


class Silent(Progress):
    """Counts nothing, but stops when it must."""

    def __init__(self, check: Callable[[], None]) -> None:
        self.check = check  # type: ignore[method-assign]
