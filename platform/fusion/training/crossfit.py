"""Every method in every fold of the split: what its inner folds choose, then the models of each
seed.

Everything that is chosen (whitening, number of epochs, temperature, the best single modality) sees
training samples only. Models of one shape are fitted side by side: the inner fits of a group of
folds, then the seeds of these folds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from fusion.core.fit_key import FitKey
from fusion.core.progress import Progress
from fusion.methods import JOINT
from fusion.schema.methods import step_of
from fusion.schema.recipe import Recipe
from fusion.training.choices import Choice, InnerOutputs, choose, inner_outputs
from fusion.training.fit_runner import Fit, FitRunner
from fusion.training.fit_store import Store
from fusion.training.fold_data import FoldDataCache
from fusion.training.folds import NestedFold, TrainingData, side_by_side
from fusion.training.loop import History, Watch
from fusion.training.models import Model, Shape
from fusion.training.search.budget import Budget


@dataclass(frozen=True)
class FittedModel:
    """One model in one fold: what the inner folds chose, by which outputs, and the models fitted on
    all training rows, one a seed.
    """

    choice: Choice
    inner: InnerOutputs
    by_seed: list[Model]


class CrossFit:
    """names: the models, single modalities first; method: the run's own; members: what an ensemble
    joins; budget: of a search.
    """

    def __init__(
        self,
        data: TrainingData,
        recipe: Recipe,
        folds: Sequence[NestedFold],
        store: Store,
        progress: Progress,
    ) -> None:
        self.data, self.training, self.store = data, recipe.training, store
        self.folds = list(folds)
        self.method = "ensemble" if recipe.search else recipe.method
        self.names = [*data.modalities, *(name for name in recipe.methods if name in JOINT)]
        self.members = recipe.members
        self.budget = Budget(recipe.search.budget_seconds, store) if recipe.search else None
        self.progress = progress
        self.fold_data = FoldDataCache(data, self.training.pca_dim, folds)
        self.runner = FitRunner(data, self.training, self.steps, store, progress, self.check)
        self.runner.expect(self.n_fits)
        self.histories: dict[FitKey, History] = {}
        self.fitted: dict[NestedFold, dict[str, FittedModel]] = {}

    @property
    def joint(self) -> list[str]:
        return self.names[len(self.data.modalities) :]

    @property
    def steps(self) -> int:
        """Return the steps of every fit an epoch, as many as the largest one needs: so epochs that
        few samples chose mean as much training on more.
        """
        return -(-max(len(fold.train) for fold in self.folds) // self.training.batch_size)

    @property
    def n_fits(self) -> int:
        return sum(len(self.names) * (len(fold.inner) + fold.seeds) for fold in self.folds)

    def check(self) -> None:
        self.progress.check()
        if self.budget:
            self.budget.check()

    def fit(self, fold: NestedFold) -> dict[str, FittedModel]:
        """Return the models of a fold; those of the folds after it are fitted beside them.

        A search fits a method in all folds before the next method, as long as its budget lasts.
        """
        if fold not in self.fitted:
            groups = side_by_side(self.folds[self.folds.index(fold) :])
            groups = groups if self.budget else groups[:1]
            self.fitted = {fold: {} for group in groups for fold in group}
            for name in list(self.names):
                by_fold = self.within_budget(name, groups)
                if by_fold is None:
                    self.give_up(name)
                else:
                    for fitted_fold, model in by_fold.items():
                        self.fitted[fitted_fold][name] = model
        return self.fitted[fold]

    def within_budget(
        self, name: str, groups: Sequence[Sequence[NestedFold]]
    ) -> dict[NestedFold, FittedModel] | None:
        """Fit a model in all groups of folds; None where a search has no time left for it."""
        work = partial(self.fit_groups, name, groups)
        if self.budget is None:
            return work()
        return self.budget.run(name, name not in JOINT, step_of(name), work)

    def give_up(self, name: str) -> None:
        """Leave a method out for which there was no time."""
        self.names.remove(name)
        self.members = [member for member in self.members if member != name]
        if self.members == ["late"]:
            self.members = []
        self.runner.expect(self.n_fits)

    def fit_groups(
        self, name: str, groups: Sequence[Sequence[NestedFold]]
    ) -> dict[NestedFold, FittedModel]:
        fitted: dict[NestedFold, FittedModel] = {}
        for group in groups:
            fitted |= self.fit_group(name, group)
            if len(groups) > 1:
                self.fold_data.clear()
        return fitted

    def fit_group(self, name: str, group: Sequence[NestedFold]) -> dict[NestedFold, FittedModel]:
        """Fit the inner folds of a group of folds, choose by them, fit the folds with each seed."""
        self.fit_inner(name, group)
        choices: dict[NestedFold, Choice] = {}
        inner: dict[NestedFold, InnerOutputs] = {}
        for fold in group:
            histories = [self.histories[key] for key in inner_keys(name, fold)]
            inner[fold] = inner_outputs(self.data, name, fold, histories)
            choices[fold] = choose(self.data, fold, histories, inner[fold], self.training.epochs)
        models = self.fit_outer(name, choices)
        return {fold: FittedModel(choices[fold], inner[fold], models[fold]) for fold in group}

    def fit_inner(self, name: str, group: Sequence[NestedFold]) -> None:
        """Fit a model for every inner fold of these folds, with the first seed.

        Rows that two inner folds share are fitted once, also for folds that come later: a fit knows
        nothing of its validation, so each fold validates it by its own samples.
        """
        missing = {
            rows.tobytes(): self.fold_data.of(rows)
            for fold in group
            for key, (rows, _) in zip(inner_keys(name, fold), fold.inner)
            if key not in self.histories
        }
        if not missing:
            return
        nets, seed = {rows: net for net, rows in enumerate(missing)}, self.training.seeds[0]
        watches: dict[FitKey, Watch] = {}
        for fold in self.folds:
            for key, (rows, validation) in zip(inner_keys(name, fold), fold.inner):
                if (known := rows.tobytes()) in missing:
                    samples = missing[known].samples(name, validation)
                    metric = self.runner.metric(key, seed)
                    watches[key] = Watch(nets[known], self.training.epochs, samples, metric)
        fits = [Fit(seed, fold_data) for fold_data in missing.values()]
        unit = f"{self.folds.index(group[0])}/{name}/inner"
        self.runner.run(unit, name, fits, list(watches.values()))
        self.histories |= {key: watch.history for key, watch in watches.items()}

    def fit_outer(
        self, name: str, choices: Mapping[NestedFold, Choice]
    ) -> dict[NestedFold, list[Model]]:
        """Return models that are fitted on all training rows of each fold, one a seed."""
        seeds = [(fold, seed) for fold in choices for seed in self.training.seeds[: fold.seeds]]
        fits = [Fit(seed, self.fold_data.of(fold.train)) for fold, seed in seeds]
        watches = [
            Watch(
                net,
                choices[fold].epochs,
                metric=self.runner.metric(FitKey(name, fold.name), seed),
            )
            for net, (fold, seed) in enumerate(seeds)
        ]
        unit = f"{self.folds.index(seeds[0][0])}/{name}"
        networks = self.runner.run(unit, name, fits, watches)
        models: dict[NestedFold, list[Model]] = {fold: [] for fold in choices}
        for (fold, _), fit, network in zip(seeds, fits, networks):
            shape = Shape.of(name, fit.data, self.training)
            whitening = {
                modality: fit.data.whitening_for(name, modality) for modality in shape.inputs
            }
            models[fold].append(Model(shape, whitening, network, choices[fold].temperature))
        return models


def inner_keys(name: str, fold: NestedFold) -> list[FitKey]:
    return [FitKey(name, fold.name, number) for number in range(1, len(fold.inner) + 1)]
