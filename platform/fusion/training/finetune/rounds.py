"""The features of a run whose encoders are trained along: for each set of training rows those of an
encoder tuned on these rows alone.

So no inner choice (epochs, temperature) and no answer of a round ever rests on an encoder that has
seen the label it is judged by. One seed tunes, the first of the recipe; the seeds of the fusion
models share it. Every tuned encoder is a file in the store once finished.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fusion.core.arrays import Floats32, Ints
from fusion.core.fit_key import TUNE, FitKey
from fusion.core.progress import Progress, Silent
from fusion.data.alignment import Aligned
from fusion.encoders import load
from fusion.encoders.adaptation import Tuned, adapt, seal, tuned
from fusion.encoders.base import Encoder
from fusion.encoders.embedding import Features, Work, embed_modality, prepare
from fusion.features.whitening import Whitening
from fusion.schema.recipe import EncoderChoice, Recipe
from fusion.tasks.linear import constant, linear
from fusion.tasks.linear_strength import STRENGTHS
from fusion.training.finetune.fit import Examples, Headed, fit, processes
from fusion.training.fit_store import Store
from fusion.training.folds import NestedFold, TrainingData
from fusion.training.loop import Hooks, seed_everything

Tensors = dict[str, NDArray[Any]]

WEIGHTS = "weights."


@dataclass(frozen=True)
class Place:
    """One encoder of the recipe that is tuned; start to stop are its columns among the features of
    its modality.
    """

    modality: str
    number: int
    choice: EncoderChoice
    start: int
    stop: int


def places_of(recipe: Recipe, features: Features) -> list[Place]:
    places = []
    for name, parts in features.parts.items():
        for number, (part, choice) in enumerate(zip(parts, recipe.encoders.get(name, []))):
            if choice.tune != "frozen":
                places.append(Place(name, number, choice, part.start, part.start + part.dim))
    return places


class Tuner:
    """Features by training rows, tuned when they are first asked for. everything: the rows whose
    tuned weights are wanted as well.
    """

    def __init__(
        self,
        aligned: Aligned,
        recipe: Recipe,
        features: Features,
        data: TrainingData,
        everything: Ints,
        store: Store,
        progress: Progress,
    ) -> None:
        self.aligned, self.training, self.features, self.data = (
            aligned,
            recipe.training,
            features,
            data,
        )
        self.everything, self.store, self.progress = everything, store, progress
        self.places = places_of(recipe, features)
        self.epochs = sum(place.choice.tuning_options.epochs for place in self.places)
        self.done = self.total = 0

    def tune(self, folds: Sequence[NestedFold]) -> None:
        """All that the rounds will ask for.

        Where `accelerate launch` started several processes, all but the first have then done their
        part and leave by SystemExit.
        """
        wanted: dict[bytes, tuple[Ints, str, int]] = {}
        for fold in folds:
            for number, (rows, _) in enumerate(fold.inner, 1):
                wanted.setdefault(rows.tobytes(), (rows, fold.name, number))
            wanted.setdefault(fold.train.tobytes(), (fold.train, fold.name, 0))
        self.done, self.total = 0, len(wanted) * self.epochs
        for rows, fold_name, inner in wanted.values():
            for place in self.places:
                key = FitKey(f"{TUNE}{place.modality}", fold_name, inner)
                self.report(key, self.solved(place, rows)[1])
        if not processes().is_main_process:
            raise SystemExit(0)

    def x(self, rows: Ints) -> dict[str, Floats32]:
        """Features (n, dim) of every sample by encoders tuned on `rows`, of the modalities that
        have such an encoder.
        """
        features: dict[str, Floats32] = {}
        for place in self.places:
            whole = features.setdefault(place.modality, self.features.x[place.modality].copy())
            whole[:, place.start : place.stop] = self.solved(place, rows)[0]["vectors"]
        return features

    def kept(self) -> dict[str, dict[int, Tuned]]:
        """{modality: {number of the encoder: what was tuned on everything}}"""
        by_modality: dict[str, dict[int, Tuned]] = {}
        for place in self.places:
            solved, _ = self.solved(place, self.everything)
            tensors = {
                name.removeprefix(WEIGHTS): value
                for name, value in solved.items()
                if name.startswith(WEIGHTS)
            }
            by_modality.setdefault(place.modality, {})[place.number] = Tuned(place.choice, tensors)
        return by_modality

    def report(self, key: FitKey, losses: Sequence[float]) -> None:
        """Report the curve of one encoder, also when an attempt before this one tuned it."""
        for epoch, loss in enumerate(losses, 1):
            self.progress.metric(key, self.training.seeds[0], epoch, "train_loss", loss)

    def solved(self, place: Place, rows: Ints) -> tuple[Tensors, list[float]]:
        """`vectors` (n, dim) with the tuned weights where they are wanted, and the losses; from the
        store if they are there already.
        """
        unit = f"tune/{place.modality}/{place.number}/{hashlib.sha256(rows.tobytes()).hexdigest()}"
        processes().wait_for_everyone()
        stored = self.store.get(unit)
        tensors, losses = self.solve(unit, place, rows) if stored is None else stored
        self.done += place.choice.tuning_options.epochs
        self.step(0)
        return tensors, losses

    def solve(self, unit: str, place: Place, rows: Ints) -> tuple[Tensors, list[float]]:
        known = self.data.rows_with([place.modality], rows)
        encoder = load(place.choice)
        seed_everything(unit, self.training.seeds[0])
        adapt(encoder, place.choice)
        task = self.data.learning_task
        headed = Headed(
            encoder, *self.head(place, known), task.prior(self.data.y[known]), task.name
        )
        examples = Examples(
            lambda i: prepare(self.aligned, place.modality, encoder, int(known[i])),
            torch.from_numpy(self.data.y[known]),
        )
        hooks = Hooks(self.step, self.store.checkpoint(unit), self.store.checkpoint_seconds)
        losses = fit(headed, examples, place.choice, self.training, unit, hooks)
        if processes().is_main_process:
            self.store.put(unit, self.outcome(place, encoder, rows, losses, len(known)), losses)
        processes().wait_for_everyone()
        stored = self.store.get(unit)
        assert stored is not None
        return stored

    def head(self, place: Place, rows: Ints) -> tuple[Whitening, Floats32, Floats32]:
        """The linear model on the frozen vectors: whitening, weight (whitened, D) and bias (D,)."""
        task, x, y = (
            self.data.learning_task,
            self.features.x[place.modality][rows, place.start : place.stop],
            self.data.y[rows],
        )
        whitening, prior = Whitening.fit(x, self.training.pca_dim), task.prior(y)
        model = linear(task.name, whitening(x), y, STRENGTHS[1])
        if model is None:
            return whitening, *constant(task.name, whitening.dim, prior)
        return whitening, *model.part(prior)

    def outcome(
        self, place: Place, encoder: Encoder, rows: Ints, losses: list[float], n: int
    ) -> Tensors:
        weights = tuned(encoder, place.choice)
        learning = (
            f"loss {losses[0]:.3f} in the first epoch, {losses[-1]:.3f} in the last"
            if n
            else "nothing to learn from"
        )
        self.progress.log(
            f"{place.modality}: {encoder.name} tuned on {n:,} samples, "
            f"{weights.parameters:,} parameters; {learning}"
        )
        seal(encoder, weights.digest)
        tensors = {
            "vectors": embed_modality(
                self.aligned, place.modality, encoder, None, Work(Silent(self.progress.check), 0)
            )
        }
        if np.array_equal(rows, self.everything):
            tensors |= {f"{WEIGHTS}{name}": value for name, value in weights.tensors.items()}
        return tensors

    def step(self, epoch: int) -> None:
        self.progress.check()
        self.progress.step(min(self.done + epoch, self.total), self.total, "epochs")
