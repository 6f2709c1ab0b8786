"""Out-of-fold answers: for each round of the split, what is chosen inside its training samples, then the models of each seed.

Everything that is chosen (whitening, number of epochs, temperature, the best single modality) sees training samples only.
Each finished fit is a file in the store, so an interrupted run goes on where it stopped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fusion.evaluate.baselines import linear_part
from fusion.evaluate.calibration import temperature_of
from fusion.evaluate.metrics import macro_f1
from fusion.methods import JOINT
from fusion.methods.unimodal import Unimodal
from fusion.models import Model, Shape, log_prior_of
from fusion.progress import Progress
from fusion.recipe import Recipe
from fusion.store import Store
from fusion.train import CURVES, History, Hooks, Samples, fit, seed_everything, tell_all
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


@dataclass(frozen=True)
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
    """Whitening fitted on the training rows of one round, and every sample of the task whitened by it; made when asked for."""

    def __init__(self, task: Task, rows: Ints, pca_dim: int) -> None:
        self.task, self.rows, self.pca_dim = task, rows, pca_dim
        self.log_prior = log_prior_of(task.y[rows], task.classes)
        self.whitening = cache(self.fit_whitening)
        self.x = cache(self.whiten)

    def fit_whitening(self, modality: str) -> Whitening:
        return Whitening.fit(self.task.x[modality][self.task.rows_with([modality], self.rows)], self.pca_dim)

    def whiten(self, modality: str) -> Tensor:
        """(n, out)"""
        return torch.from_numpy(self.whitening(modality)(self.task.x[modality]))

    def samples(self, inputs: Sequence[str], rows: Ints) -> Samples:
        rows = self.task.rows_with(inputs, rows)
        at = torch.from_numpy(rows)
        return Samples(
            {name: self.x(name)[at] for name in inputs}, torch.from_numpy(self.task.mask[rows]), torch.from_numpy(self.task.y[rows])
        )


class CrossFit:
    """`total`: fits in all rounds, for the progress bar. `names`: the models, single modalities first."""

    def __init__(self, task: Task, recipe: Recipe, rounds: Sequence[Round], store: Store, progress: Progress) -> None:
        self.task, self.training, self.store, self.progress = task, recipe.training, store, progress
        self.names = [*task.modalities, *(name for name in recipe.methods if name in JOINT)]
        self.total = sum(len(self.names) * (len(each.inner) + each.seeds) for each in rounds)
        self.done = 0
        self.kept: dict[bytes, Prepared] = {}

    def prepared(self, rows: Ints) -> Prepared:
        """Whitening is the dearest part of a small fit: kept until `forget`, since many fits of a round share it."""
        return self.kept.setdefault(rows.tobytes(), Prepared(self.task, rows, self.training.pca_dim))

    def forget(self) -> None:
        self.kept.clear()

    def inputs(self, name: str) -> list[str]:
        return self.task.modalities if name in JOINT else [name]

    def choose(self, each: Round) -> dict[str, Choice]:
        """Epochs and temperature of every model, from the inner rounds, with the first seed."""
        seed = self.training.seeds[0]
        epochs: dict[str, list[int]] = {name: [] for name in self.names}
        logits: dict[str, list[NDArray[np.float32]]] = {name: [] for name in self.names}
        for number, (rows, validation) in enumerate(each.inner):
            prepared = self.prepared(rows)
            for name in self.names:
                _, facts = self.fitted(f"{each.name}, inner {number + 1}", name, seed, prepared, self.training.epochs, validation)
                epochs[name].append(facts["best_epoch"] or self.training.epochs)
                logits[name].append(np.zeros((0, self.task.classes), np.float32) if facts["best_logits"] is None else facts["best_logits"])
        return {name: self.choice(name, each, epochs[name], logits[name]) for name in self.names}

    def choice(self, name: str, each: Round, epochs: list[int], logits: list[NDArray[np.float32]]) -> Choice:
        rows = np.concatenate([validation for _, validation in each.inner])
        answered = [
            self.task.rows_with(self.inputs(name), validation) if len(found) else validation[:0]
            for (_, validation), found in zip(each.inner, logits)
        ]
        seen, pooled = np.concatenate(answered), np.concatenate(logits)
        answers = np.full(len(self.task.y), int(log_prior_of(self.task.y[each.train], self.task.classes).argmax()))
        answers[seen] = pooled.argmax(1)
        score = macro_f1(self.task.y[rows], answers[rows], self.task.classes)
        return Choice(max(1, round(float(np.mean(epochs)))), temperature_of(pooled, self.task.y[seen]), score)

    def models(self, each: Round, choices: dict[str, Choice]) -> list[dict[str, Model]]:
        """One model a name for each seed, fitted on all training rows of the round."""
        prepared = self.prepared(each.train)
        found = []
        for seed in self.training.seeds[: each.seeds]:
            fitted = {name: self.fitted(each.name, name, seed, prepared, choices[name].epochs, None)[0] for name in self.names}
            for name, model in fitted.items():
                model.temperature = choices[name].temperature
            found.append(fitted)
        return found

    def fitted(
        self, where: str, name: str, seed: int, prepared: Prepared, epochs: int, validation: Ints | None
    ) -> tuple[Model, dict[str, Any]]:
        """Fits one model, or reads it from the store; the facts hold the best epoch and its validation logits."""
        self.progress.check()
        unit = f"{where}/{name}/seed {seed}"
        found = self.store.get(unit)
        if found:
            tell_all(History(**found[1].get("curves", {})), self.hooks(unit, where, name, seed))
        else:
            found = self.fit(unit, where, name, seed, prepared, epochs, validation)
        self.done += 1
        self.progress.step(self.done, self.total, "models")
        tensors, facts = found
        return Model.of(tensors, facts), facts | {"best_logits": tensors.get("best_logits")}

    def hooks(self, unit: str, where: str, name: str, seed: int) -> Hooks:
        return Hooks(
            metric=lambda epoch, metric, value: self.progress.metric(f"{name} · {where}", seed, epoch, metric, value),
            check=self.progress.check,
            checkpoint=self.store.checkpoint(unit),
            checkpoint_seconds=self.store.checkpoint_seconds,
        )

    def fit(
        self, unit: str, where: str, name: str, seed: int, prepared: Prepared, epochs: int, validation: Ints | None
    ) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        inputs = self.inputs(name)
        dims = {each: prepared.whitening(each).dim if each in inputs else 0 for each in self.task.modalities}
        shape = Shape.of(name, self.task.modalities, dims, self.task.classes, self.training)
        seed_everything(unit)
        model = Model(shape, {each: prepared.whitening(each) for each in inputs}, shape.network(prepared.log_prior))
        hooks = self.hooks(unit, where, name, seed)
        inside = None if validation is None else prepared.samples(inputs, validation)
        samples = prepared.samples(inputs, prepared.rows)
        if isinstance(model.network, Unimodal) and len(samples.y.unique()) > 1:
            weight, bias = linear_part(samples.x[name].numpy(), samples.y.numpy(), prepared.log_prior)
            model.network.set_linear(torch.from_numpy(weight), torch.from_numpy(bias))
        history = fit(model.network, samples, self.training, epochs, inside, hooks)
        tensors = model.tensors() | ({} if history.best_logits is None else {"best_logits": history.best_logits})
        curves = {curve: getattr(history, curve) for curve in CURVES}
        facts = model.facts() | {"best_epoch": history.best_epoch, "curves": curves}
        self.store.put(unit, tensors, facts)
        return tensors, facts
