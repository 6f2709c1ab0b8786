"""What models said of samples that they had not seen: the inner validation answers of a round, or
the test answers of all rounds.

By these everything about an ensemble is chosen, and methods are told apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fusion.core.arrays import Floats, Ints
from fusion.methods.ensemble import Pool, outputs_of
from fusion.tasks.calibration import temperature_of
from fusion.training.crossfit import CrossFit
from fusion.training.folds import Choice, Round, Task

if TYPE_CHECKING:
    from fusion.training.oof_predictions import RoundAnswers


@dataclass(frozen=True)
class Held:
    """rows, part: (n,), of the task, and which round held them back; prior: (n, D) of their
    training samples.

    outputs: {model: (n, D)} before the temperature, the prior where it has no input; seen: {model:
    (n,)}, where it has one.
    """

    task: Task
    rows: Ints
    part: Ints
    prior: Floats
    outputs: dict[str, Floats]
    seen: dict[str, NDArray[np.bool_]]

    @classmethod
    def inner(cls, fitting: CrossFit, each: Round) -> "Held":
        validation = [held for _, held in each.inner]
        rows = np.concatenate(validation)
        prior = np.tile(fitting.prepared(each.train).log_prior.astype(np.float64), (len(rows), 1))
        outputs, seen = {}, {}
        for name in fitting.names:
            answered, said = fitting.validated(name, each)
            seen[name] = np.isin(rows, answered)
            outputs[name] = prior.copy()
            outputs[name][seen[name]] = said
        return cls(fitting.task, rows, parts(validation), prior, outputs, seen)

    @classmethod
    def outer(cls, fitting: CrossFit, found: "Sequence[RoundAnswers]") -> "Held":
        """Of the first seed."""
        task, test = fitting.task, [each.each.test for each in found]
        rows = np.concatenate(test)
        prior = np.concatenate(
            [np.tile(each.log_prior.astype(np.float64), (len(each.each.test), 1)) for each in found]
        )
        outputs = {
            name: np.concatenate([each.singles[0, :, i] for each in found])
            for i, name in enumerate(task.modalities)
        }
        for name in fitting.names[len(task.modalities) :]:
            outputs[name] = task.asked.outputs(
                np.concatenate([each.uncalibrated[name][0] for each in found])
            )
        seen = {name: np.isin(rows, task.rows_with(fitting.inputs(name), rows)) for name in outputs}
        return cls(task, rows, parts(test), prior, outputs, seen)

    def temperature(self, name: str) -> float:
        seen = self.seen[name]
        return temperature_of(
            self.outputs[name][seen], self.task.y[self.rows[seen]], self.task.asked.log_loss
        )

    def pool(
        self,
        choices: Mapping[str, Choice],
        members: Sequence[str],
        among: NDArray[np.bool_] | None = None,
    ) -> Pool:
        """How an ensemble of these methods joins them on the complete samples, or on those `among`
        them.
        """
        beliefs, mine = (
            self.beliefs(choices),
            self.complete if among is None else self.complete & among,
        )
        return Pool.of(
            self.task.asked,
            {name: beliefs[name][mine] for name in members},
            self.task.y[self.rows[mine]],
        )

    def losses(self, choices: Mapping[str, Choice], members: Sequence[str]) -> dict[str, float]:
        """{method: log loss}; for an ensemble each part of the samples is judged with weights that
        the other parts chose.
        """
        beliefs, task = self.beliefs(choices), self.task.asked
        if members:
            beliefs["ensemble"] = beliefs["late"].copy()
            for own in [self.part == part for part in np.unique(self.part)]:
                pool, mine = (
                    self.pool(choices, members, None if own.all() else ~own),
                    self.complete & own,
                )
                beliefs["ensemble"][mine] = pool(
                    task, {name: beliefs[name][mine] for name in members}
                )
        y = self.task.y[self.rows]
        return {
            name: task.log_loss(outputs_of(task, said), y, 1.0) for name, said in beliefs.items()
        }

    @property
    def complete(self) -> NDArray[np.bool_]:
        """(n,): samples that have every modality."""
        return np.all([self.seen[name] for name in self.task.modalities], axis=0)

    def beliefs(self, choices: Mapping[str, Choice]) -> dict[str, Floats]:
        """{method: (n, D)} of late and of every joint method, calibrated; the prior where there is
        no input.
        """
        task, singles = self.task.asked, self.task.modalities
        said = {
            name: task.beliefs(outputs, choices[name].temperature)
            for name, outputs in self.outputs.items()
        }
        late = task.product(
            np.stack([said[name] for name in singles], axis=1),
            self.task.mask[self.rows],
            self.prior,
        )
        joint = {
            name: np.where(self.seen[name][:, None], one, self.prior)
            for name, one in said.items()
            if name not in singles
        }
        return {"late": late} | joint


def parts(rows: Sequence[Ints]) -> Ints:
    return np.repeat(np.arange(len(rows)), [len(some) for some in rows])
