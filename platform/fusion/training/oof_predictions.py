"""Predictions of every model about the test samples of the fold that it was not trained on, and the
folds put together for the evaluation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fusion.core.arrays import Bools, Floats, Floats32, Ints
from fusion.features.perturb import Key, Noisy
from fusion.features.representation import Space, Vectors, evidence, views
from fusion.methods.ensemble import Pool, beliefs_of
from fusion.methods.predictor import Predictor
from fusion.tasks.predictions import Coalition, MethodPredictions, Scored, coalitions, hide
from fusion.training.choices import Choice, HeldOut, part_numbers
from fusion.training.crossfit import CrossFit, FittedModel
from fusion.training.folds import NestedFold
from fusion.training.linear_baselines import baselines
from fusion.training.models import Model


@dataclass
class FoldPredictions:
    """Predictions about the test samples of one fold. singles: (S, n, M, D) outputs; joint:
    {method: {coalition: (S, n, D)}}; uncalibrated: {method: (S, n, D)}; baselines: {name: beliefs}.

    pool: of the ensemble, where the recipe has one; losses: inner log loss of every method, in a
    search. noisy: the same models' predictions with one modality under noise, by modality and
    level, from all inputs alone. vectors: (1 + M, n, D) of the run's own method and the first seed,
    see fusion.features.representation.views.
    """

    fold: NestedFold
    choices: dict[str, Choice]
    log_prior: NDArray[Any]
    singles: Floats
    vectors: Vectors = field(default_factory=lambda: np.zeros((0, 0, 0), np.float32))
    joint: dict[str, dict[Coalition, Floats]] = field(default_factory=dict)
    uncalibrated: dict[str, Floats] = field(default_factory=dict)
    baselines: dict[str, Floats] = field(default_factory=dict)
    pool: Pool | None = None
    losses: dict[str, float] = field(default_factory=dict)
    noisy: dict[Key, "FoldPredictions"] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.fold.test)

    @property
    def winner(self) -> str:
        """The method that did best inside the training samples, in a search."""
        return min(self.losses, key=lambda name: self.losses[name])

    def chosen(self) -> dict[str, Any]:
        """Return the choices as plain data, by model."""
        chosen: dict[str, Any] = {name: vars(choice) for name, choice in self.choices.items()}
        if self.pool:
            chosen["ensemble"] = vars(self.pool)
        if self.losses:
            chosen["search"] = {"method": self.winner, "losses": self.losses}
        return chosen


def predict_fold(
    crossfit: CrossFit, fold: NestedFold, regressions: bool = True, noisy: Noisy | None = None
) -> FoldPredictions:
    """Fit the models of one fold (`CrossFit.fit`, which trains them) and predict its test samples;
    with the linear baselines, and under noise, if asked for.
    """
    models = crossfit.fit(fold)
    fold_data, mask = crossfit.fold_data.of(fold.train), crossfit.data.mask[fold.test]
    predictions = FoldPredictions(
        fold,
        {name: model.choice for name, model in models.items()},
        fold_data.log_prior,
        outputs_of_singles(crossfit, fold, models, mask),
        baselines=baselines(crossfit, fold) if regressions else {},
    )
    for name in crossfit.joint:
        x, by_seed = fold_data.x_for(name, fold.test), models[name].by_seed
        predictions.joint[name] = {
            coalition: calibrated(by_seed, x, hide(mask, coalition))
            for coalition in coalitions(mask.shape[1])
        }
        predictions.uncalibrated[name] = calibrated(by_seed, x, mask, temperature=1.0)
    if crossfit.members or crossfit.budget:
        choose_ensemble(crossfit, predictions, models)
    predictions.vectors = vectors_of(crossfit, predictions, models)
    if noisy:
        predictions.noisy = {
            key: predict_noisy(
                crossfit, predictions, models, key[0], noisy.features(key, fold.train)[fold.test]
            )
            for key in noisy.keys
        }
    crossfit.fold_data.drop(fold)
    return predictions


def choose_ensemble(
    crossfit: CrossFit, predictions: FoldPredictions, models: Mapping[str, FittedModel]
) -> None:
    """Add the ensemble, and in a search the loss of every method, by the inner validation."""
    inner = {name: models[name].inner for name in crossfit.names}
    held_out = HeldOut.inner(crossfit.data, predictions.fold, inner)
    if crossfit.members:
        predictions.pool = held_out.pool(predictions.choices, crossfit.members)
    if crossfit.budget:
        predictions.losses = held_out.losses(predictions.choices, crossfit.members)


def outputs_of_singles(
    crossfit: CrossFit, fold: NestedFold, models: Mapping[str, FittedModel], mask: Bools
) -> Floats:
    """Return the outputs of each modality's own model, (S, n, M, D)."""
    fold_data = crossfit.fold_data.of(fold.train)
    outputs = [
        raw_outputs(models[name].by_seed, fold_data.x_for(name, fold.test), mask)
        for name in crossfit.data.modalities
    ]
    return np.stack(outputs, axis=2)


def raw_outputs(by_seed: Sequence[Model], x: Mapping[str, Tensor], mask: Bools) -> Floats:
    """Return the outputs of a model with each seed, (S, n, D)."""
    return np.stack([model.outputs_of(x, mask) for model in by_seed]).astype(np.float64)


def calibrated(
    by_seed: Sequence[Model],
    x: Mapping[str, Tensor],
    mask: Bools,
    temperature: float | None = None,
) -> Floats:
    """Return the predictions of a model with each seed, (S, n, D)."""
    return np.stack(
        [model.calibrated(model.outputs_of(x, mask), mask, temperature) for model in by_seed]
    )


def predict_noisy(
    crossfit: CrossFit,
    clean: FoldPredictions,
    models: Mapping[str, FittedModel],
    modality: str,
    features: Floats32,
) -> FoldPredictions:
    """Predict with one modality under noise. features: (n, dim) of that modality for the test
    samples, as its encoders write them.
    """
    fold, mask = clean.fold, crossfit.data.mask[clean.fold.test]
    fold_data = crossfit.fold_data.of(fold.train)
    everything = tuple(range(len(crossfit.data.modalities)))

    def inputs(name: str) -> dict[str, Tensor]:
        whitened = torch.from_numpy(fold_data.whitening_for(name, modality)(features))
        return fold_data.x_for(name, fold.test) | {modality: whitened}

    singles, column = clean.singles.copy(), crossfit.data.modalities.index(modality)
    singles[:, :, column] = raw_outputs(models[modality].by_seed, inputs(modality), mask)
    joint = {
        name: {everything: calibrated(models[name].by_seed, inputs(name), mask)}
        for name in clean.joint
    }
    return FoldPredictions(
        fold,
        clean.choices,
        clean.log_prior,
        singles,
        joint=joint,
        uncalibrated=clean.uncalibrated,
        pool=clean.pool,
    )


def vectors_of(
    crossfit: CrossFit, predictions: FoldPredictions, models: Mapping[str, FittedModel]
) -> Vectors:
    """Return the fused representation of a fold's test samples by the models of the first seed,
    (1 + M, n, D).
    """
    method, fold = crossfit.method, predictions.fold
    masks = views(crossfit.data.mask[fold.test])
    if method in models:
        x = crossfit.fold_data.of(fold.train).x_for(method, fold.test)
        return np.stack([models[method].by_seed[0].vectors(x, mask) for mask in masks])
    return evidence_of(crossfit, predictions, masks).astype(np.float32)


def evidence_of(crossfit: CrossFit, predictions: FoldPredictions, masks: Sequence[Bools]) -> Floats:
    """Return the evidence for each label of late fusion or the ensemble, (1 + M, n, D)."""
    task, log_prior = crossfit.data.learning_task, predictions.log_prior
    temperatures = [predictions.choices[name].temperature for name in crossfit.data.modalities]
    beliefs = task.beliefs(predictions.singles[0], np.array(temperatures))
    late = np.stack([evidence(task, beliefs, mask, log_prior) for mask in masks])
    if crossfit.method == "ensemble" and predictions.pool:
        members = {
            name: beliefs_of(task, by_coalition[max(by_coalition, key=len)][0])
            for name, by_coalition in predictions.joint.items()
        }
        members["late"] = task.product(beliefs, masks[0], log_prior)
        joint = predictions.pool(task, members)
        complete = np.all(masks[0], axis=1)[:, None]
        pooled = evidence(task, joint[:, None], complete, log_prior)
        late[0] = np.where(complete, pooled, late[0])
    return late


def final_choices(
    crossfit: CrossFit, folds: Sequence[FoldPredictions]
) -> tuple[dict[str, Choice], Pool | None]:
    """Return what the models of all samples are trained with: epochs as the folds chose on average,
    and the temperature, and the weights of an ensemble, that suit the out-of-fold predictions.
    """
    held_out, choices = held_out_tests(crossfit, folds), {}
    for name in crossfit.names:
        chosen = [predictions.choices[name] for predictions in folds]
        epochs = round(float(np.mean([choice.epochs for choice in chosen])))
        score = float(np.mean([choice.score for choice in chosen]))
        choices[name] = Choice(max(1, epochs), held_out.temperature(name), score)
    return choices, held_out.pool(choices, crossfit.members) if crossfit.members else None


def held_out_tests(crossfit: CrossFit, folds: Sequence[FoldPredictions]) -> HeldOut:
    """Return the outputs of the first seed about the test samples of all folds."""
    data, tests = crossfit.data, [predictions.fold.test for predictions in folds]
    rows = np.concatenate(tests)
    outputs = {
        name: np.concatenate([predictions.singles[0, :, column] for predictions in folds])
        for column, name in enumerate(data.modalities)
    }
    for name in crossfit.joint:
        outputs[name] = data.learning_task.outputs(
            np.concatenate([predictions.uncalibrated[name][0] for predictions in folds])
        )
    present = {name: np.isin(rows, data.rows_with(data.inputs(name), rows)) for name in outputs}
    return HeldOut(data, rows, part_numbers(tests), log_priors(folds), outputs, present)


def log_priors(folds: Sequence[FoldPredictions]) -> Floats:
    """Return the training prior of each test sample, (n, D)."""
    return np.concatenate(
        [
            np.tile(predictions.log_prior.astype(np.float64), (len(predictions), 1))
            for predictions in folds
        ]
    )


@dataclass
class OutOfFold:
    """The folds' predictions put together. rows: (n,) rows of the data that were predicted, in the
    order of everything else here; folds: the predictions as the folds made them.
    """

    rows: Ints
    scored: Scored
    folds: list[FoldPredictions]
    methods: dict[str, MethodPredictions]
    singles: dict[str, tuple[Floats, Floats]]
    """Modality -> its predictions calibrated and not, (S, n, D) each."""
    baselines: dict[str, Floats]
    """Name -> predictions (1, n, D)."""
    space: Space
    """Of the run's own method."""
    noisy: dict[Key, MethodPredictions] = field(default_factory=dict)
    """Of the run's own method, from all inputs."""

    @property
    def best_single(self) -> str:
        """The single modality with the best inner score, over the folds; test labels
        take no part.
        """

        def rank(name: str) -> tuple[float, str]:
            scores = [predictions.choices[name].score for predictions in self.folds]
            return float(np.mean(scores)), name

        return max(self.scored.modalities, key=rank)

    def temperature(self, name: str) -> float:
        temperatures = [predictions.choices[name].temperature for predictions in self.folds]
        return float(np.mean(temperatures))


def assemble(
    crossfit: CrossFit,
    folds: list[FoldPredictions],
    keys: Sequence[str],
    cluster: Sequence[Any],
) -> OutOfFold:
    """Join the folds' predictions. keys, cluster: of every row of the data."""
    task, modalities = crossfit.data.learning_task, crossfit.data.modalities
    scored = scored_samples(crossfit, folds, keys, cluster)
    names = ["late", *folds[0].joint, *(["ensemble"] if folds[0].pool else [])]
    predictor = predictor_of(crossfit, folds, scored, coalitions(len(modalities)))
    regressions = {
        name: task.predictions(np.concatenate([part.baselines[name] for part in folds]))[None]
        for name in folds[0].baselines
    }
    noisy = {}
    for key in folds[0].noisy:
        under_noise = [predictions.noisy[key] for predictions in folds]
        everything = [tuple(range(len(modalities)))]
        method = predictor_of(crossfit, under_noise, scored, everything).method
        noisy[key] = (
            predictions_of_winners(folds, {name: method(name) for name in names})
            if crossfit.budget
            else method(crossfit.method)
        )
    return OutOfFold(
        np.concatenate([predictions.fold.test for predictions in folds]),
        scored,
        folds,
        {name: predictor.method(name) for name in names},
        predictor.singles,
        regressions,
        space_of(crossfit, folds),
        noisy,
    )


def scored_samples(
    crossfit: CrossFit,
    folds: Sequence[FoldPredictions],
    keys: Sequence[str],
    cluster: Sequence[Any],
) -> Scored:
    """Return the test samples of all folds."""
    data = crossfit.data
    rows = np.concatenate([predictions.fold.test for predictions in folds])
    return Scored(
        [keys[row] for row in rows],
        data.y[rows],
        data.mask[rows],
        log_priors(folds),
        np.asarray(cluster)[rows],
        np.concatenate([[part.fold.name] * len(part) for part in folds]),
        data.learning_task.labels,
        data.modalities,
        data.learning_task,
    )


def predictions_of_winners(
    folds: Sequence[FoldPredictions], methods: Mapping[str, MethodPredictions]
) -> MethodPredictions:
    """Return each fold's predictions by the method that it chose, in a search."""
    winners = [methods[predictions.winner] for predictions in folds]
    ends = np.cumsum([len(predictions) for predictions in folds])[:-1]

    def joined(parts: list[Floats]) -> Floats:
        return np.concatenate(
            [np.split(part, ends, axis=1)[i] for i, part in enumerate(parts)], axis=1
        )

    by_coalition = {
        coalition: joined([winner.by_coalition[coalition] for winner in winners])
        for coalition in winners[0].by_coalition
    }
    return MethodPredictions(by_coalition, joined([winner.uncalibrated for winner in winners]))


def predictor_of(
    crossfit: CrossFit,
    folds: Sequence[FoldPredictions],
    scored: Scored,
    wanted: Sequence[Coalition],
) -> Predictor:
    """Return the predictor of every method about the test samples of all folds."""

    def joint(name: str) -> MethodPredictions:
        by_coalition = {
            coalition: np.concatenate([part.joint[name][coalition] for part in folds], axis=1)
            for coalition in wanted
        }
        return MethodPredictions(
            by_coalition, np.concatenate([part.uncalibrated[name] for part in folds], axis=1)
        )

    temperatures = [
        np.tile([part.choices[name].temperature for name in scored.modalities], (len(part), 1))
        for part in folds
    ]
    return Predictor(
        scored,
        lambda: np.concatenate([part.singles for part in folds], axis=1),
        np.concatenate(temperatures),
        joint,
        wanted,
        fallback=crossfit.training.floor,
        pools=[(part.pool, len(part)) for part in folds if part.pool],
    )


def space_of(crossfit: CrossFit, folds: Sequence[FoldPredictions]) -> Space:
    whole, *alone = np.concatenate([predictions.vectors for predictions in folds], axis=1)
    method = crossfit.method
    if method == "ensemble" and not crossfit.members:
        method = "late"
    evidence = method in ("late", "ensemble")
    return Space(method, evidence, whole, dict(zip(crossfit.data.modalities, alone, strict=True)))
