"""A stored bundle judged on labelled samples of a study: those that it was not trained on."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusion.core.arrays import Ints
from fusion.core.environment import environment
from fusion.core.progress import Progress
from fusion.core.stopwatch import Clock
from fusion.data.alignment import Aligned
from fusion.data.rule_columns import rule_columns
from fusion.encoders.cache import Cache
from fusion.evaluation.evaluate import Question, evaluate
from fusion.evaluation.rule_scores import rule_scores
from fusion.features.representation import Space, views
from fusion.pipeline.bundle import Bundle, BundleError
from fusion.pipeline.knowledge_use import predictions_with_rules, rules_for, speaks
from fusion.pipeline.question import question_about
from fusion.pipeline.run_plan import in_order, sample_digests
from fusion.schema.result import EvaluationResult, Fold, Split
from fusion.tasks.bootstrap import Resampler
from fusion.tasks.predictions import Scored, coalitions


def score(
    bundle: Bundle, aligned: Aligned, cache: Cache | None, progress: Progress
) -> EvaluationResult:
    """Samples that the bundle was trained on are left out and counted. Raises BundleError when none
    is left or nothing fits.
    """
    progress.stages(("read", "embed", "evaluate"))
    clock = Clock(progress)
    with clock.stage("read"):
        aligned = in_order(aligned)
        rows, left_out = unseen(bundle, aligned)
        inputs = replace(aligned, modalities=fitting_modalities(bundle, aligned))
    with clock.stage("embed"):
        x, mask = bundle.embedded(inputs, cache, progress)
    with clock.stage("evaluate"):
        question = question_of(bundle, aligned, x, mask, rows, left_out)
        result = evaluated_with_rules(question, bundle, aligned, rows, progress)
    result.seconds = clock.seconds
    result.environment = environment() | {
        "recipe": bundle.recipe.digest,
        "alignment": aligned.digest,
        "encoders": bundle.encoders,
    }
    return result


def evaluated_with_rules(
    question: Question, bundle: Bundle, aligned: Aligned, rows: Ints, progress: Progress
) -> EvaluationResult:
    """Return the evaluation of the predictions after the bundle's rules, with a section on each."""
    rules, lacking = rules_for(bundle.recipe, known := rule_columns(aligned))
    for words in lacking:
        progress.log(words)
    fires = speaks(rules, {name: [values[row] for row in rows] for name, values in known.items()})
    question.methods = {
        name: predictions_with_rules(predictions, rules, bundle.labels, fires)
        for name, predictions in question.methods.items()
    }
    result = evaluate(question)
    predictions = question.methods[question.method].whole
    resampler = Resampler(question.scored.cluster, question.draws)
    without_each = [None] * len(rules)
    result.rules = rule_scores(rules, fires, question.scored, predictions, without_each, resampler)
    return result


def unseen(bundle: Bundle, aligned: Aligned) -> tuple[Ints, dict[str, int]]:
    """Rows to score, and how many were left out for which reason."""
    trained_on, digests = set(bundle.trained_on), sample_digests(aligned)
    reasons = aligned.left_out() | {"no group": []}
    out = {row for rows in reasons.values() for row in rows}
    rows = [row for row in range(len(aligned)) if row not in out]
    new = [row for row in rows if digests[row] not in trained_on]
    if not new:
        raise BundleError(
            f"No sample is left to score: the bundle was trained on all {len(rows)} labelled "
            "samples of this study."
        )
    if aligned.task != bundle.learning_task.name:
        raise BundleError(
            f"The study asks for {aligned.task}, "
            f"the model was trained for {bundle.learning_task.name}."
        )
    unknown = sorted(aligned.named_labels(new) - set(bundle.labels))
    if unknown:
        raise BundleError(
            f"The study has the label {unknown[0]}, which the model never saw; it knows "
            f"{', '.join(bundle.labels)}."
        )
    return np.array(new), {reason: len(left_out) for reason, left_out in reasons.items()} | {
        "trained on": len(rows) - len(new)
    }


def fitting_modalities(bundle: Bundle, aligned: Aligned) -> dict:  # type: ignore[type-arg]
    lacking = [name for name in bundle.modalities if name not in aligned.modalities]
    if lacking:
        raise BundleError(
            f"The study has no modality {lacking[0]}; the model reads "
            f"{', '.join(bundle.modalities)}."
        )
    return {name: aligned.modalities[name] for name in bundle.modalities}


def question_of(
    bundle: Bundle,
    aligned: Aligned,
    x: Mapping[str, NDArray[Any]],
    mask: NDArray[np.bool_],
    rows: Ints,
    left_out: dict[str, int],
) -> Question:
    task = bundle.learning_task
    scored = Scored(
        keys=[aligned.keys[row] for row in rows],
        y=task.encode([aligned.labels[row] for row in rows]),
        mask=mask[rows],
        log_prior=np.tile(bundle.log_prior.astype(np.float64), (len(rows), 1)),
        cluster=np.asarray(aligned.cluster_values())[rows],
        fold=np.full(len(rows), "test"),
        labels=bundle.labels,
        modalities=bundle.modalities,
        learning_task=task,
    )
    x = {name: x[name][rows] for name in bundle.modalities}
    predictor = bundle.predictor(x, scored, coalitions(len(bundle.modalities)))
    methods = {name: predictor.method(name) for name in bundle.recipe.methods}
    own_fold = Fold(name="test", n_train=len(bundle.trained_on), n_test=len(rows))
    return question_about(
        aligned,
        rows,
        bundle.recipe,
        scored,
        methods,
        Split(policy="trained elsewhere", groups=[], folds=[own_fold]),
        left_out,
        singles=predictor.singles,
        best_single=bundle.best_single,
        temperatures={name: bundle.models[name].temperature for name in bundle.modalities},
        seeds=bundle.recipe.training.seeds[:1],
        space=space_of(bundle, x, scored),
    )


def space_of(bundle: Bundle, x: Mapping[str, NDArray[Any]], scored: Scored) -> Space:
    whole, *alone = [bundle.represent_features(x, mask) for mask in views(scored.mask)]
    return Space(
        bundle.recipe.method, True, whole, dict(zip(bundle.modalities, alone, strict=True))
    )
