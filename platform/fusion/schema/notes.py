"""Notes, refusals and reasons of the engine: a code with parameters, worded in English for the
command line and the model card. The pages word the same codes in the reader's language
(apps.experiments.words).

    str(Note.of("few_clusters", n=4))      # only 4 clusters, too narrow
"""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, field_validator, model_validator

from fusion.knowledge.conditions import listed
from fusion.schema.base import StrictModel
from fusion.schema.metrics import METRICS

SENTENCES = {
    "text": "{text}",
    # What to think of an interval.
    "one_cluster": "only one cluster, no interval",
    "few_clusters": "only {n} clusters, too narrow",
    "few_samples": "only {n} samples",
    # Why a criterion cannot be judged.
    "noise_not_measured": (
        "nobody asked the model under this noise; the recipe's evaluation.noise does"
    ),
    "inputs_not_measured": "nobody asked the model without these inputs",
    "modality_not_read": "the model does not read {name}",
    "no_reference": "no reference run was given",
    "no_single": "nobody knows what a single modality alone answers to every sample",
    "single_unknown": "nobody knows what {name} alone answers to every sample",
    "needs_probabilities": "{metric} is not known of this model: it needs probabilities",
    "metric_of_another_task": "{metric} is not known of this model: this is {task}",
    "one_label": "all samples of the slice have the same label, so there is nothing to rank",
    # Why runs cannot be compared.
    "one_run": "Name at least two runs: one is compared with another.",
    "tasks_differ": (
        "{one} answers {task} and {other} {other_task}: their scores say different things."
    ),
    "samples_differ": (
        "{one} and {other} were not judged on the same test samples: {n_one} were tested by {one}"
        " alone and {n_other} by {other} alone (the first: {key})."
    ),
    "labels_differ": (
        "The label of {key} is {label} in {one} and {other_label} in {other}: they were judged by"
        " different labels."
    ),
    # Why a sample is worth a talk.
    "all_against_label": "{names} all say {answer}, the label says {truth}",
    "both_against_label": "{names} both say {answer}, the label says {truth}",
    "one_against_label": "{names} says {answer}, the label says {truth}",
    "product_against_label": (
        "together they say {answer}, though none alone does; the label says {truth}"
    ),
    "contradiction": "{one} says {answer}, {other} says {other_answer}",
    "sure_contradiction": "{one} says {answer}, {other} says {other_answer}, each sure",
}
"""Code -> English sentence. A parameter is a text, a number, or a list of names; `metric` is the
name of a metric."""

WRITTEN_BEFORE = (
    "one_cluster",
    "few_clusters",
    "few_samples",
    "noise_not_measured",
    "inputs_not_measured",
    "no_reference",
    "one_label",
)

LEFT_OUT = (
    "duplicate",
    "no label",
    "no group",
    "no modality",
    "only in training",
    "trained on",
    "no truth",
)
"""Codes of the reasons for which samples take no part, as `EvaluationResult.left_out` has them."""


class Note(StrictModel):
    """One remark of the engine; `str` words it in English.

    Results up to schema 3 hold the English sentence itself: a sentence of WRITTEN_BEFORE gets its
    code, any other stays as a note of code "text".
    """

    code: str
    params: dict[str, str | int | list[str]] = {}

    @model_validator(mode="before")
    @classmethod
    def read_plain_text(cls, data: Any) -> Any:
        if not isinstance(data, str):
            return data
        for code in WRITTEN_BEFORE:
            sentence = re.escape(SENTENCES[code]).replace(r"\{n\}", r"(?P<n>\d+)")
            if match := re.fullmatch(sentence, data):
                return {"code": code, "params": match.groupdict()}
        return {"code": "text", "params": {"text": data}}

    @field_validator("code")
    @classmethod
    def code_is_known(cls, code: str) -> str:
        if code not in SENTENCES:
            raise ValueError(f"{code} is no code of a note")
        return code

    @classmethod
    def of(cls, code: str, **params: str | int | list[str]) -> "Note":
        return cls(code=code, params=params)

    def __str__(self) -> str:
        return SENTENCES[self.code].format_map(
            {name: in_english(name, value) for name, value in self.params.items()}
        )


OptionalNote = Annotated[Note | None, BeforeValidator(lambda value: value or None)]
"""A note, or None, which an empty text stands for in results up to schema 3."""


def in_english(name: str, value: str | int | list[str]) -> str:
    if isinstance(value, list):
        return listed(value, last=" and ")
    if isinstance(value, int):
        return f"{value:,}"
    return METRICS[value].title if name == "metric" else value
