"""Knowledge in a run: the rules of study and recipe held against the samples, in the loss of
training and in the predictions.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from fusion.core.arrays import Bools, Floats
from fusion.data.alignment import Aligned
from fusion.data.leaks import find_leaks
from fusion.data.rule_columns import kind_by_values, rule_column_kinds, rule_columns
from fusion.knowledge import (
    Knowledge,
    Rule,
    RuleError,
    check_rule,
    columns,
    contradictions,
    fired,
    resolve,
    rules_of,
)
from fusion.knowledge.concepts import Concept
from fusion.knowledge.hierarchy import HierarchyError, leaf_sets
from fusion.schema.recipe import Recipe, RecipeError
from fusion.schema.task_names import ONE_LABEL, TaskName
from fusion.tasks.predictions import MethodPredictions
from fusion.training.knowledge_losses import Terms, apply_rules, need_members, rule_tensors


class RulesNotApplied(UserWarning):
    """The model answers without some of its rules; the message says which columns they
    would need.
    """


def settled(recipe: Recipe, aligned: Aligned) -> Recipe:
    """The recipe with the knowledge of the alignment added to its own, every column by its full
    name.

    Raises RecipeError with everything that does not fit the data, each rule by its number: the
    recipe's first, then the study's.
    """
    own = recipe.knowledge
    one_label = aligned.task in ONE_LABEL
    if own.use != "off" and not one_label and (own.has_content or aligned.knowledge.get("rules")):
        raise RecipeError(
            [
                "knowledge: rules, concepts and order speak of one label of several, and this is "
                f"{aligned.task}; set use: off"
            ]
        )
    if own.use == "off" or not one_label:
        return with_knowledge(recipe, rules=[], broader={}, order=[], concepts=[])
    rules, problems = named_rules(own, aligned)
    broader = aligned.knowledge.get("broader", {}) | own.broader
    problems += [
        *concept_problems(broader, aligned),
        *order_problems(own.order, aligned),
        *definition_problems(own.concepts, aligned),
    ]
    if problems:
        raise RecipeError(problems)
    concepts = definitions(own, aligned)
    return with_knowledge(recipe, rules=rules, broader=broader, concepts=concepts)


def with_knowledge(recipe: Recipe, **sections: Any) -> Recipe:
    """Return the recipe with these sections of its knowledge in place of its own."""
    return recipe.model_copy(update={"knowledge": recipe.knowledge.model_copy(update=sections)})


def named_rules(own: Knowledge, aligned: Aligned) -> tuple[list[Rule], list[str]]:
    """Return the rules of the recipe and of the study, every column by its full name, and what does
    not fit the data. Raises RecipeError where a rule of the study cannot be read.
    """
    try:
        rules = [*own.rules, *rules_of(aligned.knowledge.get("rules", []))]
    except RuleError as error:
        raise RecipeError(error.problems) from error
    kinds, problems, named = rule_column_kinds(aligned), list[str](), list[Rule]()
    for number, rule in enumerate(rules, 1):
        faults = check_rule(rule, kinds, aligned.label_order, aligned.label) or leaks(
            rule, kinds, aligned
        )
        where = f"rule {number} ({rule.title})" if len(rules) > 1 else f"the rule {rule.title}"
        problems += [f"knowledge: {where}: {problem}" for problem in faults]
        if not faults and (full := with_full_names(rule, kinds)) not in named:
            named.append(full)  # what both the study and the recipe state counts once
    return named, problems


def definitions(own: Knowledge, aligned: Aligned) -> list[Concept]:
    """The definitions of labels, each once: those of the recipe and of the study, whose other
    concepts lie above labels or are about something else.
    """
    written = [
        *own.concepts,
        *(Concept.model_validate(concept) for concept in aligned.knowledge.get("concepts", [])),
    ]
    return [
        concept
        for place, concept in enumerate(written)
        if concept.defined_label in aligned.label_order and concept not in written[:place]
    ]


def definition_problems(concepts: Sequence[Concept], aligned: Aligned) -> list[str]:
    return [
        f"knowledge.concepts: {concept.defined_label} is no label; the labels are "
        f"{', '.join(aligned.label_order[:12])}"
        for concept in concepts
        if concept.defined_label not in aligned.label_order
    ]


def with_full_names(rule: Rule, known: Iterable[str]) -> Rule:
    return Rule.model_validate(
        rule.model_dump() | {"when": str(resolve(rule.condition, known, rule.when))}
    )


def leaks(rule: Rule, known: Iterable[str], aligned: Aligned) -> list[str]:
    """Columns that give the label away: a rule over them would look it up."""
    names = columns(resolve(rule.condition, known, rule.when))
    values: dict[str, tuple[str, Sequence[Any]]] = {
        name: ("", aligned.extras[name]) for name in names if name in aligned.extras
    }
    return [
        f"{leak.column} alone determines the label ({leak.share:.0%} of the samples), so the rule "
        "would look it up; ask another column"
        for leak in find_leaks(values, aligned.labels)
    ]


def concept_problems(broader: Mapping[str, str], aligned: Aligned) -> list[str]:
    try:
        leaf_sets(broader, aligned.label_order)
    except HierarchyError as error:
        return [f"knowledge.broader: {error}; the labels are {', '.join(aligned.label_order[:12])}"]
    return []


def order_problems(order: Sequence[str], aligned: Aligned) -> list[str]:
    if order and set(order) != set(aligned.label_order):
        other = sorted(set(order) ^ set(aligned.label_order))[0]
        return [
            f"knowledge.order must name every label once; {other} is "
            f"{'no label' if other in order else 'missing'}"
        ]
    return []


def fires_of(recipe: Recipe, aligned: Aligned) -> Bools:
    """(n, R): on which samples each rule of a settled recipe speaks."""
    fires = fired(recipe.knowledge.rules, rule_columns(aligned), rule_column_kinds(aligned))
    return np.asarray(fires, dtype=bool).reshape(len(recipe.knowledge.rules), len(aligned)).T


def warnings_of(recipe: Recipe, aligned: Aligned, fires: Bools) -> list[str]:
    """The warnings that a person should read before the training: rules that never speak, hard
    rules that leave no label.
    """
    rules, rows = recipe.knowledge.rules, aligned.kept()
    fires_by_rule = fires[rows].T.tolist()
    silent = [
        f"{rule.title}: the condition holds on none of the {len(rows):,} samples"
        for rule, row in zip(rules, fires_by_rule)
        if not any(row)
    ]
    return silent + [
        str(finding) for finding in contradictions(rules, fires_by_rule, aligned.label_order)
    ]


def taught(
    recipe: Recipe, task: TaskName, labels: Sequence[str], fires: Bools
) -> tuple[Terms, torch.Tensor] | None:
    """The terms that knowledge adds to the loss of training, to which the order of an ordinal task
    belongs; None where it adds nothing.
    """
    own = recipe.knowledge
    if not own.in_training:
        own, fires = Knowledge(use="off"), fires[:, :0]
    if task == "ordinal" and not own.order:
        own = own.model_copy(update={"order": list(labels)})
    if not (own.rules or own.broader or own.order):
        return None
    sets = torch.tensor(list(leaf_sets(own.broader, labels).values()), dtype=torch.bool).reshape(
        -1, len(labels)
    )
    need_members(sets)
    order = torch.tensor([list(labels).index(label) for label in own.order], dtype=torch.int64)
    return Terms(rule_tensors(own.rules, labels), sets, order), torch.from_numpy(fires)


def applied(p: Floats, rules: Sequence[Rule], labels: Sequence[str], fires: Bools) -> Floats:
    """Calibrated probabilities (..., n, K) times the rules as experts. fires: (n, R)."""
    if not len(rules):
        return p
    with np.errstate(divide="ignore"):
        log_p = torch.from_numpy(np.log(p))
    q = apply_rules(log_p, torch.from_numpy(fires), *rule_tensors(rules, labels)).exp().numpy()
    return np.where(fires.any(axis=1, keepdims=True), q, p)  # to the last bit where no rule speaks


def predictions_with_rules(
    predictions: MethodPredictions, rules: Sequence[Rule], labels: Sequence[str], fires: Bools
) -> MethodPredictions:
    if not len(rules):
        return predictions
    by_coalition = {
        c: applied(p, rules, labels, fires) for c, p in predictions.by_coalition.items()
    }
    return MethodPredictions(
        by_coalition,
        applied(predictions.uncalibrated, rules, labels, fires),
        predictions.by_coalition,
    )


def rules_for(recipe: Recipe, known: Mapping[str, Any]) -> tuple[list[Rule], list[str]]:
    """The rules of a settled recipe that can be applied where these columns are known, and what to
    say of the others.
    """
    rules = recipe.knowledge.rules if recipe.knowledge.at_prediction else []
    return [rule for rule in rules if set(columns(rule.condition)) <= set(known)], unanswered(
        rules, known
    )


def speaks(rules: Sequence[Rule], known: Mapping[str, Sequence[Any]]) -> Bools:
    """(n, R): on which samples each rule speaks. given: dataset.column -> n values."""
    fires = fired(rules, known, {name: kind_by_values(values) for name, values in known.items()})
    return np.asarray(fires, dtype=bool).T if rules else np.zeros((0, 0), bool)


def unanswered(rules: Sequence[Rule], known: Mapping[str, Any]) -> list[str]:
    """Each rule that cannot be applied without further columns, in words."""
    sentences = []
    for rule in rules:
        if lacking := [name for name in columns(rule.condition) if name not in known]:
            sentences.append(
                f"Answered without the rule {rule.title}: it needs {', '.join(lacking)}."
            )
    return sentences
