"""The card "Do definitions help?": what disciplines mean by the labels of a run, side by side, and
the score with and without their definitions.
"""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.experiments.models import Run
from apps.experiments.recipe import encoder_choices
from apps.experiments.report.disciplines.rules import Verdict, verdict_of
from apps.experiments.words import list_in_words, note_in_words
from apps.projects.models import Discipline
from fusion.schema.intervals import Pair


@dataclass(frozen=True)
class Definition:
    """`name`: the concept's own, where it differs from the label."""

    label: str
    name: str
    discipline: Discipline | None
    text: str


@dataclass(frozen=True)
class ConceptsSection:
    definitions: list[Definition]
    score: Pair
    few: Pair | None
    few_words: str
    words: str
    verdict: Verdict
    note: str


def section(run: Run) -> ConceptsSection | None:
    """The card; None for a run without definitions of labels, or without a comparison."""
    result = run.evaluation
    concepts = result.concepts if result else None
    if result is None or concepts is None:
        return None
    places = {label: place for place, label in enumerate(result.labels)}
    ordered = sorted(concepts.concepts, key=lambda row: places.get(row.defined_label, len(places)))
    definitions = [
        Definition(
            concept.defined_label,
            concept.name if concept.name != concept.defined_label else "",
            run.disciplines.get(concept.discipline),
            concept.definition,
        )
        for concept in ordered
    ]
    words = _(
        "%(encoder)s reads them; they shape the last layer of every network, so that labels of "
        "like meaning are told by like features."
    )
    few_words = _(
        "Labels with at most 10 samples (%(labels)s), each told apart from the rest: AUROC"
    )
    return ConceptsSection(
        definitions=definitions,
        score=concepts.score,
        few=concepts.auroc_of_few,
        few_words=few_words % {"labels": list_in_words(concepts.few)},
        words=words % {"encoder": encoder_choices.called(concepts.encoder)},
        verdict=verdict_of(concepts.verdict),
        note=note_in_words(concepts.note),
    )
