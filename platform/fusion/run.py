"""A whole run: features, out-of-fold answers, evaluation, then one model trained on every sample, kept as a bundle.

result = train(Aligned.from_study(study), Recipe.default(), Path("out"), Cache(folder), Progress())
"""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch

from fusion import predictions, space
from fusion.alignment import Aligned, folds, inner_folds, inner_split
from fusion.bundle import Bundle, save
from fusion.cache import Cache
from fusion.card import references
from fusion.crossfit import Choice, CrossFit, Round, Task
from fusion.embed import Adapted, Features, embed
from fusion.ensemble import Pool
from fusion.environment import environment
from fusion.evaluate.compare import Answered
from fusion.evaluate.concepts import concepts_score
from fusion.evaluate.metrics import Floats, Ints
from fusion.evaluate.places import places
from fusion.evaluate.report import Question, evaluate
from fusion.evaluate.subgroups import subgroup_columns
from fusion.files import digest_of
from fusion.knowledge_use import Bools, fires_of, settled, taught, warnings_of
from fusion.machine import Stopwatch
from fusion.mixing import Mixed, UnequalLayers, blocks_of, layers_of
from fusion.models import Model
from fusion.noisy import Noisy
from fusion.outoffold import OutOfFold, answer_round, assemble, final_choices
from fusion.probe import Probe
from fusion.progress import Progress
from fusion.protocol_use import asked, facts_of, kinds_of_slices
from fusion.prototypes import likeness_of
from fusion.recipe import Recipe, RecipeError
from fusion.representation import Vectors
from fusion.result import CELL, CPU, EvaluationResult, Fold, LayerMix, Split
from fusion.search import concluded, own_choices, report
from fusion.store import Store
from fusion.tasks import task_of as learning_task
from fusion.train import CHECKPOINT_SECONDS
from fusion.tuning.refusals import refusals
from fusion.without_rules import Ruled

WORK = ".work"
PREDICTIONS = "predictions.parquet"
REPRESENTATION = "representation.parquet"


@dataclass
class Clock:
    """Wall-clock seconds of each stage, and under `cpu:STAGE` as if nothing else had run."""

    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Any:
        self.progress.stage(name)
        self.progress.check()
        begun, watch = time.perf_counter(), Stopwatch()
        yield
        self.seconds |= {name: round(time.perf_counter() - begun, 3), f"{CPU}{name}": round(watch.seconds, 3)}


@dataclass(frozen=True)
class Plan:
    """What is settled before anything is embedded. fires: (n, R), where each rule speaks; rounds: of the split, then all samples."""

    aligned: Aligned
    recipe: Recipe
    modalities: list[str]
    fires: Bools
    rounds: list[Round]

    @classmethod
    def of(cls, aligned: Aligned, recipe: Recipe, progress: Progress) -> "Plan":
        aligned = in_order(aligned)
        recipe = asked(settled(recipe, aligned), aligned)
        fires = fires_of(recipe, aligned)
        for words in warnings_of(recipe, aligned, fires):
            progress.log(words)
        rounds = [*rounds_of(aligned, recipe), round_of_all(aligned, recipe)]
        return cls(aligned, recipe, chosen_modalities(aligned, recipe), fires, rounds)

    @property
    def inputs(self) -> Aligned:
        return replace(self.aligned, modalities={name: self.aligned.modalities[name] for name in self.modalities})

    def inner(self, rows: Ints) -> list[tuple[Ints, Ints]]:
        return inner_of(self.aligned, rows, self.recipe)

    def task(self, features: Features) -> Task:
        try:
            mixes = layers_of(self.recipe, features)
        except UnequalLayers as error:
            raise RecipeError([str(error)]) from error
        task = task_of(self.aligned, features)
        teaching = taught(self.recipe, self.aligned.task, self.aligned.label_order, self.fires)
        mixed = {name: blocks_of(features.parts[name], layers) for name, layers in mixes.items()}
        return replace(task, taught=teaching, mixes=mixes, blocks=task.blocks | mixed)


def train(
    aligned: Aligned,
    recipe: Recipe,
    out: Path,
    cache: Cache | None,
    progress: Progress,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    reference: Answered | None = None,
) -> EvaluationResult:
    """Trains and evaluates as the recipe says and writes a bundle into `out`; finished fits in `out` are taken up again.

    reference: the run that criteria of protocols may ask a difference to.
    Raises RecipeError, AlignmentError or EncoderError in plain words, and whatever `progress.check` raises.
    """
    progress.stages(recipe.stages)
    torch.set_num_threads(recipe.training.threads)
    clock = Clock(progress)
    with clock.stage("read"):
        plan = Plan.of(aligned, recipe, progress)
    with clock.stage("embed"):
        features = embed(plan.inputs, plan.recipe.encoders or None, cache, progress)
        likeness = likeness_of(plan.recipe, plan.aligned.label_order, cache, progress) if aligned.task == "classification" else None
        noisy = Noisy.of(plan.inputs, plan.recipe.encoders, cache, progress) if plan.recipe.evaluation.noise else None
    store = Store(out / WORK, run_digest(plan.aligned, plan.recipe, features), checkpoint_seconds)
    task, probe = replace(plan.task(features), likeness=likeness), None
    tuned: Adapted = {}
    if plan.recipe.search and plan.recipe.search.probe:
        with clock.stage("probe"):
            probe = Probe(plan.inputs, plan.recipe, task, features, plan.inner, cache, store, progress)
            task = probe.run(plan.rounds)
    if plan.recipe.tunes:
        with clock.stage("tune"):
            task, tuned = tuned_along(plan, features, task, store, progress)
    with clock.stage("train"):
        fitting = CrossFit(task, plan.recipe, plan.rounds, store, progress)
        found, kept = fitted(fitting, plan, noisy)
        given, (plan, features) = plan.recipe, concluded_plan(plan, features, fitting, found, probe)
        ruled = ruled_run(plan, features, task, store, progress)
        without, undefined = ruled.without_each(found), ruled.without_concepts(found)
    with clock.stage("evaluate"):
        result = judged(plan, found, ruled, without, fitting, reference)
        result.concepts = concepts_score(plan.recipe, found, undefined)
        result.mixes = mixes_of(plan.recipe, kept.models)
        result.seconds = clock.seconds
        result.seconds[f"{CPU}fit"] = round(fitting.seconds, 3)
        result.seconds |= {f"{CELL}{name}": round(seconds, 6) for name, seconds in features.seconds_a_cell.items()}
        result.environment = facts(plan, features, found, noisy) | {"recipe": given.digest}
        if result.search and probe:
            result.search.probe = probe.report(plan.rounds)
            result.environment["read"] = {each.name: probe.told(each.train) for each in plan.rounds}
        at = places(found.space, found.scored)
    with clock.stage("bundle"):
        keep(bundle_of(plan, features, tuned, kept, found, result), found, columns_of(plan.aligned, found.rows), at, out)
        store.clear()
    return result


@dataclass(frozen=True)
class Kept:
    """What goes into the bundle: models trained on every sample, what was chosen for each, and how the ensemble joins them."""

    models: dict[str, Model]
    choices: dict[str, Choice]
    pool: Pool | None


def fitted(fitting: CrossFit, plan: Plan, noisy: Noisy | None) -> tuple[OutOfFold, Kept]:
    """Out-of-fold answers of every round, then what they chose for the models of all samples, and these models."""
    *rounds, everything = plan.rounds
    answered = [answer_round(fitting, each, noisy=noisy) for each in rounds]
    choices, pool = final_choices(fitting, answered)
    [models] = fitting.models({everything: choices})[everything]
    fitting.forget(everything)
    aligned = plan.aligned
    return assemble(fitting, answered, aligned.keys, aligned.cluster_values()), Kept(models, choices, pool)


def concluded_plan(plan: Plan, features: Features, fitting: CrossFit, found: OutOfFold, probe: Probe | None) -> tuple[Plan, Features]:
    """What a search ends in: an ordinary recipe, and features as it reads the modalities. Without a search nothing changes."""
    if plan.recipe.search is None:
        return plan, features
    features, encoders = probe.kept(plan.rounds[-1].train) if probe else (features, plan.recipe.encoders)
    changes = concluded(plan.recipe, fitting, found.rounds) | {"encoders": encoders}
    return replace(plan, recipe=plan.recipe.model_copy(update=changes)), features


def ruled_run(plan: Plan, features: Features, task: Task, store: Store, progress: Progress) -> Ruled:
    def beside(other: Recipe) -> Store:
        return store.beside(run_digest(plan.aligned, other, features))

    return Ruled(task, plan.recipe, plan.fires, plan.rounds, plan.aligned.label_order, beside, progress)


def judged(
    plan: Plan, found: OutOfFold, ruled: Ruled, without: Sequence[Floats | None], fitting: CrossFit, reference: Answered | None
) -> EvaluationResult:
    """With rules at prediction, if the recipe has them; from here on `found` holds the answers as they are given: after a search those of
    the method that each round chose, under the name of the one that all samples are trained with.
    """
    recipe, searched = plan.recipe, None
    if recipe.knowledge.at_prediction:
        found.methods = {name: ruled.applied(answers, found.rows) for name, answers in found.methods.items()}
        found.noisy = {key: ruled.applied(answers, found.rows) for key, answers in found.noisy.items()}
    rules = ruled.scores(found, without)
    if fitting.budget:
        searched = report(found, fitting, recipe.method, recipe.evaluation.draws)
        found.methods[recipe.method] = own_choices(found)
    result = evaluate(replace(question_of(plan, found), reference=reference))
    result.rules, result.search = rules, searched
    return result


def mixes_of(recipe: Recipe, models: Mapping[str, Model]) -> list[LayerMix]:
    """What the models of all samples read of the layers that they mix."""
    found = []
    for name, choices in sorted(recipe.encoders.items()):
        reader, begin = models[name].whitening[name] if name in models else None, 0
        for choice in choices:
            if choice.mix and choice.layers and isinstance(reader, Mixed):
                shares = reader.mixing.shares[begin : begin + len(choice.layers)]
                begin += len(choice.layers)
                found.append(LayerMix(modality=name, encoder=choice.name, layers=choice.layers, shares=[float(s) for s in shares]))
    return found


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


def keep(bundle: Bundle, found: OutOfFold, columns: Mapping[str, Sequence[Any]], at: Vectors, out: Path) -> None:
    singles = {name: calibrated for name, (calibrated, _) in found.singles.items()}
    recipe = bundle.recipe
    predictions.write(out / PREDICTIONS, found.scored, found.methods[recipe.method].whole, singles, recipe.training.seeds)
    space.write(out / REPRESENTATION, found.space, found.scored, columns, at)
    save(bundle, out, [PREDICTIONS, REPRESENTATION])


def in_order(aligned: Aligned) -> Aligned:
    """Rows by key and modalities by name, so that their order in the files changes nothing."""
    order = sorted(range(len(aligned)), key=lambda row: aligned.keys[row])

    def sort(values: Sequence[Any]) -> list[Any]:
        return [values[row] for row in order]

    return replace(
        aligned,
        keys=sort(aligned.keys),
        labels=sort(aligned.labels),
        modalities={name: replace(m, cells=sort(m.cells)) for name, m in sorted(aligned.modalities.items())},
        groups={name: sort(values) for name, values in sorted(aligned.groups.items())},
        extras={name: sort(values) for name, values in sorted(aligned.extras.items())},
        fixed=None if aligned.fixed is None else sort(aligned.fixed),
    )


def chosen_modalities(aligned: Aligned, recipe: Recipe) -> list[str]:
    wanted = recipe.modalities or list(aligned.modalities)
    for field_name, names in (("modalities", wanted), ("encoders", recipe.encoders)):
        unknown = [name for name in names if name not in aligned.modalities]
        if unknown:
            raise RecipeError([f"{field_name}: the alignment has no modality {unknown[0]}; it has {', '.join(aligned.modalities)}."])
    if problems := refusals(recipe):
        raise RecipeError(problems)
    return sorted(wanted)


def rounds_of(aligned: Aligned, recipe: Recipe) -> list[Round]:
    seeds = len(recipe.training.seeds)
    return [Round(fold.name, fold.train, fold.test, inner_of(aligned, fold.train, recipe), seeds) for fold in folds(aligned)]


def round_of_all(aligned: Aligned, recipe: Recipe) -> Round:
    """Training on every sample that takes part, with nothing held out: the model that is kept, with what the other rounds chose."""
    rows = np.asarray(aligned.kept(), dtype=np.int64)
    return Round("all samples", rows, rows[:0], [], len(recipe.training.seeds) if recipe.joins_seeds else 1)


def inner_of(aligned: Aligned, rows: Ints, recipe: Recipe) -> list[tuple[Ints, Ints]]:
    """Rounds by group inside training rows; the validation rows of a fixed split where it has some."""
    if aligned.fixed is not None:
        fit, validation = inner_split(aligned, rows)
        if all(str(aligned.fixed[row]).strip().lower().startswith(("val", "dev")) for row in validation):
            return [(fit, validation)]
    found = inner_folds(aligned, rows, max(2, recipe.training.inner_folds))
    return found[: recipe.training.inner_folds]


def task_of(aligned: Aligned, features: Features) -> Task:
    asked = learning_task(aligned.task, aligned.label_order)
    tables = frozenset(name for name in features.names if aligned.modalities[name].kind == "table")
    x = {name: features.x[name] for name in features.names}
    blocks = {name: [block for part in features.parts[name] for block in part.blocks] for name in features.names}
    return Task(asked.encode(aligned.labels), asked, x, features.mask, tables=tables, blocks=blocks)


def tuned_along(plan: Plan, features: Features, task: Task, store: Store, progress: Progress) -> tuple[Task, Adapted]:
    """The task with features by training rows, and what was tuned on all samples."""
    from fusion.tuning.rounds import Tuner

    tuner = Tuner(plan.aligned, plan.recipe, features, task, plan.rounds[-1].train, store, progress)
    tuner.tune(plan.rounds)
    probed = task.tuned or (lambda rows: {})
    return replace(task, tuned=lambda rows: probed(rows) | tuner.x(rows)), tuner.kept()


def sample_digests(aligned: Aligned) -> list[str]:
    """SHA-256 of what each sample holds in every modality, whatever its key."""
    cells = {name: modality.cells for name, modality in sorted(aligned.modalities.items())}
    return [content_digest({name: column[row] for name, column in cells.items()}) for row in range(len(aligned))]


def content_digest(cells: Mapping[str, Any]) -> str:
    return hashlib.sha256(
        json.dumps({name: cell.digest for name, cell in cells.items() if cell is not None}, sort_keys=True).encode()
    ).hexdigest()


def encoders_of(features: Features, tuned: Adapted = MappingProxyType({})) -> dict[str, list[dict[str, Any]]]:
    found = {name: [vars(part) for part in parts] for name, parts in features.parts.items()}
    for name, changes in tuned.items():
        found[name] = [changes[place].part(part) if place in changes else part for place, part in enumerate(found[name])]
    return found


def run_digest(aligned: Aligned, recipe: Recipe, features: Features) -> str:
    """Whatever could change a fit: data, recipe, encoders, versions."""
    return digest_of([aligned.digest, recipe.digest, encoders_of(features), environment()["versions"]])


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
        Fold(name=str(each.name), n_train=len(each.train), n_test=len(each.test), best_epochs=[c.epochs for c in answered.choices.values()])
        for each, answered in zip(plan.rounds, found.rounds)
    ]
    return Question(
        scored=found.scored,
        method=recipe.method,
        methods={name: found.methods[name] for name in recipe.methods},
        singles=found.singles,
        best_single=found.best_single,
        temperatures={name: found.temperature(name) for name in found.scored.modalities},
        seeds=[] if recipe.joins_seeds else recipe.training.seeds,
        cluster_column=aligned.cluster,
        split=Split(policy=aligned.split.policy, groups=list(aligned.groups), folds=described),
        n_total=len(aligned),
        left_out=left_out(aligned, found.rows),
        baselines=found.baselines,
        columns=columns_of(aligned, found.rows),
        draws=recipe.evaluation.draws,
        degradation=recipe.evaluation.degradation,
        space=found.space,
        noisy=found.noisy,
        modality_kinds={name: one.kind for name, one in aligned.modalities.items()},
        protocols=recipe.protocols,
        facts=facts_of(aligned, found.rows),
        kinds=kinds_of_slices(aligned),
    )


def left_out(aligned: Aligned, scored: Ints) -> dict[str, int]:
    counted = {reason: len(rows) for reason, rows in aligned.left_out().items()}
    return counted | {"only in training": len(aligned.kept()) - len(scored)}


def columns_of(aligned: Aligned, rows: Ints) -> dict[str, list[Any]]:
    """Columns that make subgroups: every group, and every other column of words."""
    return subgroup_columns(
        {name: [values[row] for row in rows] for name, values in (aligned.groups | aligned.extras).items() if name != aligned.label}
    )
