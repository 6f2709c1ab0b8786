"""The runner of fits: networks of one shape trained side by side (fusion.training.loop), a finished
group kept in the fit store, so that an interrupted run goes on where it stopped.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from fusion.core.fit_key import FitKey
from fusion.core.progress import Progress
from fusion.core.stopwatch import Stopwatch
from fusion.methods import reads_tokens
from fusion.methods.layers import Network
from fusion.schema.recipe import Training
from fusion.training.fit_store import Store
from fusion.training.fold_data import FoldData
from fusion.training.folds import TrainingData
from fusion.training.loop import (
    Hooks,
    Samples,
    Watch,
    fit,
    packed,
    report_all,
    seed_everything,
    unpack,
)
from fusion.training.models import Shape, new_network


class Fit(NamedTuple):
    """A network to train, on the training rows of its data."""

    seed: int
    data: FoldData


class FitRunner:
    """Trains networks. steps: of every fit an epoch; check: called before and during a fit, may
    raise to stop; total: fits of the run, for the progress bar, and `done` of these.
    """

    def __init__(
        self,
        data: TrainingData,
        training: Training,
        steps: int,
        store: Store,
        progress: Progress,
        check: Callable[[], None],
    ) -> None:
        self.data, self.training, self.steps = data, training, steps
        self.store, self.progress, self.check = store, progress, check
        self.done = self.total = 0
        self.seconds = 0.0
        """In fitting networks, see fusion.estimates.machine."""

    def expect(self, total: int) -> None:
        self.total, self.done = total, min(self.done, total)

    def metric(self, key: FitKey, seed: int) -> Callable[[int, str, float], None]:
        """Return what takes the points of a fit's curves: epoch, curve, value."""
        return partial(self.progress.metric, key, seed)

    def run(
        self, unit: str, model: str, fits: Sequence[Fit], watches: Sequence[Watch]
    ) -> list[Network]:
        """Return a network for each of `fits`, trained, or as it begins where there is no sample to
        learn from; `watches` are filled in.
        """
        networks = [self.network(f"{unit}/{number}", model, fit) for number, fit in enumerate(fits)]
        by_data = {id(fit.data): fit.data.samples(model, fit.data.rows) for fit in fits}
        samples = [by_data[id(fit.data)] for fit in fits]
        for number, nets in enumerate(self.groups(model, [len(part) for part in samples])):
            followed = [watch for watch in watches if watch.net in nets]
            if len(samples[nets[0]]):
                here = [replace(watch, net=nets.index(watch.net)) for watch in followed]
                parts = [samples[net] for net in nets]
                self.train(f"{unit}/{number}", [networks[net] for net in nets], parts, here)
                for watch, filled in zip(followed, here):
                    watch.history, watch.weights = filled.history, filled.weights
            self.done += len(followed)
            self.progress.step(self.done, self.total, "models")
        for watch in watches:
            if watch.weights:
                networks[watch.net].load_state_dict(watch.weights, assign=True)
        for network in networks:
            network.settle()
        return [network.eval() for network in networks]

    def network(self, unit: str, model: str, fit: Fit) -> Network:
        """Return the network of a fit as training begins."""
        seed_everything(unit, fit.seed)
        return new_network(Shape.of(model, fit.data, self.training), fit.data)

    def groups(self, model: str, sizes: Sequence[int]) -> list[list[int]]:
        """Return the numbers of the fits that stand side by side.

        Where a search reads each fold as it chose, fits may be of different shapes, and who stands
        beside a fit, and so its random numbers, must not depend on labels that it does not see:
        there each fit stands alone.
        """
        searched = self.data.tuned_blocks is not None
        if searched and (reads_tokens(model) or not self.training.pca_dim):
            return [[number] for number in range(len(sizes))]
        return of_similar_size(sizes)

    def train(
        self,
        unit: str,
        networks: Sequence[Network],
        samples: Sequence[Samples],
        watches: Sequence[Watch],
    ) -> None:
        """Train networks side by side, or read from the store how their training went."""
        self.check()
        task = self.data.learning_task
        stored = self.store.get(unit)
        if stored is not None:
            unpack(watches, *stored)
            report_all(watches, task)
            return
        seed_everything(unit, self.training.seeds)
        hooks = Hooks(
            partial(self.epoch, len(watches)),
            self.store.checkpoint(unit),
            self.store.checkpoint_seconds,
        )
        terms = self.data.taught[0] if self.data.taught else None
        stopwatch = Stopwatch()
        fit(networks, samples, self.training, self.steps, watches, hooks, terms, task)
        self.seconds += stopwatch.seconds
        self.store.put(unit, *packed(watches))

    def epoch(self, fits: int, epochs: int) -> None:
        self.check()
        self.progress.step(self.done + fits * epochs // self.training.epochs, self.total, "models")


def of_similar_size(sizes: Sequence[int]) -> list[list[int]]:
    """Return the numbers of fits with about as many samples, within a fifth: side by side, the
    smaller ones cost as much as the largest.
    """
    groups: list[list[int]] = []
    for net in sorted(range(len(sizes)), key=lambda net: (sizes[net], net)):
        if groups and sizes[net] <= 1.2 * sizes[groups[-1][0]]:
            groups[-1].append(net)
        else:
            groups.append([net])
    return groups
