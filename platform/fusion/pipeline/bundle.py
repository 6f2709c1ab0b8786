"""A trained model, loaded: `load(folder).predict({"image": "scan.png", "clue": "a pair"})` needs
nothing else, in particular none of the data that it was trained on; only the encoders, which it
names with their SHA-256 and refuses if they are others. What may be given:
fusion.pipeline.raw_inputs. How it lies on the disk: fusion.pipeline.bundle_files.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusion.core.arrays import Floats
from fusion.core.progress import Progress
from fusion.data.alignment import Aligned
from fusion.encoders import load as load_encoder
from fusion.encoders.adaptation import Adapted
from fusion.encoders.adapters.plain import with_gaps
from fusion.encoders.base import Encoder
from fusion.encoders.cache import Cache
from fusion.encoders.embedding import embed_with
from fusion.encoders.runtime import PRECISIONS, in_precision
from fusion.features.representation import evidence
from fusion.methods.ensemble import Pool, beliefs_of
from fusion.methods.predictor import Predictor
from fusion.pipeline.knowledge_use import RulesNotApplied, applied, rules_for, speaks
from fusion.pipeline.raw_inputs import Reader, columns_in, in_fields, rows_of
from fusion.schema.recipe import Recipe
from fusion.schema.result import EvaluationResult
from fusion.tasks import task_of
from fusion.tasks.base import LearningTask
from fusion.tasks.predictions import Coalition, MethodPredictions, Samples, Unlabelled, hide
from fusion.training.models import Model


class BundleError(Exception):
    """A folder that is no sound bundle; the message says why."""


@dataclass
class Bundle:
    """models: by name, single modalities first. encoders: modality -> [{name, fingerprint, start,
    dim}]; kinds: modality -> its kind.

    fields: modality -> names of a table's numbers, or the columns of another modality. trained_on:
    SHA-256 of the content of each training sample. choices: model -> what the inner rounds chose.
    pool: how the ensemble joins its members. tuned: what training changed in the encoders.
    """

    recipe: Recipe
    labels: list[str]
    modalities: list[str]
    kinds: dict[str, str]
    encoders: dict[str, list[dict[str, Any]]]
    models: dict[str, Model]
    best_single: str
    trained_on: list[str]
    choices: dict[str, dict[str, float]] = field(default_factory=dict)
    pool: Pool | None = None
    result: EvaluationResult | None = None
    tuned: Adapted = field(default_factory=dict)
    fields: dict[str, list[str]] = field(default_factory=dict)
    loaded: dict[str, list[Encoder]] = field(default_factory=dict, repr=False)
    """Encoders, from their first use on."""
    precision: str | None = field(default=None, repr=False)
    """In which the encoders compute, where it is not the usual one of this machine: that of the
    machine where the bundle was made.
    """

    @property
    def learning_task(self) -> LearningTask:
        return task_of(self.models[self.modalities[0]].shape.task, self.labels)

    @property
    def log_prior(self) -> NDArray[Any]:
        return self.models[self.modalities[0]].log_prior

    def complete(
        self, features: Mapping[str, NDArray[Any]], mask: NDArray[np.bool_] | None
    ) -> tuple[dict[str, NDArray[Any]], NDArray[np.bool_]]:
        """Zeros and a false mask for modalities that are not given; a row of NaN alone counts as
        missing too.

        A table may come as its k numbers, NaN in the gaps, or with the k signs of its gaps beside
        them, as its encoder gives it.
        """
        unknown = sorted(set(features) - set(self.modalities))
        if unknown:
            raise BundleError(
                f"The model knows no modality {unknown[0]}; it reads {', '.join(self.modalities)}."
            )
        if not features:
            raise BundleError(
                f"Nothing to predict from: give at least one of {', '.join(self.modalities)}."
            )
        n = len(next(iter(features.values())))
        x, present = {}, np.zeros((n, len(self.modalities)), bool)
        for column, name in enumerate(self.modalities):
            width = self.models[name].whitening[name].reads
            values = features.get(name)
            x[name] = (
                np.zeros((n, width), np.float32)
                if values is None
                else np.asarray(values, np.float32)
            )
            seen = ~np.isnan(x[name]).all(1)
            if self.kinds.get(name) == "table" and x[name].shape == (n, width // 2):
                x[name] = with_gaps(x[name])
            if x[name].shape != (n, width):
                raise BundleError(
                    f"{name} must have the shape ({n}, {width}), not {x[name].shape}."
                )
            if values is not None:
                present[:, column] = seen
        return x, present if mask is None else present & mask

    def predict(
        self,
        inputs: Any,
        method: str | None = None,
        columns: Mapping[str, Sequence[Any]] | None = None,
    ) -> Floats:
        """Probabilities (n, K), columns in the order of `labels`, of raw inputs: one sample or
        several, with any of the modalities.

        inputs: see fusion.pipeline.raw_inputs. A sample without any modality gets the training
        prior. method, columns: as in `predict_features`; texts and numbers among the inputs need
        not be given once more. Raises InputError, EncoderError or BundleError in words.
        """
        with Reader(self.kinds, self.fields) as reader:
            aligned = reader.aligned(rows_of(inputs, self.kinds))
            x, mask = self.embedded(aligned)
        return self.predict_features(x, mask, method, columns_in(aligned) | dict(columns or {}))

    def embedded(
        self, aligned: Aligned, cache: Cache | None = None, progress: Progress | None = None
    ) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.bool_]]:
        """{modality: (n, dim)} of those that an alignment has, mask (n, M) in the order of
        `modalities`.
        """
        for name, modality in aligned.modalities.items():
            if modality.kind != self.kinds[name]:
                raise BundleError(
                    f"{name} is {modality.kind} here; the model reads {self.kinds[name]}."
                )
            if name not in self.loaded:
                self.loaded[name] = self.encoders_of(name)
        aligned = replace(
            aligned,
            modalities={
                name: in_fields(modality, self.fields.get(name))
                for name, modality in aligned.modalities.items()
            },
        )
        with in_precision(self.precision):
            features = embed_with(self.loaded, aligned, cache, progress or Progress())
        mask = np.zeros((len(aligned), len(self.modalities)), bool)
        for column, name in enumerate(features.names):
            mask[:, self.modalities.index(name)] = features.mask[:, column]
        return features.x, mask

    def encoders_of(self, modality: str) -> list[Encoder]:
        """Loads the encoders of a modality. Raises BundleError where one has other weights or
        options than in training.
        """
        references = self.encoders[modality]
        choices = self.recipe.encoders.get(modality) or [
            reference["name"] for reference in references
        ]
        return [
            self.encoder(modality, number, *choice_and_reference)
            for number, choice_and_reference in enumerate(zip(choices, references, strict=True))
        ]

    def encoder(
        self, modality: str, number: int, choice: Any, reference: Mapping[str, Any]
    ) -> Encoder:
        """Load an encoder in the bundle's own precision: that of its recipe, or of the machine
        where it was made.
        """
        first: Encoder | None = None
        for precision in (self.precision, *PRECISIONS):
            with in_precision(precision):
                encoder = load_encoder(choice)
                if change := self.tuned.get(modality, {}).get(number):
                    change.put_on(encoder)
            if encoder.fingerprint == reference["fingerprint"]:
                self.precision = precision
                return encoder
            first = first or encoder
        assert first is not None
        raise BundleError(
            f"{modality} would be read by another encoder than in training: {first.name} has "
            "other weights or options here "
            f"(SHA-256 {first.fingerprint[:12]}, not {reference['fingerprint'][:12]}). Install "
            "the version of the bundle's card."
        )

    def predict_features(
        self,
        features: Mapping[str, NDArray[Any]],
        mask: NDArray[np.bool_] | None = None,
        method: str | None = None,
        columns: Mapping[str, Sequence[Any]] | None = None,
    ) -> Floats:
        """Probabilities (n, K), columns in the order of `labels`.

        features: {modality: (n, dim)}, any subset of the model's modalities; mask: (n, M) bool in
        the order of `modalities`, false where a sample lacks one. A sample without any gets the
        training prior. method: another fusion method or single modality of the bundle. columns:
        dataset.column -> n values, for the conditions of the rules; a rule that lacks one is left
        out, with the warning RulesNotApplied. A single modality answers without rules.
        """
        p = self.without_rules(features, mask, method)
        rules, lacking = (
            rules_for(self.recipe, columns or {}) if method not in self.modalities else ([], [])
        )
        if lacking:
            warnings.warn("\n".join(lacking), RulesNotApplied, stacklevel=2)
        if not rules:
            return p
        fires = speaks(rules, columns or {})
        if len(fires) != len(p):
            raise BundleError(
                f"The columns of the rules have {len(fires)} values for {len(p)} samples."
            )
        return applied(p, rules, self.labels, fires)

    def without_rules(
        self,
        features: Mapping[str, NDArray[Any]],
        mask: NDArray[np.bool_] | None = None,
        method: str | None = None,
    ) -> Floats:
        """Return the predictions of the networks alone, see `predict_features`."""
        method = method or self.recipe.method
        x, mask = self.complete(features, mask)
        if method not in [*self.models, *self.without_networks]:
            raise self.unknown(method)
        if method in self.modalities:
            return self.models[method].predictions(x, mask)
        prior = np.tile(self.log_prior.astype(np.float64), (len(mask), 1))
        samples = Unlabelled(self.learning_task, self.modalities, mask, prior)
        whole = tuple(range(len(self.modalities)))
        [predictions] = self.predictor(x, samples, [whole]).method(method).whole
        return predictions

    def predictor(
        self, x: Mapping[str, NDArray[Any]], samples: Samples, wanted: Sequence[Coalition]
    ) -> Predictor:
        """The predictions of every method about complete features, of one seed."""

        def joint(name: str) -> MethodPredictions:
            model = self.models[name]
            masks = {coalition: hide(samples.mask, coalition) for coalition in wanted}
            outputs = {coalition: model.outputs(x, mask) for coalition, mask in masks.items()}
            whole = outputs[max(wanted, key=len)]
            return MethodPredictions(
                {c: model.calibrated(outputs[c], mask)[None] for c, mask in masks.items()},
                model.calibrated(whole, samples.mask, temperature=1.0)[None],
            )

        temperatures = [self.models[name].temperature for name in self.modalities]
        return Predictor(
            samples,
            lambda: self.single_outputs(x, samples.mask)[None],
            np.tile(temperatures, (len(samples.mask), 1)),
            joint,
            wanted,
            fallback=self.recipe.training.floor,
            pools=[(self.pool, len(samples.mask))] if self.pool else [],
        )

    @property
    def without_networks(self) -> list[str]:
        """Methods that only join what other models say."""
        return ["late", "ensemble"] if self.pool else ["late"]

    def unknown(self, method: str) -> BundleError:
        return BundleError(
            f"The bundle holds no method {method}; it has "
            f"{', '.join([*self.without_networks, *self.models])}."
        )

    def single_outputs(self, x: Mapping[str, NDArray[Any]], mask: NDArray[np.bool_]) -> Floats:
        """(n, M, D) of complete features, before the temperatures."""
        return np.stack(
            [self.models[name].outputs(x, mask) for name in self.modalities], axis=1
        ).astype(np.float64)

    def single_beliefs(self, x: Mapping[str, NDArray[Any]], mask: NDArray[np.bool_]) -> Floats:
        """(n, M, D), calibrated."""
        temperatures = np.array(
            [self.models[name].temperature for name in self.modalities], dtype=np.float64
        )
        return self.learning_task.beliefs(self.single_outputs(x, mask), temperatures)

    def represent(self, inputs: Any, method: str | None = None) -> NDArray[np.float32]:
        """The fused representation (n, dim) of raw inputs, any subset of the modalities; what it
        is: fusion.features.representation.
        """
        with Reader(self.kinds, self.fields) as reader:
            return self.represent_features(
                *self.embedded(reader.aligned(rows_of(inputs, self.kinds))), method=method
            )

    def represent_features(
        self,
        features: Mapping[str, NDArray[Any]],
        mask: NDArray[np.bool_] | None = None,
        method: str | None = None,
    ) -> NDArray[np.float32]:
        """(n, dim), zeros for a sample without any modality; features, mask, method: as in
        `predict_features`.
        """
        method = method or self.recipe.method
        x, mask = self.complete(features, mask)
        if method in self.models:
            return self.models[method].represent(x, mask)
        if method not in self.without_networks:
            raise self.unknown(method)
        if method == "ensemble":
            beliefs = beliefs_of(self.learning_task, self.without_rules(x, mask, method))
            return evidence(
                self.learning_task, beliefs[:, None], np.any(mask, axis=1)[:, None], self.log_prior
            ).astype(np.float32)
        beliefs = self.single_beliefs(x, mask)
        return evidence(self.learning_task, beliefs, mask, self.log_prior).astype(np.float32)
