"""Notes are codes with parameters; those of earlier results are read."""

from typing import get_args

import pytest
from pydantic import ValidationError

from fusion.methods import JOINT as NETWORKS
from fusion.schema.discipline_scores import CriterionScore
from fusion.schema.intervals import Clusters
from fusion.schema.methods import JOINT, METHODS, Method
from fusion.schema.metrics import COMPARED, METRICS, headline_of, metrics_of
from fusion.schema.notes import SENTENCES, Note
from fusion.schema.protocol import Criterion
from fusion.schema.result import Disagreement
from fusion.schema.task_names import TaskName
from fusion.tasks import task_of


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("only 4 clusters, too narrow", Note.of("few_clusters", n="4")),
        ("only one cluster, no interval", Note.of("one_cluster")),
        ("no reference run was given", Note.of("no_reference")),
        ("the model does not read scent", Note.of("text", text="the model does not read scent")),
    ],
)
def test_a_sentence_of_an_earlier_result_is_read_as_a_note(text: str, note: Note) -> None:
    clusters = Clusters.model_validate({"column": None, "n": 4, "draws": 100, "note": text})
    assert clusters.note == note
    assert str(clusters.note) == text
    assert Clusters.model_validate_json(clusters.model_dump_json()) == clusters


def test_a_note_of_an_unknown_code_is_refused() -> None:
    with pytest.raises(ValidationError, match="is no code of a note"):
        Note.of("nonsense")


def test_a_criterion_of_an_earlier_result_is_read() -> None:
    criterion = Criterion(metric="macro_f1", over="image", at_least=0.1)
    stored = {"criterion": criterion.model_dump(), "sentence": "", "over": "image alone"}
    score = CriterionScore.model_validate(stored | {"note": None, "unknown": ""})
    assert (score.over, score.note, score.unknown) == ("image", None, None)


def test_a_stored_reason_of_a_disagreement_is_derived_anew() -> None:
    prediction = {"answer": "two", "confidence": 0.9}
    stored = {
        "key": "k",
        "kind": "label",
        "score": 1.0,
        "truth": "one",
        "answer": "two",
        "said": {"a": prediction, "b": prediction},
        "between": ["a", "b"],
        "reason": "some sentence",
    }
    disagreement = Disagreement.model_validate(stored)
    assert str(disagreement.reason) == "a and b both say two, the label says one"
    assert Disagreement.model_validate_json(disagreement.model_dump_json()) == disagreement


def test_a_note_names_a_metric_by_its_title() -> None:
    assert str(Note.of("needs_probabilities", metric="ece")).startswith("calibration error")
    assert len(SENTENCES) > 20


def test_the_tables_of_methods_and_networks_agree() -> None:
    literals = [name for part in get_args(Method) for name in get_args(part) or [part]]
    assert literals == list(METHODS)
    assert set(NETWORKS) == set(JOINT)


@pytest.mark.parametrize("name", get_args(TaskName))
def test_every_metric_of_a_task_is_computed_and_compared_ones_are_among_them(
    name: TaskName,
) -> None:
    scores = task_of(name).scores_class
    assert all(hasattr(scores, metric) for metric in metrics_of(name))
    assert set(COMPARED[name]) <= set(metrics_of(name)) <= set(METRICS)
    assert not METRICS[headline_of(name)].lower_is_better
