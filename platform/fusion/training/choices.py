"""The choices of training, each by predictions about samples that the models had not seen: epochs,
temperatures and the ensemble by the inner validation of a fold, those of the final models by its
test samples.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fusion.core.arrays import Bools, Floats, Floats32, Ints
from fusion.methods.ensemble import Pool, outputs_of
from fusion.tasks.calibration import temperature_of
from fusion.training.folds import NestedFold, TrainingData
from fusion.training.loop import History


@dataclass(frozen=True)
class Choice:
    """The choices of the inner folds for one model. score: headline metric of the inner validation
    predictions, the prior's where the model has no input.
    """

    epochs: int
    temperature: float
    score: float


class InnerOutputs(NamedTuple):
    """Outputs (n, D) of the inner folds' models about their validation samples, `rows` (n,), as far
    as these have an input of the model.
    """

    rows: Ints
    outputs: Floats32


def inner_outputs(
    data: TrainingData, model: str, fold: NestedFold, histories: Sequence[History]
) -> InnerOutputs:
    """Join the best epochs' outputs of a fold's inner fits."""
    inputs = data.inputs(model)
    rows, outputs = [fold.train[:0]], [np.zeros((0, data.learning_task.width), np.float32)]
    for (_, validation), history in zip(fold.inner, histories):
        if history.best_logits is not None:
            rows.append(data.rows_with(inputs, validation))
            outputs.append(history.best_logits)
    return InnerOutputs(np.concatenate(rows), np.concatenate(outputs))


def choose(
    data: TrainingData,
    fold: NestedFold,
    histories: Sequence[History],
    inner: InnerOutputs,
    max_epochs: int,
) -> Choice:
    """Return the mean of the inner folds' best epochs, and temperature and score of
    their outputs.
    """
    task = data.learning_task
    validation = np.concatenate([rows for _, rows in fold.inner])
    outputs = np.tile(task.prior(data.y[fold.train]), (len(data.y), 1))
    outputs[inner.rows] = inner.outputs
    predictions = task.predictions(task.beliefs(outputs[validation]))
    epochs = float(np.mean([history.best_epoch or max_epochs for history in histories]))
    return Choice(
        max(1, round(epochs)),
        temperature_of(inner.outputs, data.y[inner.rows], task.log_loss),
        task.score(data.y[validation], predictions),
    )


@dataclass(frozen=True)
class HeldOut:
    """Outputs of all models about samples that they had not seen: the inner validation samples of a
    fold, or the test samples of all folds.

    rows, part: (n,), of the data, and which fold held them back; prior: (n, D) of their training
    samples; outputs: {model: (n, D)} before the temperature, the prior where it has no input;
    present: {model: (n,)}, where it has one.
    """

    data: TrainingData
    rows: Ints
    part: Ints
    prior: Floats
    outputs: dict[str, Floats]
    present: dict[str, Bools]

    @classmethod
    def inner(
        cls, data: TrainingData, fold: NestedFold, by_model: Mapping[str, InnerOutputs]
    ) -> "HeldOut":
        validation = [rows for _, rows in fold.inner]
        rows = np.concatenate(validation)
        log_prior = data.learning_task.prior(data.y[fold.train])
        prior = np.tile(log_prior.astype(np.float64), (len(rows), 1))
        outputs, present = {}, {}
        for model, inner in by_model.items():
            present[model] = np.isin(rows, inner.rows)
            outputs[model] = prior.copy()
            outputs[model][present[model]] = inner.outputs
        return cls(data, rows, part_numbers(validation), prior, outputs, present)

    def temperature(self, model: str) -> float:
        rows = self.rows[self.present[model]]
        outputs = self.outputs[model][self.present[model]]
        return temperature_of(outputs, self.data.y[rows], self.data.learning_task.log_loss)

    def pool(
        self,
        choices: Mapping[str, Choice],
        members: Sequence[str],
        among: Bools | None = None,
    ) -> Pool:
        """Return the ensemble of these methods that suits the complete samples, or those `among`
        them.
        """
        beliefs = self.beliefs(choices)
        complete = self.complete if among is None else self.complete & among
        return Pool.of(
            self.data.learning_task,
            {name: beliefs[name][complete] for name in members},
            self.data.y[self.rows[complete]],
        )

    def losses(self, choices: Mapping[str, Choice], members: Sequence[str]) -> dict[str, float]:
        """Return {method: log loss}; of an ensemble each part of the samples is predicted with
        weights that the other parts chose.
        """
        beliefs, task = self.beliefs(choices), self.data.learning_task
        if members:
            beliefs["ensemble"] = beliefs["late"].copy()
            for own in [self.part == part for part in np.unique(self.part)]:
                pool = self.pool(choices, members, None if own.all() else ~own)
                rows = self.complete & own
                own_beliefs = {name: beliefs[name][rows] for name in members}
                beliefs["ensemble"][rows] = pool(task, own_beliefs)
        y = self.data.y[self.rows]
        return {
            name: task.log_loss(outputs_of(task, belief), y, 1.0)
            for name, belief in beliefs.items()
        }

    @property
    def complete(self) -> Bools:
        """Return which samples have every modality, (n,)."""
        return np.all([self.present[name] for name in self.data.modalities], axis=0)

    def beliefs(self, choices: Mapping[str, Choice]) -> dict[str, Floats]:
        """Return {method: (n, D)} of late and of every joint method, calibrated; the prior where
        there is no input.
        """
        task, singles = self.data.learning_task, self.data.modalities
        calibrated = {
            name: task.beliefs(outputs, choices[name].temperature)
            for name, outputs in self.outputs.items()
        }
        late = task.product(
            np.stack([calibrated[name] for name in singles], axis=1),
            self.data.mask[self.rows],
            self.prior,
        )
        joint = {
            name: np.where(self.present[name][:, None], beliefs, self.prior)
            for name, beliefs in calibrated.items()
            if name not in singles
        }
        return {"late": late} | joint


def part_numbers(parts: Sequence[Ints]) -> Ints:
    return np.repeat(np.arange(len(parts)), [len(rows) for rows in parts])
