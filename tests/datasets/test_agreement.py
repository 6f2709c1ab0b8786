"""Cohen's kappa and contradictions of uploaded annotations."""

import random
from typing import Any

import pytest
from django.test import Client
from sklearn.metrics import cohen_kappa_score

from apps.datasets.agreement import agreement_of, kappa
from tests.made import make_version

pytestmark = pytest.mark.django_db


def said(team: Any, rows: list[tuple[str, str, str | None]]) -> Any:
    columns = {
        "sample_id": ("id", [row[0] for row in rows]),
        "annotator": ("category", [row[1] for row in rows]),
        "label": ("label", [row[2] for row in rows]),
    }
    return make_version(team.speech, "readings", columns, kind="annotation")


def test_kappa_is_that_of_scikit_learn(team: Any) -> None:
    dice = random.Random(1)
    truth = [dice.choice("abcd") for _n in range(200)]
    people = {
        who: [y if dice.random() < share else dice.choice("abcd") for y in truth]
        for who, share in (("Ann", 0.9), ("Bo", 0.6), ("Cai", 0.3))
    }
    version = said(
        team,
        [
            (f"S{n:03}", who, label)
            for who, labels in people.items()
            for n, label in enumerate(labels)
        ],
    )
    found = agreement_of(version)
    for pair in found.pairs:
        assert pair.kappa == pytest.approx(
            cohen_kappa_score(people[pair.first], people[pair.second])
        )
        assert pair.n == 200
    assert len(found.pairs) == 3


def test_kappa_is_unknown_where_chance_alone_agrees() -> None:
    assert kappa({("a", "a"): 5}) is None
    assert kappa({}) is None


def test_only_samples_that_both_labelled_count(team: Any) -> None:
    version = said(
        team,
        [
            ("A", "Ann", "x"),
            ("A", "Bo", "x"),
            ("B", "Ann", "y"),
            ("B", "Bo", "y"),
            ("C", "Ann", "x"),
            ("D", "Bo", None),
        ],
    )
    found = agreement_of(version)
    assert [(pair.first, pair.second, pair.n, pair.kappa) for pair in found.pairs] == [
        ("Ann", "Bo", 2, 1.0)
    ]
    assert (found.n_samples, found.n_several, found.n_contradicted) == (3, 2, 0)


def test_the_most_divided_sample_comes_first(team: Any) -> None:
    rows = [
        ("A", "Ann", "x"),
        ("A", "Bo", "x"),
        ("A", "Cai", "y"),
        ("B", "Ann", "x"),
        ("B", "Bo", "y"),
        ("B", "Cai", "z"),
        ("C", "Ann", "x"),
        ("C", "Bo", "x"),
    ]
    found = agreement_of(said(team, rows))
    assert [one.key for one in found.contradictions] == ["B", "A"]
    assert found.contradictions[0].labels == [("Ann", "x"), ("Bo", "y"), ("Cai", "z")]


def test_agreement_by_label_names_the_weakest_first(team: Any) -> None:
    rows = [
        (key, who, label)
        for key, labels in (("A", "xx"), ("B", "xx"), ("C", "yx"), ("D", "yy"))
        for who, label in zip(("Ann", "Bo"), labels)
    ]
    labels = agreement_of(said(team, rows)).labels
    assert [(one.label, round(one.share, 3)) for one in labels] == [("y", 0.667), ("x", 0.8)]


def test_the_page_is_for_annotations_alone(client: Client, team: Any) -> None:
    make_version(team.vision, "plain", {"sample_id": ("id", ["A"]), "note": ("text", ["x"])})
    client.force_login(team.viewer)
    assert client.get("/p/digits/data/plain/agreement/").status_code == 404
