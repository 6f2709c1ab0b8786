"""Samples to talk about: wrong labels are found, and reasons say what the modalities said."""

from collections import defaultdict

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.core.progress import Progress
from fusion.data.study import Study
from fusion.data.study_columns import align
from fusion.encoders.cache import Cache
from fusion.evaluation.disagreements import contradiction, disagreements, together
from fusion.pipeline.run import train
from fusion.schema.recipe import Recipe
from fusion.schema.result import EvaluationResult
from fusion.tasks import task_of
from fusion.tasks.predictions import Scored

LABELS = ["one", "two", "three"]
PRIOR = np.log(np.full(3, 1 / 3))
TASK = task_of("classification", LABELS)


def sure_of(label, confidence):
    p = np.full(3, (1 - confidence) / 2)
    p[LABELS.index(label)] = confidence
    return p


def case(truth, **said):
    """One sample; `said`: modality -> (answer, confidence), or None where it is missing."""
    singles = {
        name: np.array([[np.exp(PRIOR) if one is None else sure_of(*one)]])
        for name, one in said.items()
    }
    mask = np.array([[one is not None for one in said.values()]])
    scored = Scored(
        ["S1"],
        np.array([LABELS.index(truth)]),
        mask,
        PRIOR[None],
        np.array(["c"]),
        np.array(["f"]),
        LABELS,
        list(said),
    )
    return disagreements(singles, scored)


def ranks(table, planted):
    """Place, from 1, of each planted key by suspicion."""
    scores = dict(zip(table["key"].to_pylist(), table["suspicion"].to_pylist()))
    order = sorted(scores, key=lambda key: -scores[key])
    return [order.index(key) + 1 for key in planted]


@pytest.mark.parametrize(
    ("truth", "said", "words"),
    [
        ("one", {"a": ("two", 0.9), "b": ("two", 0.7)}, "a and b both say two, the label says one"),
        (
            "one",
            {"a": ("two", 0.9), "b": ("two", 0.7), "c": ("two", 0.8)},
            "a, b and c all say two, the label says one",
        ),
        ("one", {"a": ("two", 0.9), "b": ("one", 0.5)}, "a says two, the label says one"),
        ("one", {"a": ("two", 0.9), "b": None}, "a says two, the label says one"),
    ],
)
def test_the_reason_against_a_label_names_who_says_what(truth, said, words):
    found = case(truth, **said)[0]
    assert (found.kind, str(found.reason)) == ("label", words)


def test_a_missing_modality_says_nothing():
    found = case("one", a=("two", 0.9), b=None)[0]
    assert found.said["b"] is None
    assert found.said["a"].answer == "two"


@pytest.mark.parametrize(
    ("confidence", "words"),
    [(0.9, "a says one, b says three, each sure"), (0.6, "a says one, b says three")],
)
def test_two_modalities_that_contradict_each_other_are_told_with_how_sure_they_are(
    confidence, words
):
    [found] = [
        each
        for each in case("one", a=("one", 0.95), b=("three", confidence))
        if each.kind == "modalities"
    ]
    assert str(found.reason) == words
    assert found.between == ["a", "b"]
    assert found.score == pytest.approx(0.95 * confidence)


def test_where_all_agree_with_the_label_there_is_nothing_to_talk_about():
    assert case("one", a=("one", 0.9), b=("one", 0.4)) == []


@given(st.integers(0, 2**32 - 1), st.integers(2, 5))
def test_suspicion_is_above_zero_exactly_where_another_label_is_likelier(seed, k):
    rng = np.random.default_rng(seed)
    p, y = rng.dirichlet(np.ones(k), size=40), rng.integers(k, size=40)
    assert ((TASK.suspicion(p, y) > 0) == (p.argmax(1) != y)).all()


def test_the_product_is_that_of_the_evidence_and_skips_what_is_missing():
    both = together(
        TASK,
        {"a": sure_of("one", 0.8)[None, None], "b": np.exp(PRIOR)[None, None]},
        np.ones((1, 2), bool),
        PRIOR[None],
    )
    np.testing.assert_allclose(both[0], sure_of("one", 0.8))


def test_one_modality_cannot_contradict_itself():
    assert not [each for each in case("one", a=("two", 0.9)) if each.kind == "modalities"]


@pytest.fixture(scope="module")
def planted(toy, small, tmp_path_factory):
    """A run on two good readings of which five labels were exchanged."""
    clean = toy(n=150, noise=0.5, missing=0.1)
    wrong = [9, 40, 77, 101, 140]
    labels = [
        f"class {(int(label[-1]) + 1) % 3}" if row in wrong else label
        for row, label in enumerate(clean.labels)
    ]
    out = tmp_path_factory.mktemp("planted")
    aligned = toy(n=150, noise=0.5, missing=0.1, labels=labels)
    result = train(aligned, small(epochs=6), out, None, Progress())
    return result, pq.read_table(out / "predictions.parquet"), [clean.keys[row] for row in wrong]


def test_planted_wrong_labels_are_the_most_suspicious(planted):
    _, table, wrong = planted
    assert max(ranks(table, wrong)) <= 10


def test_the_result_ranks_them_as_the_file_does(planted):
    result, table, wrong = planted
    against = [each for each in result.disagreements if each.kind == "label"]
    assert {each.key for each in against[:10]} >= set(wrong)
    scores = defaultdict(set)
    for key, score in zip(table["key"].to_pylist(), table["suspicion"].to_pylist()):
        scores[key].add(score)
    assert all(len(each) == 1 for each in scores.values())
    assert [each.score for each in against] == sorted(
        (each.score for each in against), reverse=True
    )
    assert against[0].score == pytest.approx(max(scores[against[0].key]), rel=1e-5)


def test_a_result_of_an_earlier_time_is_still_read(planted):
    old = planted[0].model_dump(mode="json") | {
        "mistakes": [
            {"key": "T0001", "truth": "a", "answer": "b", "confidence": 0.9, "answers": {}}
        ]
    }
    del old["disagreements"]
    assert EvaluationResult.model_validate(old).disagreements == []


def test_the_order_of_the_modalities_changes_no_contradiction():
    rng = np.random.default_rng(3)
    singles = {name: rng.dirichlet(np.ones(3), size=30) for name in "abc"}
    mask = rng.random((30, 3)) < 0.8
    parts = [
        [f"k{i}" for i in range(30)],
        np.zeros(30, int),
        mask,
        np.tile(PRIOR, (30, 1)),
        np.zeros(30),
        np.zeros(30),
        LABELS,
    ]
    forth, _ = contradiction(singles, Scored(*parts, list("abc")))
    parts[2] = mask[:, ::-1]
    back, _ = contradiction(dict(reversed(singles.items())), Scored(*parts, list("cba")))
    np.testing.assert_array_equal(forth, back)


@pytest.mark.slow
@pytest.mark.study
def test_the_wrong_labels_of_spoken_digits_are_among_the_first_thirty(spoken_digits, tmp_path):
    aligned = align(Study.load(spoken_digits))
    train(aligned, Recipe.default(), tmp_path / "out", Cache(tmp_path / "cache"), Progress())
    rows = [line.split(",") for line in (spoken_digits / "defects.csv").read_text().splitlines()]
    wrong = [row[0] for row in rows if row[1] == "wrong label"]
    assert len(wrong) == 3
    assert max(ranks(pq.read_table(tmp_path / "out" / "predictions.parquet"), wrong)) <= 30
