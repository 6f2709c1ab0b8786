"""All rounds of a split put together: out-of-fold answers of every model, for the evaluation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fusion.crossfit import Choice, CrossFit, Round
from fusion.evaluate.answers import Answers, Scored, alone, coalitions, hide, late_answers
from fusion.evaluate.calibration import temperature_of
from fusion.evaluate.metrics import Floats, Ints
from fusion.floor import floored
from fusion.linear_baselines import baselines
from fusion.models import Model
from fusion.representation import Space, Vectors, evidence, views


@dataclass
class RoundAnswers:
    """singles: (S, n, M, D) outputs; joint: {method: {coalition: (S, n, D) answers}}; uncalibrated: {method: (S, n, D)}; baselines: beliefs.

    vectors: (1 + M, n, D) of the run's own method and the first seed, see fusion.representation.views.
    """

    each: Round
    choices: dict[str, Choice]
    log_prior: NDArray[Any]
    singles: Floats
    vectors: Vectors
    joint: dict[str, dict[tuple[int, ...], Floats]] = field(default_factory=dict)
    uncalibrated: dict[str, Floats] = field(default_factory=dict)
    baselines: dict[str, Floats] = field(default_factory=dict)


def answer_round(fitting: CrossFit, each: Round, regressions: bool = True) -> RoundAnswers:
    """What the models of one round say about its test samples; and the plain regressions beside them, if asked for."""
    choices, models = fitting.solve(each)
    prepared, task = fitting.prepared(each.train), fitting.task
    at, mask = torch.from_numpy(each.test), task.mask[each.test]
    x = {name: prepared.x(name)[at] for name in task.modalities}
    singles = np.stack([np.stack([seed[name].answer(x, mask) for name in task.modalities], axis=1) for seed in models]).astype(np.float64)
    vectors = vectors_of(fitting, each, choices, models[0], singles[0])
    found = RoundAnswers(each, choices, prepared.log_prior, singles, vectors, baselines=baselines(fitting, each) if regressions else {})
    for name in fitting.names[len(task.modalities) :]:
        x = {modality: values[at] for modality, values in prepared.x_for(name).items()}
        of_name = [seed[name] for seed in models]
        found.joint[name] = {c: np.stack([calibrated(m, x, hide(mask, c)) for m in of_name]) for c in coalitions(mask.shape[1])}
        found.uncalibrated[name] = np.stack([calibrated(m, x, mask, temperature=1.0) for m in of_name])
    fitting.forget(each)
    return found


def vectors_of(fitting: CrossFit, each: Round, choices: dict[str, Choice], models: dict[str, Model], outputs: Floats) -> Vectors:
    """The fused representation of a round's test samples, (1 + M, n, D). models, outputs: (n, M, D): of one seed."""
    prepared, task, method = fitting.prepared(each.train), fitting.task, fitting.method
    seen = views(task.mask[each.test])
    if method == "late":
        beliefs = task.asked.beliefs(outputs, np.array([choices[name].temperature for name in task.modalities]))
        return np.stack([evidence(task.asked, beliefs, mask, prepared.log_prior) for mask in seen]).astype(np.float32)
    at = torch.from_numpy(each.test)
    x = {modality: values[at] for modality, values in prepared.x_for(method).items()}
    return np.stack([models[method].vectors(x, mask) for mask in seen])


def final_choices(fitting: CrossFit, found: Sequence[RoundAnswers]) -> dict[str, Choice]:
    """For the models that are trained on every sample and that nothing here judges: epochs as the rounds chose on average, and the
    temperature that suits the answers of all rounds to samples that they had not seen.
    """
    task, choices = fitting.task, {}
    for name in fitting.names:
        chosen = [each.choices[name] for each in found]
        outputs, truth = [], []
        for each in found:
            seen = np.isin(each.each.test, task.rows_with(fitting.inputs(name), each.each.test))
            alone = name in task.modalities
            said = each.singles[0, :, task.modalities.index(name)] if alone else task.asked.outputs(each.uncalibrated[name][0])
            outputs.append(said[seen])
            truth.append(task.y[each.each.test][seen])
        epochs = round(float(np.mean([each.epochs for each in chosen])))
        temperature = temperature_of(np.concatenate(outputs), np.concatenate(truth), task.asked.log_loss)
        choices[name] = Choice(max(1, epochs), temperature, float(np.mean([each.score for each in chosen])))
    return choices


def calibrated(model: Model, x: Mapping[str, Tensor], mask: NDArray[np.bool_], temperature: float | None = None) -> Floats:
    return model.calibrated(model.answer(x, mask), mask, temperature)


@dataclass
class OutOfFold:
    """rows: (n,) rows of the task that were scored, in the order of everything else here."""

    rows: Ints
    scored: Scored
    rounds: list[RoundAnswers]
    methods: dict[str, Answers]
    singles: dict[str, tuple[Floats, Floats]]
    """Modality -> its answers calibrated and not, (S, n, D) each."""
    baselines: dict[str, Floats]
    """Name -> answers (1, n, D)."""
    space: Space
    """Of the run's own method."""

    @property
    def best_single(self) -> str:
        """The single modality with the best inner score, over the rounds; test labels take no part."""
        names = self.scored.modalities
        return max(names, key=lambda name: (np.mean([each.choices[name].score for each in self.rounds]), name))

    def temperature(self, name: str) -> float:
        return float(np.mean([each.choices[name].temperature for each in self.rounds]))


def assemble(fitting: CrossFit, found: list[RoundAnswers], keys: Sequence[str], cluster: Sequence[Any]) -> OutOfFold:
    task, asked = fitting.task, fitting.task.asked
    rows = np.concatenate([each.each.test for each in found])
    fold = np.concatenate([[each.each.name] * len(each.each.test) for each in found])
    log_prior = np.concatenate([np.tile(each.log_prior.astype(np.float64), (len(each.each.test), 1)) for each in found])
    named = [keys[row] for row in rows]
    scored = Scored(named, task.y[rows], task.mask[rows], log_prior, np.asarray(cluster)[rows], fold, asked.labels, task.modalities, asked)
    outputs = np.concatenate([each.singles for each in found], axis=1)
    heat = np.concatenate([np.tile([r.choices[m].temperature for m in task.modalities], (len(r.each.test), 1)) for r in found])
    wanted = coalitions(len(task.modalities))
    methods = {"late": late_answers(outputs, heat, scored, wanted)}
    singles = {name: alone(outputs, heat, scored, i) for i, name in enumerate(task.modalities)}
    for name in found[0].joint:
        by_coalition = {c: np.concatenate([each.joint[name][c] for each in found], axis=1) for c in wanted}
        methods[name] = Answers(by_coalition, np.concatenate([each.uncalibrated[name] for each in found], axis=1))
        if fitting.training.floor:
            methods[name] = floored(methods[name], list(singles.values()), scored)
    regressions = {name: asked.answers(np.concatenate([each.baselines[name] for each in found]))[None] for name in found[0].baselines}
    return OutOfFold(rows, scored, found, methods, singles, regressions, space_of(fitting, found))


def space_of(fitting: CrossFit, found: Sequence[RoundAnswers]) -> Space:
    whole, *alone = np.concatenate([each.vectors for each in found], axis=1)
    return Space(fitting.method, fitting.method == "late", whole, dict(zip(fitting.task.modalities, alone, strict=True)))
