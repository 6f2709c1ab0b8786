"""Checks of a recipe against a frozen alignment, by names alone; problems stand by form field."""

from typing import Any

from django.utils.translation import gettext as _

from apps.datasets.models import Alignment
from apps.experiments.recipe import alignment_facts, encoder_choices, finetune_fields
from fusion.knowledge import check_rule
from fusion.schema.protocol import check as check_protocols
from fusion.schema.protocol import protocols_of, together
from fusion.schema.recipe import Recipe
from fusion.schema.task_names import ONE_LABEL

MOST_LABELS = 12
"""So many labels are named in a message."""


def problems(alignment: Alignment, recipe: Recipe) -> dict[str, list[str]]:
    problems = modality_problems(alignment, recipe) | finetune_fields.problems(recipe)
    checks = {"knowledge": knowledge_problems, "protocols": protocol_problems}
    for field, check in checks.items():
        if texts := check(alignment, recipe):
            problems[field] = texts
    return problems


def modality_problems(alignment: Alignment, recipe: Recipe) -> dict[str, list[str]]:
    kinds = {modality.name: modality.kind for modality in alignment_facts.inputs(alignment)}
    words = _("The alignment has no modality %(name)s; it has %(known)s.")
    unknown = [
        words % {"name": name, "known": ", ".join(kinds)}
        for name in recipe.modalities or []
        if name not in kinds
    ]
    words = _("The recipe names an encoder for %(name)s, which the alignment does not have.")
    unknown += [words % {"name": name} for name in recipe.encoders if name not in kinds]
    problems = {"modalities": unknown} if unknown else {}
    for name, kind in kinds.items():
        encoders = [choice.name for choice in recipe.encoders.get(name, [])]
        if texts := [text for code in encoders if (text := encoder_choices.problem(code, kind))]:
            problems[f"encoder_{name}"] = texts
    return problems


def knowledge_problems(alignment: Alignment, recipe: Recipe) -> list[str]:
    """Rules and definitions that the engine would refuse."""
    if recipe.knowledge.use == "off":
        return []
    if alignment_facts.task(alignment) in ONE_LABEL:
        return rule_problems(alignment, recipe) + concept_problems(alignment, recipe)
    if not recipe.knowledge.has_content and not alignment.spec.get("knowledge", {}).get("rules"):
        return []
    words = _(
        "Rules, concepts and order speak of one label of several, which is not what this "
        "alignment asks for. Set use to off in the recipe."
    )
    return [words]


def rule_problems(alignment: Alignment, recipe: Recipe) -> list[str]:
    columns, labels = list(dict.fromkeys(columns_of(alignment))), labels_of(alignment)
    problems = []
    for number, rule in enumerate(recipe.knowledge.rules, 1):
        place = _("Rule %(n)d (%(title)s)") % {"n": number, "title": rule.title}
        texts = check_rule(rule, columns, labels, label_column(alignment))
        problems += [f"{place}: {text}" for text in texts]
    return problems


def concept_problems(alignment: Alignment, recipe: Recipe) -> list[str]:
    labels = labels_of(alignment)
    words = _("%(label)s is defined, but it is no label; the labels are %(labels)s.")
    problems = [
        words % {"label": concept.defined_label, "labels": ", ".join(labels[:MOST_LABELS])}
        for concept in recipe.knowledge.concepts
        if concept.defined_label not in labels
    ]
    encoder = recipe.knowledge.encoder
    reason = encoder_choices.problem(encoder, "text") if encoder else ""
    return [*problems, reason] if reason else problems


def protocol_problems(alignment: Alignment, recipe: Recipe) -> list[str]:
    """Protocols of recipe and study that the engine would refuse."""
    asked_by_study: list[dict[str, Any]] = alignment.spec.get("protocols", [])
    return check_protocols(
        together(recipe.protocols, protocols_of(asked_by_study)),
        dict.fromkeys([*columns_of(alignment), label_column(alignment)], ""),
        {modality.name: modality.kind for modality in alignment_facts.inputs(alignment)},
    )


def columns_of(alignment: Alignment) -> list[str]:
    spec = alignment.spec
    inputs = alignment_facts.inputs(alignment)
    columns = [column for modality in inputs for column in modality.columns]
    return [*spec.get("groups", []), *spec.get("extras", []), *columns]


def labels_of(alignment: Alignment) -> list[str]:
    return list(alignment.summary.get("labels", {}))


def label_column(alignment: Alignment) -> str:
    return str(alignment.spec.get("label", {}).get("source", ""))
