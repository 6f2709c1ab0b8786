"""The words of the engine's codes: the same codes on both sides, in both languages."""

import re

import pytest
from django.utils import translation

from apps.experiments.words import (
    left_out_templates,
    method_name,
    method_sentence,
    note_in_words,
    note_templates,
)
from apps.ui import figures, learning_tasks
from fusion.schema.methods import METHODS
from fusion.schema.metrics import METRICS, TASKS
from fusion.schema.notes import LEFT_OUT, SENTENCES, Note


def params(template: str) -> set[str]:
    return set(re.findall(r"[{(](\w+)[)}]", template))


def test_every_note_has_its_words_with_parameters_that_the_engine_gives() -> None:
    templates = note_templates()
    assert list(templates) == list(SENTENCES)
    for code, template in templates.items():
        assert params(template) <= params(SENTENCES[code]), code
        if code != "tasks_differ" and code != "labels_differ":
            assert params(template) == params(SENTENCES[code]), code


def test_every_note_and_reason_is_translated() -> None:
    with translation.override("en"):
        english = note_templates() | left_out_templates(2)
    with translation.override("zh-hans"):
        chinese = note_templates() | left_out_templates(2)
    assert len(english) > 20
    assert [code for code in english if english[code] == chinese[code]] == ["text"]


def test_every_reason_metric_task_and_method_has_its_words() -> None:
    assert list(left_out_templates(2)) == list(LEFT_OUT)
    with translation.override("zh-hans"):
        assert [code for code in METRICS if figures.metric(code) == code] == []
    assert list(learning_tasks.TITLES) == list(TASKS)
    for code, method in METHODS.items():
        assert method_name(code) == method.title
        assert method_sentence(code)


@pytest.mark.parametrize(
    ("note", "english", "chinese"),
    [
        (Note.of("few_clusters", n=4), "only 4 clusters", "只有 4 个"),
        (
            Note.of("both_against_label", names=["a", "b"], answer="x", truth="y"),
            "a and b both say x",
            "a 和 b都认为是 x",
        ),
        (
            Note.of("needs_probabilities", metric="log_loss"),
            "log loss is not known",
            "对数损失未知",
        ),
        (Note.of("text", text="as it was written"), "as it was written", "as it was written"),
    ],
)
def test_a_note_is_worded_in_the_readers_language(note: Note, english: str, chinese: str) -> None:
    assert english in note_in_words(note)
    with translation.override("zh-hans"):
        assert chinese in note_in_words(note)


def test_no_note_has_no_words() -> None:
    assert note_in_words(None) == ""
