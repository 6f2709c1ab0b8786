"""Out-of-fold answers: for each round of the split, what is chosen inside its training samples,
then the models of each seed.

Everything that is chosen (whitening, number of epochs, temperature, the best single modality) sees
training samples only. Models of one shape are fitted side by side (fusion.training.loop): the inner fits of
all rounds, then the seeds of all rounds, as long as there are not too many samples. Each such group
is a file in the store once it is finished, so an interrupted run goes on where it stopped.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from fusion.core.arrays import Ints
from fusion.core.progress import Progress
from fusion.core.stopwatch import Stopwatch
from fusion.features.prototypes import relation
from fusion.methods import JOINT, reads_tokens
from fusion.methods.layers import Network
from fusion.methods.unimodal import Unimodal
from fusion.schema.methods import step_of
from fusion.schema.recipe import Recipe
from fusion.tasks.calibration import temperature_of
from fusion.training.fit_store import Store
from fusion.training.folds import Choice, Prepared, Round, Task
from fusion.training.loop import (
    History,
    Hooks,
    Samples,
    Watch,
    fit,
    packed,
    seed_everything,
    tell_all,
    unpack,
)
from fusion.training.models import Model, Shape
from fusion.training.search.budget import Budget

SIDE_BY_SIDE = 30_000
"""Samples in all rounds that are fitted at the same time: what bounds the memory."""


Fit = tuple[int, Prepared]
"""Seed, and what the training rows decide."""


class CrossFit:
    """`total`: fits in all rounds, for the progress bar. `names`: the models, single modalities
    first.
    """

    def __init__(
        self, task: Task, recipe: Recipe, rounds: Sequence[Round], store: Store, progress: Progress
    ) -> None:
        self.task, self.training, self.store, self.progress = task, recipe.training, store, progress
        self.method = "ensemble" if recipe.search else recipe.method
        self.budget = Budget(recipe.search.budget_seconds, store) if recipe.search else None
        self.names = [*task.modalities, *(name for name in recipe.methods if name in JOINT)]
        self.members = recipe.members
        self.rounds = list(rounds)
        self.total = self.fits
        self.done = 0
        self.seconds = 0.0
        """In fitting networks, see fusion.estimates.machine."""
        self.steps = -(-max(len(each.train) for each in rounds) // self.training.batch_size)
        """Of every fit an epoch, as many as the largest one needs: so epochs that few samples chose
        mean as much training on more.
        """
        self.kept: dict[bytes, Prepared] = {}
        self.judged: dict[tuple[str, Round, int], History] = {}
        """(model, round, number of the inner round) -> how its fit went."""
        self.solved: dict[Round, tuple[dict[str, Choice], list[dict[str, Model]]]] = {}

    def prepared(self, rows: Ints) -> Prepared:
        """Kept until no round to come has the same rows: the inner rounds of one round are often
        those of another.
        """
        return self.kept.setdefault(
            rows.tobytes(), Prepared(self.task, rows, self.training.pca_dim)
        )

    def forget(self, each: Round) -> None:
        """Called when a round is over."""
        to_come = self.rounds[self.rounds.index(each) + 1 :]
        wanted = {
            rows.tobytes()
            for later in to_come
            for rows in (later.train, *(rows for rows, _ in later.inner))
        }
        self.kept = {key: prepared for key, prepared in self.kept.items() if key in wanted}

    def inputs(self, name: str) -> list[str]:
        return self.task.modalities if name in JOINT else [name]

    def solve(self, each: Round) -> tuple[dict[str, Choice], list[dict[str, Model]]]:
        """What the inner rounds chose for every model (with the first seed), and the models of each
        seed fitted on all training rows.
        """
        if each not in self.solved:
            parts = self.all_together(each) if self.budget else [self.together(each)]
            choices: dict[Round, dict[str, Choice]] = {one: {} for part in parts for one in part}
            models: dict[Round, list[dict[str, Model]]] = {
                one: [{} for _ in range(one.seeds)] for one in choices
            }
            for name in list(self.names):
                work = partial(self.solve_name, name, parts, choices, models)
                if self.budget is None:
                    work()
                elif not self.budget.finish(name, name not in JOINT, step_of(name), work):
                    self.give_up(name)
                    for one in choices:
                        choices[one].pop(name, None)
                        for seed in models[one]:
                            seed.pop(name, None)
            self.solved = {one: (choices[one], models[one]) for one in choices}
        return self.solved[each]

    def solve_name(
        self,
        name: str,
        parts: Sequence[Sequence[Round]],
        choices: dict[Round, dict[str, Choice]],
        models: dict[Round, list[dict[str, Model]]],
    ) -> None:
        for together in parts:
            self.judge_all(name, together)
            for one in together:
                choices[one][name] = self.choice(name, one)
            self.add_models(name, {one: choices[one][name] for one in together}, models)
            if len(parts) > 1:
                self.kept.clear()

    def give_up(self, name: str) -> None:
        """A method for which there was no time takes no part in anything."""
        self.names.remove(name)
        self.members = [one for one in self.members if one != name]
        if self.members == ["late"]:
            self.members = []
        self.total = self.fits
        self.done = min(self.done, self.total)

    @property
    def fits(self) -> int:
        return sum(len(self.names) * (len(each.inner) + each.seeds) for each in self.rounds)

    def all_together(self, first: Round) -> list[list[Round]]:
        """All rounds, as many at a time as fit in."""
        found = [self.together(first)]
        while rest := [
            each for each in self.rounds[self.rounds.index(found[-1][-1]) + 1 :] if each.inner
        ]:
            found.append(self.together(rest[0]))
        return found

    def together(self, first: Round) -> list[Round]:
        """This round and those after it that still fit in; a round without inner ones waits for
        what the others choose.
        """
        rounds = [each for each in self.rounds[self.rounds.index(first) :] if each.inner]
        samples = np.cumsum(
            [len(each.train) + sum(len(rows) for rows, _ in each.inner) for each in rounds]
        )
        return rounds[: max(1, int((samples <= SIDE_BY_SIDE).sum()))]

    def validated(self, name: str, each: Round) -> tuple[Ints, NDArray[np.float32]]:
        """What the inner rounds said of the samples that they held back, as far as the model can
        answer them: rows (n,), outputs (n, D).
        """
        outputs = [self.judged[name, each, number].best_logits for number in range(len(each.inner))]
        answered = [
            self.task.rows_with(self.inputs(name), validation)
            for (_, validation), found in zip(each.inner, outputs)
            if found is not None and len(found)
        ]
        none = np.zeros((0, self.task.asked.width), np.float32)
        return np.concatenate([each.train[:0], *answered]), np.concatenate(
            [none, *(found for found in outputs if found is not None)]
        )

    def choice(self, name: str, each: Round) -> Choice:
        asked, histories = (
            self.task.asked,
            [self.judged[name, each, number] for number in range(len(each.inner))],
        )
        rows = np.concatenate([validation for _, validation in each.inner])
        seen, outputs = self.validated(name, each)
        said = np.tile(asked.prior(self.task.y[each.train]), (len(self.task.y), 1))
        said[seen] = outputs
        score = asked.score(self.task.y[rows], asked.answers(asked.beliefs(said[rows])))
        epochs = float(np.mean([found.best_epoch or self.training.epochs for found in histories]))
        return Choice(
            max(1, round(epochs)), temperature_of(outputs, self.task.y[seen], asked.log_loss), score
        )

    def judge_all(self, name: str, together: Sequence[Round]) -> None:
        """Fits a model for every inner round of these rounds.

        Rows that two inner rounds share are fitted once, also for rounds that come later: a fit
        knows nothing of who judges it, so each round judges it by its own validation samples.
        """
        inner = [
            (each, number, rows) for each in together for number, (rows, _) in enumerate(each.inner)
        ]
        fits = {
            rows.tobytes(): self.prepared(rows)
            for each, number, rows in inner
            if (name, each, number) not in self.judged
        }
        nets, seed = {key: net for net, key in enumerate(fits)}, self.training.seeds[0]
        watches: dict[tuple[str, Round, int], Watch] = {}
        for each in self.rounds:
            for number, (rows, validation) in enumerate(each.inner):
                if (key := rows.tobytes()) in fits:
                    held = fits[key].samples(name, validation)
                    metric = self.metric(f"{name} · {each.name}, inner {number + 1}", seed)
                    watches[name, each, number] = Watch(
                        nets[key], self.training.epochs, held, metric
                    )
        if fits:
            unit = f"{self.rounds.index(together[0])}/{name}/inner"
            self.fitted(
                unit, name, [(seed, prepared) for prepared in fits.values()], list(watches.values())
            )
        self.judged |= {key: watch.history for key, watch in watches.items()}

    def models(
        self, choices: dict[Round, dict[str, Choice]]
    ) -> dict[Round, list[dict[str, Model]]]:
        """{round: one model a name for each seed}"""
        found: dict[Round, list[dict[str, Model]]] = {
            each: [{} for _ in range(each.seeds)] for each in choices
        }
        for name in self.names:
            self.add_models(name, {each: chosen[name] for each, chosen in choices.items()}, found)
        return found

    def add_models(
        self, name: str, choices: dict[Round, Choice], found: dict[Round, list[dict[str, Model]]]
    ) -> None:
        """Those of one name, for each seed."""
        wanted = [
            (each, number, seed)
            for each in choices
            for number, seed in enumerate(self.training.seeds[: each.seeds])
        ]
        fits = [(seed, self.prepared(each.train)) for each, _, seed in wanted]
        watches = [
            Watch(net, choices[each].epochs, None, self.metric(f"{name} · {each.name}", seed))
            for net, (each, _, seed) in enumerate(wanted)
        ]
        networks = self.fitted(f"{self.rounds.index(wanted[0][0])}/{name}", name, fits, watches)
        for (each, number, _), (_, prepared), network in zip(wanted, fits, networks):
            whitening = {
                modality: prepared.whitening_for(name, modality) for modality in self.inputs(name)
            }
            found[each][number][name] = Model(
                self.shape(name, prepared), whitening, network, choices[each].temperature
            )

    def metric(self, where: str, seed: int) -> Callable[[int, str, float], None]:
        return lambda epoch, curve, value: self.progress.metric(where, seed, epoch, curve, value)

    def shape(self, name: str, prepared: Prepared) -> Shape:
        inputs = self.inputs(name)
        dims = {
            each: prepared.whitening_for(name, each).dim if each in inputs else 0
            for each in self.task.modalities
        }
        tokens = (
            {each: prepared.token_whitening(each).number for each in inputs}
            if reads_tokens(name)
            else None
        )
        return Shape.of(name, self.task.modalities, dims, self.task.asked, self.training, tokens)

    def apart(self, name: str) -> bool:
        """Whether fits must not stand side by side: where a search reads each as it chose, they may
        be of different shapes, and who stands beside a fit, and so its random numbers, must not
        hang on labels that it does not see.
        """
        return self.task.tuned_blocks is not None and (
            reads_tokens(name) or not self.training.pca_dim
        )

    def fitted(
        self, unit: str, name: str, fits: Sequence[Fit], watches: Sequence[Watch]
    ) -> list[Network]:
        """A network for each of `fits`, trained, or as it begins where there is no sample to learn
        from; `watches` are filled in.
        """
        networks = [
            self.network(f"{unit}/{net}", name, seed, prepared)
            for net, (seed, prepared) in enumerate(fits)
        ]
        distinct = {id(prepared): prepared.samples(name, prepared.rows) for _, prepared in fits}
        samples = [distinct[id(prepared)] for _, prepared in fits]
        sizes = [len(each) for each in samples]
        for number, nets in enumerate(
            [[net] for net in range(len(fits))] if self.apart(name) else alike(sizes)
        ):
            some = [watch for watch in watches if watch.net in nets]
            if len(samples[nets[0]]):
                self.fit(
                    f"{unit}/{number}",
                    [networks[net] for net in nets],
                    [samples[net] for net in nets],
                    nets,
                    some,
                )
            self.done += len(some)
            self.progress.step(self.done, self.total, "models")
        for watch in watches:
            if watch.weights:
                networks[watch.net].load_state_dict(watch.weights, assign=True)
        for network in networks:
            network.settle()
        return [network.eval() for network in networks]

    def fit(
        self,
        unit: str,
        networks: list[Network],
        samples: list[Samples],
        nets: list[int],
        watches: Sequence[Watch],
    ) -> None:
        """Trains these networks, of the numbers `nets`, or reads what their training found from the
        store.
        """
        self.check()
        here = [replace(watch, net=nets.index(watch.net)) for watch in watches]
        found = self.store.get(unit)
        if found is None:
            seed_everything(unit, self.training.seeds)
            hooks = Hooks(
                partial(self.epoch, len(watches)),
                self.store.checkpoint(unit),
                self.store.checkpoint_seconds,
            )
            spent = Stopwatch()
            terms = self.task.taught[0] if self.task.taught else None
            fit(networks, samples, self.training, self.steps, here, hooks, terms, self.task.asked)
            self.seconds += spent.seconds
            self.store.put(unit, *packed(here))
        else:
            unpack(here, *found)
            tell_all(here, self.task.asked)
        for watch, filled in zip(watches, here):
            watch.history, watch.weights = filled.history, filled.weights

    def check(self) -> None:
        self.progress.check()
        if self.budget:
            self.budget.check()

    def epoch(self, fits: int, done: int) -> None:
        self.check()
        self.progress.step(self.done + fits * done // self.training.epochs, self.total, "models")

    def network(self, unit: str, name: str, seed: int, prepared: Prepared) -> Network:
        """As training begins."""
        seed_everything(unit, seed)
        network = self.shape(name, prepared).network(prepared.log_prior)
        if isinstance(network, Unimodal):
            part = prepared.linear_part(name)
            if part is not None:
                network.set_linear(*map(torch.from_numpy, part))
        if self.task.likeness is not None:
            network.relation = torch.from_numpy(relation(self.task.likeness).astype(np.float32))
        return network


def alike(sizes: Sequence[int]) -> list[list[int]]:
    """Which fits have about as many samples, within a fifth: side by side, the smaller ones cost as
    much as the largest.
    """
    groups: list[list[int]] = []
    for net in sorted(range(len(sizes)), key=lambda net: (sizes[net], net)):
        if groups and sizes[net] <= 1.2 * sizes[groups[-1][0]]:
            groups[-1].append(net)
        else:
            groups.append([net])
    return groups
