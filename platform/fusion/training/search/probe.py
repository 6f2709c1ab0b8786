"""The encoders, layers and pooling that each modality is read with: whatever a quick linear model
does best with on training samples.

For any set of training rows: a linear model on whitened vectors is fitted in inner folds by group,
for every candidate (fusion.encoders.search_space), and for the best one with another beside it; the
least log loss decides. Frozen networks differ more in the depth that is read than fusion methods do
(Alain & Bengio 2017, Understanding Intermediate Layers Using Linear Classifier Probes, ICLR).

Like tuned encoders (fusion.training.finetune), what is chosen depends on the rows of a fit alone,
so neither an inner choice nor a prediction of a fold rests on a reading that has seen the label it
is judged by; folds may choose differently.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fusion.core.arrays import Floats32, Ints
from fusion.core.progress import Progress
from fusion.data.alignment import Aligned
from fusion.encoders.base import Block, EncoderError
from fusion.encoders.cache import Cache
from fusion.encoders.embedding import Features, embed
from fusion.encoders.search_space import PROBED, Reading, search_space
from fusion.features.representation import drawn
from fusion.features.whitening import Whitening
from fusion.schema.recipe import EncoderChoice, Recipe
from fusion.schema.result import Read
from fusion.tasks.calibration import temperature_of
from fusion.tasks.linear import linear
from fusion.tasks.linear_strength import STRENGTHS
from fusion.training.fit_store import Store
from fusion.training.folds import NestedFold, TrainingData

PARTNERS = 2
"""Candidates that are tried beside the best one, the next best ones."""

Combo = tuple[int, ...]
"""Candidates by number, side by side."""
Losses = dict[Combo, float]


@dataclass
class Probe:
    """readings: {modality: its candidates}; vectors: those of the probed rows. inner: training rows
    -> folds inside them.
    """

    inputs: Aligned
    recipe: Recipe
    data: TrainingData
    features: Features
    inner: Callable[[Ints], list[tuple[Ints, Ints]]]
    cache: Cache | None
    store: Store
    progress: Progress

    def __post_init__(self) -> None:
        self.probed = np.sort(
            np.array(self.inputs.kept())[
                drawn([self.inputs.keys[row] for row in self.inputs.kept()], PROBED)
            ]
        )
        self.place = np.full(len(self.inputs), -1)
        self.place[self.probed] = np.arange(len(self.probed))
        self.readings: dict[str, list[Reading]] = {}
        self.vectors: dict[str, list[Floats32]] = {}
        self.outputs: dict[tuple[str, Combo, bytes], NDArray[np.float64]] = {}
        self.losses_by_rows: dict[bytes, dict[str, Losses]] = {}
        self.full: dict[tuple[str, Combo], Features] = {}

    def run(self, folds: Sequence[NestedFold]) -> TrainingData:
        """Probe everything that the folds will ask for, the last of which is that of all samples;
        return the data as they then read it.
        """
        self.read()
        wanted = {
            rows.tobytes(): rows
            for fold in folds
            for rows in (fold.train, *(rows for rows, _ in fold.inner))
        }
        for done, (key, rows) in enumerate(wanted.items()):
            self.progress.check()
            self.progress.step(done, len(wanted), "training sets")
            self.losses_by_rows[key] = self.losses(rows)
        self.outputs.clear()
        self.vectors.clear()
        for losses in self.losses_by_rows.values():
            for name, by_combo in losses.items():
                self.read_in_full(name, best(by_combo))
        for name, encoders in self.told(folds[-1].train).items():
            self.progress.log(f"{name}: read with {' + '.join(encoders)}")
        return replace(self.data, tuned=self.x, tuned_blocks=self.blocks)

    def read(self) -> None:
        keys = [self.inputs.keys[row] for row in self.probed]
        assert self.recipe.search is not None
        for name, modality in self.inputs.modalities.items():
            offered = search_space(
                modality.kind, self.recipe.encoders.get(name, []), self.recipe.search.encoders
            )
            if len(offered) == 1:
                continue
            probed = Aligned(
                keys,
                [None] * len(keys),
                {name: replace(modality, cells=[modality.cells[row] for row in self.probed])},
            )
            self.readings[name], self.vectors[name] = (
                [offered[0]],
                [self.features.x[name][self.probed]],
            )
            for reading in offered[1:]:
                try:
                    features = embed(probed, {name: list(reading)}, self.cache, self.progress)
                except EncoderError as error:
                    self.progress.log(f"{name}: {in_words(reading[0])} was not tried: {error}")
                    continue
                self.readings[name].append(reading)
                self.vectors[name].append(features.x[name])

    def losses(self, rows: Ints) -> dict[str, Losses]:
        """{modality: {candidates: log loss inside these rows}}, from the store where it is there
        already.
        """
        unit = f"probe/{hashlib.sha256(rows.tobytes()).hexdigest()}"
        if known := self.store.get(unit):
            return {
                name: {tuple(combo): loss for combo, loss in by_combo}
                for name, by_combo in known[1].items()
            }
        inner = self.inner(rows)
        losses_by_modality = {name: self.of_modality(name, inner) for name in self.readings}
        self.store.put(
            unit,
            {},
            {
                name: [[list(combo), loss] for combo, loss in losses.items()]
                for name, losses in losses_by_modality.items()
            },
        )
        return losses_by_modality

    def of_modality(self, name: str, inner: list[tuple[Ints, Ints]]) -> Losses:
        losses: Losses = {
            (i,): self.loss(name, (i,), inner) for i in range(len(self.readings[name]))
        }
        first, *others = sorted(losses, key=lambda combo: (losses[combo], combo))
        best_encoders = self.readings[name][first[0]]
        partners = [
            other
            for other in others
            if not set(map(str, self.readings[name][other[0]])) & set(map(str, best_encoders))
        ]
        pairs = [tuple(sorted(first + other)) for other in partners[:PARTNERS]]
        return losses | {pair: self.loss(name, pair, inner) for pair in pairs}

    def loss(self, name: str, combo: Combo, inner: list[tuple[Ints, Ints]]) -> float:
        """Return the loss of the samples that the inner folds hold back and that have the modality,
        at its best temperature.
        """
        task, outputs, truth = self.data.learning_task, [], []
        for rows, held in inner:
            places = self.known(name, held)
            outputs.append(self.fitted(name, combo, rows)[places])
            truth.append(self.data.y[self.probed[places]])
        joined, y = np.concatenate(outputs), np.concatenate(truth)
        return task.log_loss(joined, y, temperature_of(joined, y, task.log_loss)) if len(y) else 0.0

    def fitted(self, name: str, combo: Combo, rows: Ints) -> NDArray[np.float64]:
        """Outputs (n, D) for every probed sample of a linear model that was fitted on `rows`; rows
        that folds share are fitted once.
        """
        key = name, combo, rows.tobytes()
        if key not in self.outputs:
            at, prior = self.known(name, rows), self.data.learning_task.prior(self.data.y[rows])
            x = np.concatenate([self.vectors[name][i] for i in combo], 1)
            z = Whitening.fit(x[at], self.recipe.training.pca_dim, name in self.data.tables)(x)
            model = linear(
                self.data.learning_task.name, z[at], self.data.y[self.probed[at]], STRENGTHS[1]
            )
            self.outputs[key] = (
                np.tile(prior.astype(np.float64), (len(x), 1))
                if model is None
                else model.outputs(z, prior)
            )
        return self.outputs[key]

    def known(self, name: str, rows: Ints) -> Ints:
        """Places among the probed rows of those of `rows` that have the modality."""
        at = self.place[self.data.rows_with([name], rows)]
        return at[at >= 0]

    def choice(self, rows: Ints) -> dict[str, Combo]:
        return {name: best(losses) for name, losses in self.losses_by_rows[rows.tobytes()].items()}

    def told(self, rows: Ints) -> dict[str, list[str]]:
        """{modality: its encoders in words} as chosen on these rows."""
        return {
            name: [in_words(choice) for choice in self.reading(name, combo)]
            for name, combo in self.choice(rows).items()
        }

    def reading(self, name: str, combo: Combo) -> Reading:
        return tuple(choice for i in combo for choice in self.readings[name][i])

    def read_in_full(self, name: str, combo: Combo) -> None:
        if combo != (0,) and (name, combo) not in self.full:
            alone = replace(self.inputs, modalities={name: self.inputs.modalities[name]})
            self.full[name, combo] = embed(
                alone, {name: list(self.reading(name, combo))}, self.cache, self.progress
            )

    def others(self, rows: Ints) -> dict[str, Features]:
        """{modality: its features} where they are not those of the recipe."""
        return {
            name: self.full[name, combo]
            for name, combo in self.choice(rows).items()
            if combo != (0,)
        }

    def x(self, rows: Ints) -> dict[str, Floats32]:
        return {name: features.x[name] for name, features in self.others(rows).items()}

    def blocks(self, rows: Ints) -> dict[str, list[Block]]:
        return {
            name: [block for part in features.parts[name] for block in part.blocks]
            for name, features in self.others(rows).items()
        }

    def encoders(self, rows: Ints) -> dict[str, list[EncoderChoice]]:
        """The recipe's, with those that were chosen on these rows in their place."""
        return self.recipe.encoders | {
            name: list(self.reading(name, combo)) for name, combo in self.choice(rows).items()
        }

    def kept(self, rows: Ints) -> tuple[Features, dict[str, list[EncoderChoice]]]:
        """Features as chosen on these rows, and by which encoders."""
        others = self.others(rows)
        x, parts = (
            self.features.x | self.x(rows),
            self.features.parts | {name: features.parts[name] for name, features in others.items()},
        )
        return replace(self.features, x=x, parts=parts), self.encoders(rows)

    def report(self, folds: Sequence[NestedFold]) -> dict[str, list[Read]]:
        """{modality: what it was read with, the best first}, by the folds of the split; the last
        of `folds` is that of all samples.
        """
        *by_fold, everything = [self.losses_by_rows[fold.train.tobytes()] for fold in folds]
        reads_by_modality = {}
        for name in self.readings:
            tried = {combo for losses in by_fold for combo in losses[name]}
            reads = [
                Read(
                    encoders=[
                        choice.model_dump(exclude_none=True, exclude_defaults=True)
                        for choice in self.reading(name, combo)
                    ],
                    loss=float(
                        np.mean(
                            [losses[name][combo] for losses in by_fold if combo in losses[name]]
                        )
                    ),
                    rounds=sum(combo in losses[name] for losses in by_fold),
                    chosen=sum(best(losses[name]) == combo for losses in by_fold),
                    kept=best(everything[name]) == combo,
                    own=combo == (0,),
                )
                for combo in sorted(tried)
            ]
            reads_by_modality[name] = sorted(reads, key=lambda read: read.loss)
        return reads_by_modality


def best(losses: Losses) -> Combo:
    return min(losses, key=lambda combo: (losses[combo], combo))


def in_words(choice: EncoderChoice) -> str:
    options = [
        f"{name} {value}"
        for name, value in choice.model_dump(exclude_none=True, exclude_defaults=True).items()
        if name != "name"
    ]
    return f"{choice.name} ({', '.join(options)})" if options else choice.name
