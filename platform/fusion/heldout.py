"""What models said of samples that they had not seen: the inner validation answers of a round, or the test answers of all rounds.

By these everything about an ensemble is chosen, and methods are told apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import log_softmax

from fusion.crossfit import Choice, CrossFit, Round
from fusion.ensemble import Pool
from fusion.evaluate.calibration import log_loss, temperature_of
from fusion.evaluate.metrics import Floats, Ints

if TYPE_CHECKING:
    from fusion.outoffold import RoundAnswers


@dataclass(frozen=True)
class Held:
    """rows, part: (n,), of the task, and which round held them back; y: (n,); log_prior: (n, K) of their training samples.

    logits: {model: (n, K)} before the temperature; seen: {model: (n,) bool}, where it has an input.
    """

    rows: Ints
    part: Ints
    y: Ints
    log_prior: Floats
    logits: dict[str, Floats]
    seen: dict[str, np.ndarray]
    modalities: list[str]

    @classmethod
    def inner(cls, fitting: CrossFit, each: Round) -> "Held":
        validation = [held for _, held in each.inner]
        rows = np.concatenate(validation)
        log_prior = np.tile(fitting.prepared(each.train).log_prior.astype(np.float64), (len(rows), 1))
        logits, seen = {}, {}
        for name in fitting.names:
            answered, said = fitting.validated(name, each)
            seen[name] = np.isin(rows, answered)
            logits[name] = log_prior.copy()
            logits[name][seen[name]] = said
        return cls(rows, parts(validation), fitting.task.y[rows], log_prior, logits, seen, fitting.task.modalities)

    @classmethod
    def outer(cls, fitting: CrossFit, found: "Sequence[RoundAnswers]") -> "Held":
        """Of the first seed."""
        task, test = fitting.task, [each.each.test for each in found]
        rows = np.concatenate(test)
        log_prior = np.concatenate([np.tile(each.log_prior.astype(np.float64), (len(each.each.test), 1)) for each in found])
        logits = {name: np.concatenate([each.singles[0, :, i] for each in found]) for i, name in enumerate(task.modalities)}
        logits |= {name: np.log(np.concatenate([each.uncalibrated[name][0] for each in found])) for name in found[0].uncalibrated}
        seen = {name: np.isin(rows, task.rows_with(fitting.inputs(name), rows)) for name in logits}
        return cls(rows, parts(test), task.y[rows], log_prior, logits, seen, task.modalities)

    def temperature(self, name: str) -> float:
        return temperature_of(self.logits[name][self.seen[name]], self.y[self.seen[name]])

    @property
    def complete(self) -> np.ndarray:
        """(n,) bool: samples that have every modality."""
        return np.all([self.seen[name] for name in self.modalities], axis=0)

    def pool(self, choices: Mapping[str, Choice], members: Sequence[str]) -> Pool:
        """How an ensemble of these methods joins them."""
        log_p = self.log_p(choices)
        return Pool.of({name: log_p[name][self.complete] for name in members}, self.y[self.complete])

    def losses(self, choices: Mapping[str, Choice], members: Sequence[str]) -> dict[str, float]:
        """{method: log loss}; for an ensemble each part of the samples is judged with weights that the other parts chose."""
        log_p = self.log_p(choices)
        if members:
            log_p["ensemble"] = log_p["late"].copy()
            for own in [self.part == part for part in np.unique(self.part)]:
                others, mine = self.complete & (~own if not own.all() else own), self.complete & own
                pool = Pool.of({name: log_p[name][others] for name in members}, self.y[others])
                log_p["ensemble"][mine] = pool({name: log_p[name][mine] for name in members})
        return {name: log_loss(said, self.y, 1.0) for name, said in log_p.items()}

    def log_p(self, choices: Mapping[str, Choice]) -> dict[str, Floats]:
        """{method: (n, K)} of late and of every joint method, calibrated; the prior where there is no input."""
        said = {
            name: np.where(self.seen[name][:, None], log_softmax(logits / choices[name].temperature, axis=1), self.log_prior)
            for name, logits in self.logits.items()
        }
        singles = sum(said[name] - self.log_prior for name in self.modalities)
        joint = {name: one for name, one in said.items() if name not in self.modalities}
        return {"late": log_softmax(self.log_prior + singles, axis=1)} | joint


def parts(rows: Sequence[Ints]) -> Ints:
    return np.repeat(np.arange(len(rows)), [len(some) for some in rows])
