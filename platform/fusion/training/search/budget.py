"""The time that a search may spend, and what it was spent on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from fusion.core.stopwatch import Stopwatch
from fusion.training.fit_store import Store

T = TypeVar("T")


class OutOfTime(Exception):
    """The budget is spent while something that may be left out is under way."""


@dataclass
class Budget:
    """seconds: of computing (fusion.core.stopwatch.Stopwatch), None for no end. spent: by name;
    given_up: names, in order.

    What was spent is kept in the store, so a run that goes on after it was killed gives up what it
    gave up before, and nothing else.
    """

    seconds: float | None
    store: Store
    spent: dict[str, float] = field(default_factory=dict)
    given_up: list[str] = field(default_factory=list)
    weights: float = 0.0
    """Of all that came to its end."""
    watch: Stopwatch | None = None
    """Of what is under way and may be left out."""

    def run(self, name: str, needed: bool, weight: float, work: Callable[[], T]) -> T | None:
        """Return what `work` returns, None where it is given up. Unless it is needed, it is not
        begun when it would take more than is left, by its weight and what those of others took, and
        given up when the budget is spent.
        """
        unit = f"budget/{name}"
        stored = self.store.get(unit)
        known = stored[1] if stored else None
        finished, watch = known is None or known["finished"], Stopwatch()
        self.watch = None if needed or known else watch
        result: T | None = None
        try:
            if finished:
                self.check(weight * self.rate)
                result = work()
        except OutOfTime:
            finished = False
        self.watch = None
        self.spent[name] = known["seconds"] if known else watch.seconds
        self.weights += weight if finished else 0.0
        self.store.put(unit, {}, {"seconds": self.spent[name], "finished": finished})
        if not finished:
            self.given_up.append(name)
        return result

    @property
    def rate(self) -> float:
        """Seconds for a weight of 1."""
        return sum(self.spent.values()) / self.weights if self.weights else 0.0

    def check(self, to_come: float = 0.0) -> None:
        if (
            self.watch
            and self.seconds is not None
            and sum(self.spent.values()) + self.watch.seconds + to_come >= self.seconds
        ):
            raise OutOfTime
