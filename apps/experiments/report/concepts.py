"""What disciplines mean by the labels of a run, side by side, and whether their definitions helped
it.
"""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.experiments.models import Run
from apps.experiments.recipe import encoder_choices
from apps.experiments.report.rules import verdict_of
from apps.experiments.words import list_in_words, note_in_words
from apps.projects.models import Discipline
from fusion.schema.intervals import Pair


@dataclass
class Definition:
    """name: the concept's own, where it differs from the label."""

    label: str
    name: str
    discipline: Discipline | None
    text: str


@dataclass
class Definitions:
    rows: list[Definition]
    score: Pair
    few: Pair | None
    few_words: str
    words: str
    tone: str
    icon: str
    verdict: str
    note: str


def definitions(run: Run) -> Definitions | None:
    """None for a run without definitions of labels, or where nobody compared."""
    found = run.evaluation.concepts if run.evaluation else None
    if found is None:
        return None
    order = {
        label: place for place, label in enumerate(run.evaluation.labels if run.evaluation else [])
    }
    rows = [
        Definition(
            one.defined_label,
            one.name if one.name != one.defined_label else "",
            run.disciplines.get(one.discipline),
            one.definition,
        )
        for one in sorted(found.concepts, key=lambda one: order.get(one.defined_label, len(order)))
    ]
    tone, icon, verdict = verdict_of(found.verdict)
    words = _(
        "%(encoder)s reads them; they shape the last layer of every network, so that labels of like meaning are told by like features."
    )
    few_words = _(
        "Labels with at most 10 samples (%(labels)s), each told apart from the rest: AUROC"
    ) % {"labels": list_in_words(found.few)}
    return Definitions(
        rows, found.score, found.auroc_of_few, few_words, words % {"encoder": encoder_choices.called(found.encoder)},
        tone, icon, verdict, note_in_words(found.note),
    )  # fmt: skip
