"""A whole run: features, out-of-fold predictions, evaluation, then one model trained on every
sample, kept as a bundle.

result = train(align(study), Recipe.default(), Path("out"), Cache(folder), Progress())
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from fusion.core.arrays import Floats
from fusion.core.environment import environment
from fusion.core.progress import Progress
from fusion.core.stopwatch import CPU, Clock
from fusion.data.alignment import Aligned
from fusion.encoders.adaptation import Adapted
from fusion.encoders.cache import Cache
from fusion.encoders.embedding import Features, embed
from fusion.encoders.runtime import OF_RECIPES, in_precision
from fusion.evaluation.compare import Answered
from fusion.evaluation.concept_scores import concepts_score
from fusion.evaluation.embedding_map import places
from fusion.evaluation.evaluate import Question, evaluate
from fusion.features.perturb import Noisy
from fusion.features.prototypes import likeness_of
from fusion.features.representation import Vectors
from fusion.methods.ensemble import Pool
from fusion.pipeline import predictions_file, representation_file
from fusion.pipeline.ablation import Ruled
from fusion.pipeline.bundle import Bundle
from fusion.pipeline.bundle_files import save
from fusion.pipeline.card import references
from fusion.pipeline.question import question_about
from fusion.pipeline.run_plan import (
    Plan,
    columns_of,
    encoders_of,
    left_out,
    run_digest,
    sample_digests,
)
from fusion.schema.recipe import Recipe
from fusion.schema.result import EvaluationResult, Fold, Split
from fusion.training.choices import Choice
from fusion.training.crossfit import CrossFit
from fusion.training.fit_store import Store
from fusion.training.folds import NestedFold, TrainingData
from fusion.training.loop import CHECKPOINT_SECONDS
from fusion.training.models import Model
from fusion.training.oof_predictions import (
    FoldPredictions,
    OutOfFold,
    assemble,
    final_choices,
    predict_fold,
    predictions_of_winners,
)
from fusion.training.search.conclusion import concluded, report
from fusion.training.search.probe import Probe

WORK = ".work"
PREDICTIONS = "predictions.parquet"
REPRESENTATION = "representation.parquet"


@dataclass(frozen=True)
class RunInputs:
    """The inputs that networks learn from. noisy: the features of degraded inputs, None unless
    asked for.

    data: the features; where a probe chose or encoders were tuned, by training rows. tuned: the
    encoders of the model of all samples.
    """

    features: Features
    noisy: Noisy | None
    data: TrainingData
    probe: Probe | None
    tuned: Adapted
    store: Store


def train(
    aligned: Aligned,
    recipe: Recipe,
    out: Path,
    cache: Cache | None,
    progress: Progress,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    reference: Answered | None = None,
) -> EvaluationResult:
    """Trains and evaluates as the recipe says and writes a bundle into `out`; finished fits in
    `out` are taken up again.

    reference: the run that criteria of protocols may ask a difference to. Raises RecipeError,
    AlignmentError or EncoderError in plain words, and whatever `progress.check` raises.
    """
    progress.stages(recipe.stages)
    torch.set_num_threads(recipe.training.threads)
    clock = Clock(progress)
    with clock.stage("read"):
        plan = Plan.of(aligned, recipe, progress)
    with in_precision(OF_RECIPES.get(recipe.precision or "")):
        inputs = read_inputs(plan, out, cache, clock, checkpoint_seconds)
    with clock.stage("train"):
        crossfit = CrossFit(inputs.data, plan.recipe, plan.folds, inputs.store, progress)
        *test_folds, all_samples = plan.folds
        folds = [predict_fold(crossfit, fold, noisy=inputs.noisy) for fold in test_folds]
        final = final_models(crossfit, folds, all_samples)
        oof = assemble(crossfit, folds, plan.aligned.keys, plan.aligned.cluster_values())
        ended, features = concluded_plan(plan, inputs, crossfit, oof)
        ruled = ruled_run(ended, features, inputs, progress)
        without_rule, without_concepts = ruled.without_each(oof), ruled.without_concepts(oof)
    with clock.stage("evaluate"):
        result = evaluated(ended, oof, ruled, without_rule, crossfit, reference)
        result.concepts = concepts_score(ended.recipe, oof, without_concepts)
        result.environment = environment_of(ended, features, oof, inputs.noisy) | {
            "recipe": plan.recipe.digest
        }
        report_probe(result, inputs.probe, plan.folds)
        embedding_map = places(oof.space, oof.scored)
    result.seconds = (
        clock.seconds | {f"{CPU}fit": round(crossfit.runner.seconds, 3)} | features.seconds_of_cells
    )
    with clock.stage("bundle"):
        bundle = bundle_of(ended, features, inputs.tuned, final, oof, result)
        write_outputs(bundle, oof, columns_of(plan.aligned, oof.rows), embedding_map, out)
        inputs.store.clear()
    result.seconds |= clock.seconds
    return result


def report_probe(
    result: EvaluationResult, probe: Probe | None, folds: Sequence[NestedFold]
) -> None:
    if result.search and probe:
        result.search.probe = probe.report(folds)
        result.environment["read"] = {fold.name: probe.told(fold.train) for fold in folds}


def read_inputs(
    plan: Plan, out: Path, cache: Cache | None, clock: Clock, checkpoint_seconds: float
) -> RunInputs:
    recipe, progress, probe = plan.recipe, clock.progress, None
    asks_noise, probes = recipe.evaluation.noise, recipe.search is not None and recipe.search.probe
    trained = [fold.train for fold in plan.folds[:-1]]
    tuned: Adapted = {}
    with clock.stage("embed"):
        features = embed(plan.inputs, recipe.encoders or None, cache, progress)
        likeness = (
            likeness_of(recipe, plan.aligned.label_order, cache, progress)
            if plan.aligned.task == "classification"
            else None
        )
        noisy = (
            Noisy.of(plan.inputs, lambda rows: recipe.encoders, trained, cache, progress)
            if asks_noise and not probes
            else None
        )
    store = Store(out / WORK, run_digest(plan.aligned, recipe, features), checkpoint_seconds)
    data = replace(plan.training_data(features), likeness=likeness)
    if probes:
        with clock.stage("probe"):
            probe = Probe(plan.inputs, recipe, data, features, plan.inner, cache, store, progress)
            data = probe.run(plan.folds)
            noisy = (
                Noisy.of(plan.inputs, probe.encoders, trained, cache, progress)
                if asks_noise
                else None
            )
    if recipe.tunes:
        with clock.stage("tune"):
            data, tuned = tuned_along(plan, features, data, store, progress)
    return RunInputs(features, noisy, data, probe, tuned, store)


def tuned_along(
    plan: Plan, features: Features, data: TrainingData, store: Store, progress: Progress
) -> tuple[TrainingData, Adapted]:
    """Return the data with features by training rows, and what was tuned on all samples."""
    from fusion.training.finetune.rounds import Tuner

    all_rows = plan.folds[-1].train
    tuner = Tuner(plan.aligned, plan.recipe, features, data, all_rows, store, progress)
    tuner.tune(plan.folds)
    probed = data.tuned or (lambda rows: {})
    return replace(data, tuned=lambda rows: probed(rows) | tuner.x(rows)), tuner.kept()


@dataclass(frozen=True)
class FinalModels:
    """The models of the bundle: trained on every sample, with the choices for each, and how the
    ensemble joins them.
    """

    models: dict[str, Model]
    choices: dict[str, Choice]
    pool: Pool | None


def final_models(
    crossfit: CrossFit, folds: Sequence[FoldPredictions], all_samples: NestedFold
) -> FinalModels:
    """Train a model of each method on every sample, with what the folds chose."""
    choices, pool = final_choices(crossfit, folds)
    models = {}
    for name, choice in choices.items():
        [models[name]] = crossfit.fit_outer(name, {all_samples: choice})[all_samples]
    crossfit.fold_data.drop(all_samples)
    return FinalModels(models, choices, pool)


def concluded_plan(
    plan: Plan, inputs: RunInputs, crossfit: CrossFit, oof: OutOfFold
) -> tuple[Plan, Features]:
    """Return what a search ends in: an ordinary recipe, and features as it reads the modalities.
    Without a search nothing changes.
    """
    if plan.recipe.search is None:
        return plan, inputs.features
    features, encoders = (
        inputs.probe.kept(plan.folds[-1].train)
        if inputs.probe
        else (inputs.features, plan.recipe.encoders)
    )
    changes = concluded(plan.recipe, crossfit, oof.folds) | {"encoders": encoders}
    return replace(plan, recipe=plan.recipe.model_copy(update=changes)), features


def ruled_run(plan: Plan, features: Features, inputs: RunInputs, progress: Progress) -> Ruled:
    def beside(other: Recipe) -> Store:
        return inputs.store.beside(run_digest(plan.aligned, other, features))

    labels = plan.aligned.label_order
    return Ruled(inputs.data, plan.recipe, plan.fires, plan.folds, labels, beside, progress)


def evaluated(
    plan: Plan,
    oof: OutOfFold,
    ruled: Ruled,
    without_rule: Sequence[Floats | None],
    crossfit: CrossFit,
    reference: Answered | None,
) -> EvaluationResult:
    """Evaluate with rules at prediction, if the recipe has them; from here on `oof` holds the
    predictions as they are given: after a search those of the method that each fold chose, under
    the name of the one that all samples are trained with.
    """
    recipe, searched = plan.recipe, None
    if recipe.knowledge.at_prediction:
        oof.methods = {
            name: ruled.applied(predictions, oof.rows) for name, predictions in oof.methods.items()
        }
        oof.noisy = {
            key: ruled.applied(predictions, oof.rows) for key, predictions in oof.noisy.items()
        }
    rules = ruled.scores(oof, without_rule)
    if crossfit.budget:
        searched = report(oof, crossfit, recipe.method, recipe.evaluation.draws)
        oof.methods[recipe.method] = predictions_of_winners(oof.folds, oof.methods)
    result = evaluate(replace(question_of(plan, oof), reference=reference))
    result.rules, result.search = rules, searched
    return result


def bundle_of(
    plan: Plan,
    features: Features,
    tuned: Adapted,
    final: FinalModels,
    oof: OutOfFold,
    result: EvaluationResult,
) -> Bundle:
    inputs, digests = plan.inputs.modalities, sample_digests(plan.aligned)
    return Bundle(
        recipe=plan.recipe,
        labels=plan.aligned.label_order,
        modalities=features.names,
        kinds={name: modality.kind for name, modality in inputs.items()},
        tuned=tuned,
        fields={name: modality.fields or modality.columns for name, modality in inputs.items()},
        encoders=references(encoders_of(features, tuned)),
        models=final.models,
        pool=final.pool,
        best_single=oof.best_single,
        trained_on=[digests[row] for row in plan.folds[-1].train],
        choices={name: vars(choice) for name, choice in final.choices.items()},
        result=result,
    )


def write_outputs(
    bundle: Bundle,
    oof: OutOfFold,
    columns: Mapping[str, Sequence[Any]],
    embedding_map: Vectors,
    out: Path,
) -> None:
    singles = {name: calibrated for name, (calibrated, _) in oof.singles.items()}
    recipe = bundle.recipe
    predictions_file.write(
        out / PREDICTIONS,
        oof.scored,
        oof.methods[recipe.method].whole,
        singles,
        recipe.training.seeds,
    )
    representation_file.write(out / REPRESENTATION, oof.space, oof.scored, columns, embedding_map)
    save(bundle, out, [PREDICTIONS, REPRESENTATION])


def environment_of(
    plan: Plan, features: Features, oof: OutOfFold, noisy: Noisy | None
) -> dict[str, Any]:
    chosen = {predictions.fold.name: predictions.chosen() for predictions in oof.folds}
    return environment() | {
        "seeds": plan.recipe.training.seeds,
        "recipe": plan.recipe.digest,
        "alignment": plan.aligned.digest,
        "encoders": encoders_of(features),
        "embedded": {"computed": features.n_computed, "cached": features.n_cached},
        "noise embedded": {"computed": noisy.n_computed, "cached": noisy.n_cached} if noisy else {},
        "chosen": chosen,
    }


def question_of(plan: Plan, oof: OutOfFold) -> Question:
    aligned, recipe = plan.aligned, plan.recipe
    described = [
        Fold(
            name=str(fold.name),
            n_train=len(fold.train),
            n_test=len(fold.test),
            best_epochs=[choice.epochs for choice in predictions.choices.values()],
        )
        for fold, predictions in zip(plan.folds, oof.folds)
    ]
    return question_about(
        aligned,
        oof.rows,
        recipe,
        oof.scored,
        oof.methods,
        Split(policy=aligned.split.policy, groups=list(aligned.groups), folds=described),
        left_out(aligned, oof.rows),
        singles=oof.singles,
        best_single=oof.best_single,
        temperatures={name: oof.temperature(name) for name in oof.scored.modalities},
        seeds=recipe.training.seeds,
        baselines=oof.baselines,
        space=oof.space,
        noisy=oof.noisy,
    )
