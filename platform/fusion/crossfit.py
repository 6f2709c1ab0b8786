"""Out-of-fold answers: for each round of the split, what is chosen inside its training samples, then the models of each seed.

Everything that is chosen (whitening, number of epochs, temperature, the best single modality) sees training samples only.
Models of one shape are fitted side by side (fusion.train): the inner fits of a round, and its seeds. Each such group is a file in the
store once it is finished, so an interrupted run goes on where it stopped.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from fusion.evaluate.baselines import STRENGTHS, linear_part, regression
from fusion.evaluate.calibration import temperature_of
from fusion.evaluate.metrics import macro_f1
from fusion.methods import JOINT
from fusion.methods.unimodal import Unimodal
from fusion.models import Model, Shape, log_prior_of
from fusion.progress import Progress
from fusion.recipe import Recipe
from fusion.store import Store
from fusion.train import History, Hooks, Samples, Watch, fit, packed, seed_everything, tell_all, unpack
from fusion.whitening import Whitening

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Task:
    """y: (n,) class numbers, -1 where there is none; x: {modality: (n, dim)}; mask: (n, M) bool in the order of `x`."""

    y: Ints
    classes: int
    x: dict[str, NDArray[np.float32]]
    mask: NDArray[np.bool_]

    @property
    def modalities(self) -> list[str]:
        return list(self.x)

    def rows_with(self, inputs: Sequence[str], rows: Ints) -> Ints:
        """Those of `rows` that have at least one of `inputs`."""
        columns = np.array([self.modalities.index(name) for name in inputs], dtype=np.int64)
        return rows[self.mask[np.ix_(rows, columns)].any(1)]


@dataclass(frozen=True, eq=False)
class Round:
    """One round of the split. inner: [(fit, validation)] inside `train`; all are rows of the task. seeds: models to fit on `train`."""

    name: str
    train: Ints
    test: Ints
    inner: list[tuple[Ints, Ints]]
    seeds: int


@dataclass(frozen=True)
class Choice:
    """What the inner rounds chose for one model. score: macro-F1 of the inner validation answers, absent ones by the prior."""

    epochs: int
    temperature: float
    score: float


class Prepared:
    """Everything that one set of training rows decides before a network is fitted, made when asked for and shared by all its fits."""

    def __init__(self, task: Task, rows: Ints, pca_dim: int) -> None:
        self.task, self.rows, self.pca_dim = task, rows, pca_dim
        self.log_prior = log_prior_of(task.y[rows], task.classes)
        self.whitening = cache(self.fit_whitening)
        self.x = cache(self.whiten)
        self.regression = cache(self.fit_regression)

    def fit_whitening(self, modality: str) -> Whitening:
        return Whitening.fit(self.task.x[modality][self.task.rows_with([modality], self.rows)], self.pca_dim)

    def whiten(self, modality: str) -> Tensor:
        """(n, out): every sample of the task."""
        return torch.from_numpy(self.whitening(modality)(self.task.x[modality]))

    def samples(self, inputs: Sequence[str], rows: Ints) -> Samples:
        rows = self.task.rows_with(inputs, rows)
        at = torch.from_numpy(rows)
        return Samples(
            {name: self.x(name)[at] for name in inputs}, torch.from_numpy(self.task.mask[rows]), torch.from_numpy(self.task.y[rows])
        )

    def fit_regression(self, modality: str, strength: float) -> LogisticRegression | None:
        """On one modality; None where there are no two classes to tell apart."""
        samples = self.samples([modality], self.rows)
        return regression(samples.x[modality].numpy(), samples.y.numpy(), strength)


class CrossFit:
    """`total`: fits in all rounds, for the progress bar. `names`: the models, single modalities first."""

    def __init__(self, task: Task, recipe: Recipe, rounds: Sequence[Round], store: Store, progress: Progress) -> None:
        self.task, self.training, self.store, self.progress = task, recipe.training, store, progress
        self.names = [*task.modalities, *(name for name in recipe.methods if name in JOINT)]
        self.rounds = list(rounds)
        self.total = sum(len(self.names) * (len(each.inner) + each.seeds) for each in rounds)
        self.done = 0
        self.kept: dict[bytes, Prepared] = {}
        self.judged: dict[tuple[str, int, int], History] = {}
        """(model, number of the round, number of the inner round) -> how its fit went."""

    def prepared(self, rows: Ints) -> Prepared:
        """Kept until no round to come has the same rows: the inner rounds of one round are often those of another."""
        return self.kept.setdefault(rows.tobytes(), Prepared(self.task, rows, self.training.pca_dim))

    def forget(self, each: Round) -> None:
        """Called when a round is over."""
        to_come = self.rounds[self.rounds.index(each) + 1 :]
        wanted = {rows.tobytes() for later in to_come for rows in (later.train, *(rows for rows, _ in later.inner))}
        self.kept = {key: prepared for key, prepared in self.kept.items() if key in wanted}

    def inputs(self, name: str) -> list[str]:
        return self.task.modalities if name in JOINT else [name]

    def choose(self, each: Round) -> dict[str, Choice]:
        """Epochs and temperature of every model, from the inner rounds, with the first seed."""
        return {name: self.choice(name, each, self.inner(name, each)) for name in self.names}

    def choice(self, name: str, each: Round, histories: list[History]) -> Choice:
        rows = np.concatenate([validation for _, validation in each.inner])
        nothing = np.zeros((0, self.task.classes), np.float32)
        logits = [nothing if found.best_logits is None else found.best_logits for found in histories]
        answered = [
            self.task.rows_with(self.inputs(name), validation) if len(found) else validation[:0]
            for (_, validation), found in zip(each.inner, logits)
        ]
        seen, pooled = np.concatenate(answered), np.concatenate(logits)
        answers = np.full(len(self.task.y), int(log_prior_of(self.task.y[each.train], self.task.classes).argmax()))
        answers[seen] = pooled.argmax(1)
        score = macro_f1(self.task.y[rows], answers[rows], self.task.classes)
        epochs = float(np.mean([found.best_epoch or self.training.epochs for found in histories]))
        return Choice(max(1, round(epochs)), temperature_of(pooled, self.task.y[seen]), score)

    def inner(self, name: str, each: Round) -> list[History]:
        """One history an inner round of `each`.

        Rows that were fitted for an earlier round are not fitted again: a fit knows nothing of who judges it, so all rounds that ask
        for the same rows judge one fit, each by its own validation samples.
        """
        this = self.rounds.index(each)
        missing = {rows.tobytes(): rows for number, (rows, _) in enumerate(each.inner) if (name, this, number) not in self.judged}
        if missing:
            self.judge_all(f"{this}/{name}/inner", name, missing)
        self.advance(len(each.inner))
        return [self.judged[name, this, number] for number in range(len(each.inner))]

    def judge_all(self, unit: str, name: str, fits: dict[bytes, Ints]) -> None:
        """Fits a model on each of the rows in `fits`, for every round that asks for them."""
        seed, places = self.training.seeds[0], {key: net for net, key in enumerate(fits)}
        prepared = [self.prepared(rows) for rows in fits.values()]
        watches: dict[tuple[str, int, int], Watch] = {}
        for place, each in enumerate(self.rounds):
            for number, (rows, validation) in enumerate(each.inner):
                if (net := places.get(rows.tobytes())) is not None:
                    held = prepared[net].samples(self.inputs(name), validation)
                    metric = self.metric(f"{name} · {each.name}, inner {number + 1}", seed)
                    watches[name, place, number] = Watch(net, self.training.epochs, held, metric)
        self.fitted(unit, name, [seed] * len(prepared), prepared, list(watches.values()))
        self.judged |= {key: watch.history for key, watch in watches.items()}

    def models(self, each: Round, choices: dict[str, Choice]) -> list[dict[str, Model]]:
        """One model a name for each seed, fitted on all training rows of the round."""
        prepared, seeds = self.prepared(each.train), self.training.seeds[: each.seeds]
        found: list[dict[str, Model]] = [{} for _ in seeds]
        for name, choice in choices.items():
            unit = f"{self.rounds.index(each)}/{name}"
            watches = [Watch(net, choice.epochs, None, self.metric(f"{name} · {each.name}", seed)) for net, seed in enumerate(seeds)]
            networks = self.fitted(unit, name, seeds, [prepared] * len(seeds), watches)
            whitening = {modality: prepared.whitening(modality) for modality in self.inputs(name)}
            for models, network in zip(found, networks):
                models[name] = Model(self.shape(name, prepared), whitening, network, choice.temperature)
            self.advance(len(seeds))
        return found

    def metric(self, where: str, seed: int) -> Callable[[int, str, float], None]:
        return lambda epoch, curve, value: self.progress.metric(where, seed, epoch, curve, value)

    def advance(self, fits: int) -> None:
        self.done += fits
        self.progress.step(self.done, self.total, "models")

    def shape(self, name: str, prepared: Prepared) -> Shape:
        inputs = self.inputs(name)
        dims = {each: prepared.whitening(each).dim if each in inputs else 0 for each in self.task.modalities}
        return Shape.of(name, self.task.modalities, dims, self.task.classes, self.training)

    def fitted(self, unit: str, name: str, seeds: Sequence[int], prepared: Sequence[Prepared], watches: Sequence[Watch]) -> list[nn.Module]:
        """Fits one network for each of `prepared`, or reads them all from the store; the histories of `watches` are filled in."""
        self.progress.check()
        networks = [self.network(f"{unit}/{net}", name, seed, each) for net, (seed, each) in enumerate(zip(seeds, prepared))]
        found = self.store.get(unit)
        if found is None:
            self.fit(unit, name, networks, prepared, watches)
            histories, facts = packed(watches)
            states = {f"{net}.{key}": value.numpy() for net, each in enumerate(networks) for key, value in each.state_dict().items()}
            found = histories | states, facts
            self.store.put(unit, *found)
        else:
            unpack(watches, *found)
            tell_all(watches)
        return [restored(network, found[0], f"{net}.") for net, network in enumerate(networks)]

    def network(self, unit: str, name: str, seed: int, prepared: Prepared) -> nn.Module:
        """As training begins."""
        seed_everything(unit, seed)
        network = self.shape(name, prepared).network(prepared.log_prior)
        if isinstance(network, Unimodal):
            model = prepared.regression(name, STRENGTHS[1])
            if model is not None:
                network.set_linear(*(torch.from_numpy(part) for part in linear_part(model, prepared.log_prior)))
        return network

    def fit(self, unit: str, name: str, networks: list[nn.Module], prepared: Sequence[Prepared], watches: Sequence[Watch]) -> None:
        """Networks without any sample to learn from stay as they are."""
        samples = [each.samples(self.inputs(name), each.rows) for each in prepared]
        full = [net for net, each in enumerate(samples) if len(each)]
        live = [replace(watch, net=full.index(watch.net)) for watch in watches if watch.net in full]
        hooks = Hooks(self.progress.check, self.store.checkpoint(unit), self.store.checkpoint_seconds)
        seed_everything(unit, self.training.seeds)
        if full:
            fit([networks[net] for net in full], [samples[net] for net in full], self.training, live, hooks)


def restored(network: nn.Module, tensors: dict[str, NDArray[Any]], prefix: str) -> nn.Module:
    """With weights of its own, laid out in memory alike whether they were just fitted or read from a file."""
    weights = {key.removeprefix(prefix): torch.tensor(value) for key, value in tensors.items() if key.startswith(prefix)}
    network.load_state_dict(weights, assign=True)
    return network.eval()
