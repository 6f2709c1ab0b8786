"""A whole run: features, out-of-fold answers, evaluation, then one model trained on every sample,
kept as a bundle.

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
from fusion.methods.ensemble import Pool
from fusion.methods.representation import Vectors
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
from fusion.training.crossfit import CrossFit
from fusion.training.fit_store import Store
from fusion.training.folds import Choice, Round, Task
from fusion.training.loop import CHECKPOINT_SECONDS
from fusion.training.models import Model
from fusion.training.oof_predictions import (
    OutOfFold,
    answer_round,
    assemble,
    final_choices,
    own_choices,
)
from fusion.training.search.conclusion import concluded, report
from fusion.training.search.probe import Probe

WORK = ".work"
PREDICTIONS = "predictions.parquet"
REPRESENTATION = "representation.parquet"


@dataclass(frozen=True)
class Read:
    """What networks learn from. noisy: the features of degraded inputs, None unless asked for.

    task: the features; where a probe chose or encoders were tuned, by training rows. tuned: the
    encoders of the model of all samples.
    """

    features: Features
    noisy: Noisy | None
    task: Task
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
        read = read_inputs(plan, out, cache, clock, checkpoint_seconds)
    with clock.stage("train"):
        fitting = CrossFit(read.task, plan.recipe, plan.rounds, read.store, progress)
        found, kept = fitted(fitting, plan, read.noisy)
        ended, features = concluded_plan(plan, read, fitting, found)
        ruled = ruled_run(ended, features, read, progress)
        without, undefined = ruled.without_each(found), ruled.without_concepts(found)
    with clock.stage("evaluate"):
        result = judged(ended, found, ruled, without, fitting, reference)
        result.concepts = concepts_score(ended.recipe, found, undefined)
        result.environment = facts(ended, features, found, read.noisy) | {
            "recipe": plan.recipe.digest
        }
        tell_probe(result, read.probe, plan.rounds)
        at = places(found.space, found.scored)
    result.seconds = (
        clock.seconds | {f"{CPU}fit": round(fitting.seconds, 3)} | features.seconds_of_cells
    )
    with clock.stage("bundle"):
        keep(
            bundle_of(ended, features, read.tuned, kept, found, result),
            found,
            columns_of(plan.aligned, found.rows),
            at,
            out,
        )
        read.store.clear()
    result.seconds |= clock.seconds
    return result


def tell_probe(result: EvaluationResult, probe: Probe | None, rounds: Sequence[Round]) -> None:
    if result.search and probe:
        result.search.probe = probe.report(rounds)
        result.environment["read"] = {each.name: probe.told(each.train) for each in rounds}


def read_inputs(
    plan: Plan, out: Path, cache: Cache | None, clock: Clock, checkpoint_seconds: float
) -> Read:
    recipe, progress, probe = plan.recipe, clock.progress, None
    asks_noise, probes = recipe.evaluation.noise, recipe.search is not None and recipe.search.probe
    trained = [each.train for each in plan.rounds[:-1]]
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
    task = replace(plan.task(features), likeness=likeness)
    if probes:
        with clock.stage("probe"):
            probe = Probe(plan.inputs, recipe, task, features, plan.inner, cache, store, progress)
            task = probe.run(plan.rounds)
            noisy = (
                Noisy.of(plan.inputs, probe.encoders, trained, cache, progress)
                if asks_noise
                else None
            )
    if recipe.tunes:
        with clock.stage("tune"):
            task, tuned = tuned_along(plan, features, task, store, progress)
    return Read(features, noisy, task, probe, tuned, store)


def tuned_along(
    plan: Plan, features: Features, task: Task, store: Store, progress: Progress
) -> tuple[Task, Adapted]:
    """The task with features by training rows, and what was tuned on all samples."""
    from fusion.training.finetune.rounds import Tuner

    tuner = Tuner(plan.aligned, plan.recipe, features, task, plan.rounds[-1].train, store, progress)
    tuner.tune(plan.rounds)
    probed = task.tuned or (lambda rows: {})
    return replace(task, tuned=lambda rows: probed(rows) | tuner.x(rows)), tuner.kept()


@dataclass(frozen=True)
class Kept:
    """What goes into the bundle: models trained on every sample, what was chosen for each, and how
    the ensemble joins them.
    """

    models: dict[str, Model]
    choices: dict[str, Choice]
    pool: Pool | None


def fitted(fitting: CrossFit, plan: Plan, noisy: Noisy | None) -> tuple[OutOfFold, Kept]:
    """Out-of-fold answers of every round, then what they chose for the models of all samples, and
    these models.
    """
    *rounds, everything = plan.rounds
    answered = [answer_round(fitting, each, noisy=noisy) for each in rounds]
    choices, pool = final_choices(fitting, answered)
    [models] = fitting.models({everything: choices})[everything]
    fitting.forget(everything)
    aligned = plan.aligned
    return assemble(fitting, answered, aligned.keys, aligned.cluster_values()), Kept(
        models, choices, pool
    )


def concluded_plan(
    plan: Plan, read: Read, fitting: CrossFit, found: OutOfFold
) -> tuple[Plan, Features]:
    """What a search ends in: an ordinary recipe, and features as it reads the modalities. Without a
    search nothing changes.
    """
    if plan.recipe.search is None:
        return plan, read.features
    features, encoders = (
        read.probe.kept(plan.rounds[-1].train)
        if read.probe
        else (read.features, plan.recipe.encoders)
    )
    changes = concluded(plan.recipe, fitting, found.rounds) | {"encoders": encoders}
    return replace(plan, recipe=plan.recipe.model_copy(update=changes)), features


def ruled_run(plan: Plan, features: Features, read: Read, progress: Progress) -> Ruled:
    def beside(other: Recipe) -> Store:
        return read.store.beside(run_digest(plan.aligned, other, features))

    return Ruled(
        read.task, plan.recipe, plan.fires, plan.rounds, plan.aligned.label_order, beside, progress
    )


def judged(
    plan: Plan,
    found: OutOfFold,
    ruled: Ruled,
    without: Sequence[Floats | None],
    fitting: CrossFit,
    reference: Answered | None,
) -> EvaluationResult:
    """With rules at prediction, if the recipe has them; from here on `found` holds the answers as
    they are given: after a search those of the method that each round chose, under the name of the
    one that all samples are trained with.
    """
    recipe, searched = plan.recipe, None
    if recipe.knowledge.at_prediction:
        found.methods = {
            name: ruled.applied(answers, found.rows) for name, answers in found.methods.items()
        }
        found.noisy = {
            key: ruled.applied(answers, found.rows) for key, answers in found.noisy.items()
        }
    rules = ruled.scores(found, without)
    if fitting.budget:
        searched = report(found, fitting, recipe.method, recipe.evaluation.draws)
        found.methods[recipe.method] = own_choices(found.rounds, found.methods)
    result = evaluate(replace(question_of(plan, found), reference=reference))
    result.rules, result.search = rules, searched
    return result


def bundle_of(
    plan: Plan,
    features: Features,
    tuned: Adapted,
    kept: Kept,
    found: OutOfFold,
    result: EvaluationResult,
) -> Bundle:
    inputs, digests = plan.inputs.modalities, sample_digests(plan.aligned)
    return Bundle(
        recipe=plan.recipe,
        labels=plan.aligned.label_order,
        modalities=features.names,
        kinds={name: one.kind for name, one in inputs.items()},
        tuned=tuned,
        fields={name: one.fields or one.columns for name, one in inputs.items()},
        encoders=references(encoders_of(features, tuned)),
        models=kept.models,
        pool=kept.pool,
        best_single=found.best_single,
        trained_on=[digests[row] for row in plan.rounds[-1].train],
        choices={name: vars(choice) for name, choice in kept.choices.items()},
        result=result,
    )


def keep(
    bundle: Bundle, found: OutOfFold, columns: Mapping[str, Sequence[Any]], at: Vectors, out: Path
) -> None:
    singles = {name: calibrated for name, (calibrated, _) in found.singles.items()}
    recipe = bundle.recipe
    predictions_file.write(
        out / PREDICTIONS,
        found.scored,
        found.methods[recipe.method].whole,
        singles,
        recipe.training.seeds,
    )
    representation_file.write(out / REPRESENTATION, found.space, found.scored, columns, at)
    save(bundle, out, [PREDICTIONS, REPRESENTATION])


def facts(plan: Plan, features: Features, found: OutOfFold, noisy: Noisy | None) -> dict[str, Any]:
    chosen = {each.each.name: each.chosen() for each in found.rounds}
    return environment() | {
        "seeds": plan.recipe.training.seeds,
        "recipe": plan.recipe.digest,
        "alignment": plan.aligned.digest,
        "encoders": encoders_of(features),
        "embedded": {"computed": features.n_computed, "cached": features.n_cached},
        "noise embedded": {"computed": noisy.n_computed, "cached": noisy.n_cached} if noisy else {},
        "chosen": chosen,
    }


def question_of(plan: Plan, found: OutOfFold) -> Question:
    aligned, recipe = plan.aligned, plan.recipe
    described = [
        Fold(
            name=str(each.name),
            n_train=len(each.train),
            n_test=len(each.test),
            best_epochs=[choice.epochs for choice in answered.choices.values()],
        )
        for each, answered in zip(plan.rounds, found.rounds)
    ]
    return question_about(
        aligned,
        found.rows,
        recipe,
        found.scored,
        found.methods,
        Split(policy=aligned.split.policy, groups=list(aligned.groups), folds=described),
        left_out(aligned, found.rows),
        singles=found.singles,
        best_single=found.best_single,
        temperatures={name: found.temperature(name) for name in found.scored.modalities},
        seeds=recipe.training.seeds,
        baselines=found.baselines,
        space=found.space,
        noisy=found.noisy,
    )
