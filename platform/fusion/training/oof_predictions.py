"""All rounds of a split put together: out-of-fold answers of every model, for the evaluation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fusion.core.arrays import Floats, Ints
from fusion.features.perturb import Key, Noisy
from fusion.methods.ensemble import Pool, beliefs_of, outputs_of
from fusion.methods.predictor import Predictor
from fusion.methods.representation import Space, Vectors, evidence, views
from fusion.tasks.calibration import temperature_of
from fusion.tasks.predictions import Answers, Coalition, Scored, coalitions, hide
from fusion.training.crossfit import CrossFit
from fusion.training.folds import Choice, Round, Task
from fusion.training.linear_baselines import baselines
from fusion.training.models import Model


@dataclass
class RoundAnswers:
    """singles: (S, n, M, D) outputs; joint: {method: {coalition: (S, n, D) answers}}; uncalibrated:
    {method: (S, n, D)}; baselines: beliefs.

    pool: of the ensemble, where the recipe has one; losses: inner log loss of every method, in a
    search. noisy: the same models' answers with one modality under noise, by modality and level,
    with all inputs alone. vectors: (1 + M, n, D) of the run's own method and the first seed, see
    fusion.methods.representation.views.
    """

    each: Round
    choices: dict[str, Choice]
    log_prior: NDArray[Any]
    singles: Floats
    vectors: Vectors = field(default_factory=lambda: np.zeros((0, 0, 0), np.float32))
    joint: dict[str, dict[tuple[int, ...], Floats]] = field(default_factory=dict)
    uncalibrated: dict[str, Floats] = field(default_factory=dict)
    baselines: dict[str, Floats] = field(default_factory=dict)
    pool: Pool | None = None
    losses: dict[str, float] = field(default_factory=dict)
    noisy: dict[Key, "RoundAnswers"] = field(default_factory=dict)

    @property
    def winner(self) -> str:
        """The method that did best inside the training samples, in a search."""
        return min(self.losses, key=lambda name: self.losses[name])

    def chosen(self) -> dict[str, Any]:
        """As plain data, by model."""
        found = {name: vars(choice) for name, choice in self.choices.items()}
        joined = {"ensemble": vars(self.pool)} if self.pool else {}
        return (
            found
            | joined
            | ({"search": {"method": self.winner, "losses": self.losses}} if self.losses else {})
        )


def answer_round(
    fitting: CrossFit, each: Round, regressions: bool = True, noisy: Noisy | None = None
) -> RoundAnswers:
    """What the models of one round say about its test samples; and the plain regressions beside
    them, and the answers under noise, if asked for.
    """
    choices, models = fitting.solve(each)
    prepared, task = fitting.prepared(each.train), fitting.task
    at, mask = torch.from_numpy(each.test), task.mask[each.test]
    x = {name: prepared.x(name)[at] for name in task.modalities}
    singles = singles_of(models, task.modalities, x, mask)
    found = RoundAnswers(
        each,
        choices,
        prepared.log_prior,
        singles,
        baselines=baselines(fitting, each) if regressions else {},
    )
    for name in fitting.names[len(task.modalities) :]:
        x = {modality: values[at] for modality, values in prepared.x_for(name).items()}
        of_name = [seed[name] for seed in models]
        found.joint[name] = {
            c: np.stack([calibrated(m, x, hide(mask, c)) for m in of_name])
            for c in coalitions(mask.shape[1])
        }
        found.uncalibrated[name] = np.stack(
            [calibrated(m, x, mask, temperature=1.0) for m in of_name]
        )
    if fitting.members or fitting.budget:
        held = Held.inner(fitting, each)
        found.pool = held.pool(choices, fitting.members) if fitting.members else None
        found.losses = held.losses(choices, fitting.members) if fitting.budget else {}
    found.vectors = vectors_of(fitting, found, models[0])
    if noisy:
        found.noisy = {
            key: answer_noisy(
                fitting, found, models, key[0], noisy.features(key, each.train)[each.test]
            )
            for key in noisy.keys
        }
    fitting.forget(each)
    return found


def singles_of(
    models: Sequence[Mapping[str, Model]],
    modalities: Sequence[str],
    x: Mapping[str, Tensor],
    mask: NDArray[np.bool_],
) -> Floats:
    """(S, n, M, D) outputs of each modality's own model."""
    return np.stack(
        [np.stack([seed[name].answer(x, mask) for name in modalities], axis=1) for seed in models]
    ).astype(np.float64)


def answer_noisy(
    fitting: CrossFit,
    clean: RoundAnswers,
    models: Sequence[Mapping[str, Model]],
    modality: str,
    features: NDArray[np.float32],
) -> RoundAnswers:
    """features: (n, dim) of the noisy modality for the test samples, as its encoders write them."""
    prepared, task, each = fitting.prepared(clean.each.train), fitting.task, clean.each
    at, mask = torch.from_numpy(each.test), task.mask[each.test]
    everything = tuple(range(len(task.modalities)))

    def inputs(name: str) -> dict[str, Tensor]:
        said = torch.from_numpy(prepared.whitening_for(name, modality)(features))
        return {
            one: said if one == modality else values[at]
            for one, values in prepared.x_for(name).items()
        }

    singles, column = clean.singles.copy(), task.modalities.index(modality)
    singles[:, :, column] = singles_of(models, [modality], inputs(modality), mask)[:, :, 0]
    found = RoundAnswers(each, clean.choices, clean.log_prior, singles, pool=clean.pool)
    for name in clean.joint:
        x = inputs(name)
        found.joint[name] = {
            everything: np.stack([calibrated(seed[name], x, mask) for seed in models])
        }
        found.uncalibrated[name] = clean.uncalibrated[name]
    return found


@dataclass(frozen=True)
class Held:
    """Outputs about samples that the models had not seen: the inner validation samples of a round,
    or the test samples of all rounds. By these an ensemble is chosen, and methods are told apart.

    rows, part: (n,), of the task, and which round held them back; prior: (n, D) of their
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
    def outer(cls, fitting: CrossFit, found: Sequence[RoundAnswers]) -> "Held":
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


def vectors_of(fitting: CrossFit, found: RoundAnswers, models: dict[str, Model]) -> Vectors:
    """The fused representation of a round's test samples, (1 + M, n, D). models: of the first seed."""
    task, asked, method, test = fitting.task, fitting.task.asked, fitting.method, found.each.test
    seen = views(task.mask[test])
    if method in models:
        at = torch.from_numpy(test)
        x = {
            modality: values[at]
            for modality, values in fitting.prepared(found.each.train).x_for(method).items()
        }
        return np.stack([models[method].vectors(x, mask) for mask in seen])
    beliefs = asked.beliefs(
        found.singles[0], np.array([found.choices[name].temperature for name in task.modalities])
    )
    late = np.stack([evidence(asked, beliefs, mask, found.log_prior) for mask in seen])
    if method == "ensemble" and found.pool:
        said = {
            name: beliefs_of(asked, by[max(by, key=len)][0]) for name, by in found.joint.items()
        }
        joint = found.pool(asked, said | {"late": asked.product(beliefs, seen[0], found.log_prior)})
        complete = np.all(seen[0], axis=1)[:, None]
        late[0] = np.where(
            complete, evidence(asked, joint[:, None], complete, found.log_prior), late[0]
        )
    return late.astype(np.float32)


def final_choices(
    fitting: CrossFit, found: Sequence[RoundAnswers]
) -> tuple[dict[str, Choice], Pool | None]:
    """For the models that are trained on every sample and that nothing here judges: epochs as the
    rounds chose on average, and the temperature, and the weights of an ensemble, that suit the
    answers of all rounds to samples that they had not seen.
    """
    held, choices = Held.outer(fitting, found), {}
    for name in fitting.names:
        chosen = [each.choices[name] for each in found]
        epochs = round(float(np.mean([each.epochs for each in chosen])))
        choices[name] = Choice(
            max(1, epochs), held.temperature(name), float(np.mean([each.score for each in chosen]))
        )
    return choices, held.pool(choices, fitting.members) if fitting.members else None


def calibrated(
    model: Model, x: Mapping[str, Tensor], mask: NDArray[np.bool_], temperature: float | None = None
) -> Floats:
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
    noisy: dict[Key, Answers] = field(default_factory=dict)
    """Of the run's own method, with all inputs."""

    @property
    def best_single(self) -> str:
        """The single modality with the best inner score, over the rounds; test labels take no part."""
        names = self.scored.modalities
        return max(
            names,
            key=lambda name: (np.mean([each.choices[name].score for each in self.rounds]), name),
        )

    def temperature(self, name: str) -> float:
        return float(np.mean([each.choices[name].temperature for each in self.rounds]))


def assemble(
    fitting: CrossFit, found: list[RoundAnswers], keys: Sequence[str], cluster: Sequence[Any]
) -> OutOfFold:
    task, asked = fitting.task, fitting.task.asked
    rows = np.concatenate([each.each.test for each in found])
    fold = np.concatenate([[each.each.name] * len(each.each.test) for each in found])
    log_prior = np.concatenate(
        [np.tile(each.log_prior.astype(np.float64), (len(each.each.test), 1)) for each in found]
    )
    named = [keys[row] for row in rows]
    scored = Scored(
        named,
        task.y[rows],
        task.mask[rows],
        log_prior,
        np.asarray(cluster)[rows],
        fold,
        asked.labels,
        task.modalities,
        asked,
    )
    names = ["late", *found[0].joint, *(["ensemble"] if found[0].pool else [])]
    predictor = predictor_of(fitting, found, scored, coalitions(len(task.modalities)))
    methods = {name: predictor.method(name) for name in names}
    regressions = {
        name: asked.answers(np.concatenate([each.baselines[name] for each in found]))[None]
        for name in found[0].baselines
    }
    everything = [tuple(range(len(task.modalities)))]
    noisy = {}
    for key in found[0].noisy:
        under_noise = [each.noisy[key] for each in found]
        method = predictor_of(fitting, under_noise, scored, everything).method
        noisy[key] = (
            own_choices(found, {name: method(name) for name in names})
            if fitting.budget
            else method(fitting.method)
        )
    space = space_of(fitting, found)
    return OutOfFold(rows, scored, found, methods, predictor.singles, regressions, space, noisy)


def own_choices(rounds: Sequence[RoundAnswers], methods: Mapping[str, Answers]) -> Answers:
    """Every round by the method that it chose, in a search."""
    winners = [(methods[each.winner], len(each.each.test)) for each in rounds]
    ends = np.cumsum([n for _, n in winners])[:-1]

    def joined(parts: list[Floats]) -> Floats:
        return np.concatenate(
            [np.split(part, ends, axis=1)[i] for i, part in enumerate(parts)], axis=1
        )

    by_coalition = {
        each: joined([answers.by_coalition[each] for answers, _ in winners])
        for each in winners[0][0].by_coalition
    }
    return Answers(by_coalition, joined([answers.uncalibrated for answers, _ in winners]))


def predictor_of(
    fitting: CrossFit, found: Sequence[RoundAnswers], scored: Scored, wanted: Sequence[Coalition]
) -> Predictor:
    """The predictions of every method about the test samples of all rounds."""
    modalities = fitting.task.modalities

    def joint(name: str) -> Answers:
        return Answers(
            {
                coalition: np.concatenate([each.joint[name][coalition] for each in found], axis=1)
                for coalition in wanted
            },
            np.concatenate([each.uncalibrated[name] for each in found], axis=1),
        )

    temperatures = [
        np.tile([each.choices[name].temperature for name in modalities], (len(each.each.test), 1))
        for each in found
    ]
    return Predictor(
        scored,
        lambda: np.concatenate([each.singles for each in found], axis=1),
        np.concatenate(temperatures),
        joint,
        wanted,
        fallback=fitting.training.floor,
        pools=[(each.pool, len(each.each.test)) for each in found if each.pool],
    )


def space_of(fitting: CrossFit, found: Sequence[RoundAnswers]) -> Space:
    whole, *alone = np.concatenate([each.vectors for each in found], axis=1)
    method = "late" if fitting.method == "ensemble" and not fitting.members else fitting.method
    return Space(
        method,
        method in ("late", "ensemble"),
        whole,
        dict(zip(fitting.task.modalities, alone, strict=True)),
    )
