"""The card "Where two disciplines should talk": samples on which inputs contradict the label or
each other, with each input, its prediction, and the reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.experiments import queries
from apps.experiments.artifacts.sample_inputs import SampleInput, inputs_of
from apps.experiments.models import Run
from apps.experiments.words import note_in_words
from fusion.schema.result import Disagreement, Kind

PAGE = 6
FIELD = "talk"
"""Of the address: which list is shown."""


@dataclass(frozen=True)
class DisputedSample:
    key: str
    href: str
    truth: str
    prediction: str
    reason: str
    inputs: list[SampleInput]
    comments: int = 0


@dataclass(frozen=True)
class DisagreementsSection:
    """`known` is False for a run of a version that did not rank samples this way."""

    options: list[dict[str, Any]]
    page: Page
    samples: list[DisputedSample]
    total: int
    known: bool


def section(run: Run, params: Mapping[str, str]) -> DisagreementsSection:
    disagreements = run.evaluation.disagreements if run.evaluation else []
    kinds: tuple[Kind, ...] = ("label", "modalities")
    lists = {kind: [row for row in disagreements if row.kind == kind] for kind in kinds}
    shown = shown_kind(params.get(FIELD, ""), lists)
    page = Paginator(lists[shown], PAGE).get_page(params.get("page"))
    words = {"label": _("Against the label (%(n)d)"), "modalities": _("Against each other (%(n)d)")}
    options = [
        {
            "label": words[kind] % {"n": len(rows)},
            "href": f"?{FIELD}={kind}#talk",
            "current": kind == shown,
        }
        for kind, rows in lists.items()
    ]
    known = "disagreements" in (run.result or {})
    return DisagreementsSection(options, page, samples(run, list(page)), len(disagreements), known)


def shown_kind(wanted: str, lists: Mapping[Kind, list[Disagreement]]) -> Kind:
    """The list that the address names; else the first that is not empty."""
    if wanted == "modalities" or (wanted != "label" and not lists["label"]):
        return "modalities"
    return "label"


def samples(run: Run, disagreements: list[Disagreement]) -> list[DisputedSample]:
    keys = [row.key for row in disagreements]
    shown, comments = inputs_of(run, keys), queries.comments_on_samples(run.project, keys)
    return [
        DisputedSample(
            key=row.key,
            href=reverse("workspace:sample", args=[run.project.slug, row.key]),
            truth=row.truth,
            prediction=row.answer,
            reason=note_in_words(row.reason),
            inputs=inputs(run, row, shown),
            comments=comments.get(row.key, 0),
        )
        for row in disagreements
    ]


def inputs(
    run: Run, row: Disagreement, shown: dict[tuple[str, str], SampleInput]
) -> list[SampleInput]:
    """Every input of the run, with what its own model predicts for this sample."""
    inputs = []
    for name, kind in run.kinds.items():
        sample_input = shown.get((row.key, name)) or SampleInput(name, kind)
        if prediction := row.said.get(name):
            sample_input.prediction = prediction.answer
            sample_input.confidence = prediction.confidence
            spread = prediction.spread
            sample_input.spread = "" if spread is None else f"± {spread:.2g}"
        inputs.append(sample_input)
    return inputs
