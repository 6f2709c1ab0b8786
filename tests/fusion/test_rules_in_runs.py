"""Rules in whole runs: a false one hurts and is said to, a true one does not, one that knows what
the inputs lack helps.
"""

import dataclasses
import warnings

import numpy as np
import pytest

from fusion.core.progress import Progress, Stopped
from fusion.data.alignment import Aligned, Cell, Modality
from fusion.data.alignment_files import read_alignment, write_alignment
from fusion.pipeline.bundle import BundleError
from fusion.pipeline.bundle_files import load
from fusion.pipeline.evaluate_bundle import score
from fusion.pipeline.knowledge_use import RulesNotApplied, settled
from fusion.pipeline.run import train
from fusion.schema.recipe import Recipe, RecipeError


def study(seed: int = 0, n: int = 240) -> Aligned:
    """Four labels. `view` is a good input that a third of the samples lack, `note` a poor one;
    m.colour is red for a and b alone.
    """
    rng = np.random.default_rng(seed)
    y = rng.integers(4, size=n)
    gone = rng.random(n) < 0.35
    view = np.eye(4)[y] * 2 + rng.normal(scale=0.7, size=(n, 4))
    note = np.eye(4)[y] * 0.4 + rng.normal(size=(n, 4))
    cells = [None if lost else Cell.numbers(row.tolist()) for row, lost in zip(view, gone)]
    return Aligned(
        keys=[f"K{i:03d}" for i in range(n)],
        labels=["abcd"[k] for k in y],
        modalities={
            "view": Modality("table", cells),
            "note": Modality("table", [Cell.numbers(row.tolist()) for row in note]),
        },
        groups={"m.site": [f"S{i % 3}" for i in range(n)]},
        extras={
            "m.unit": [f"U{i % 60}" for i in range(n)],
            "m.colour": ["red" if k < 2 else "blue" for k in y],
            "m.seen": ["no" if lost else "yes" for lost in gone],
            "m.size": rng.normal(size=n).tolist(),
            "m.secret": ["wxyz"[k] for k in y],
        },
        cluster="m.unit",
        label="m.label",
    )


POOR = {
    "name": "red",
    "when": "colour = 'red' and seen = 'no'",
    "label_in": ["a", "b"],
    "hard": True,
}
FALSE = {"name": "wrong", "when": "m.size > 0", "label": "d", "weight": 4}
TRUE = {"name": "colours", "when": "m.colour = 'blue'", "label_in": ["c", "d"]}


def recipe(rules, **changes):
    training = {
        "seeds": [0],
        "epochs": 6,
        "patience": 6,
        "hidden_dim": 8,
        "inner_folds": 1,
        "dropout": 0.1,
        "input_dropout": 0.1,
    }
    evaluation = {"draws": 200, "degradation": False}
    return Recipe.parse(
        {"training": training, "evaluation": evaluation, "knowledge": {"rules": rules} | changes}
    )


def run(out, rules, aligned=None, **changes):
    return train(aligned or study(), recipe(rules, **changes), out, None, Progress())


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return run(tmp_path_factory.mktemp("plain"), [])


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    out = tmp_path_factory.mktemp("poor")
    return run(out, [POOR]), out


def figures(result):
    return result.model_dump(exclude={"seconds", "rules", "environment"})


def without_shares(result):
    """The rules are one more player, even one that adds nothing."""
    return {name: value for name, value in figures(result).items() if name != "contributions"}


def test_a_rule_helps_where_an_input_is_missing(bundle, plain):
    [rule] = bundle[0].rules
    assert rule.n_covered == sum(
        c == "red" and s == "no"
        for c, s in zip(study().extras["m.colour"], study().extras["m.seen"])
    )
    assert (rule.labels_obey.value, rule.answers_obey.value, rule.n_answers_break) == (1, 1, 0)
    assert rule.answers_obey_without.value < 0.95
    assert rule.effect.verdict == "helps"
    assert rule.effect.accuracy.change.value > 0.1
    assert rule.effect.score.without == plain.headline.score


def test_a_false_rule_is_reported_as_hurting(tmp_path):
    [rule] = run(tmp_path, [FALSE]).rules
    assert rule.effect.verdict == "hurts"
    assert rule.effect.score.change.high < 0
    assert rule.labels_obey.value < 0.4
    assert rule.n_labels_break == len(rule.labels_break) > 50
    assert rule.answers_obey.value > rule.answers_obey_without.value


def test_a_false_rule_hurts_by_training_alone(tmp_path):
    [rule] = run(tmp_path, [FALSE | {"weight": 8}], use="training").rules
    assert rule.effect.verdict == "hurts"


@pytest.mark.parametrize("seed", [1, 2])
def test_a_true_rule_does_not_hurt_beyond_noise(tmp_path, seed):
    [rule] = run(tmp_path, [TRUE], study(seed)).rules
    assert rule.labels_obey.value == 1
    assert rule.effect.verdict != "hurts"


def test_rules_that_are_off_change_nothing(tmp_path, plain):
    result = run(tmp_path, [FALSE], use="off")
    assert (figures(result), result.rules) == (figures(plain), [])


def test_a_rule_that_never_speaks_changes_nothing(tmp_path, plain):
    result = run(tmp_path, [FALSE | {"when": "m.size > 99"}])
    assert without_shares(result) == without_shares(plain)
    assert [one.value for one in result.contributions.shares] == pytest.approx(
        [*(one.value for one in plain.contributions.shares), 0]
    )
    [rule] = result.rules
    assert (rule.n_covered, rule.effect.verdict, rule.effect.accuracy) == (
        0,
        "no clear difference",
        None,
    )


def test_at_prediction_alone_a_rule_needs_no_training(tmp_path, plain, monkeypatch):
    monkeypatch.setattr("fusion.pipeline.ablation.CrossFit", None)
    [rule] = run(tmp_path, [POOR], use="prediction").rules
    assert rule.effect.score.without == plain.headline.score


def test_a_run_with_rules_that_was_stopped_goes_on_to_the_same_figures(tmp_path, bundle):
    class Impatient(Progress):
        def step(self, done, total, unit=""):
            if "without a rule" in unit and done * 2 > total:
                raise Stopped

    with pytest.raises(Stopped):
        train(study(), recipe([POOR]), tmp_path, None, Impatient(), checkpoint_seconds=0)
    again = run(tmp_path, [POOR])
    assert (figures(again), again.rules) == (figures(bundle[0]), bundle[0].rules)


def test_a_bundle_obeys_a_hard_rule_with_any_inputs(bundle):
    model = load(bundle[1])
    features = {"note": np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)}
    columns = {"m.colour": ["red", "red", "blue", "red", None], "m.seen": ["no"] * 4 + ["no"]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        p = model.predict_features(features, columns=columns)
    plain = model.without_rules(features)
    assert p[:2, 2:].max() == 0
    assert np.allclose(p.sum(1), 1)
    assert np.array_equal(p[[2, 4]], plain[[2, 4]])
    assert np.allclose(p[0, :2], plain[0, :2] / plain[0, :2].sum())


def test_a_bundle_says_which_rules_it_could_not_apply(bundle):
    model, features = load(bundle[1]), {"note": np.zeros((2, 4), np.float32)}
    with pytest.warns(RulesNotApplied, match="Answered without the rule red: it needs m.seen."):
        p = model.predict_features(features, columns={"m.colour": ["red", "red"]})
    assert np.array_equal(p, model.without_rules(features))
    with pytest.raises(BundleError, match="3 values for 2 samples"):
        model.predict_features(features, columns={"m.colour": ["red"] * 3, "m.seen": ["no"] * 3})


def test_a_bundle_that_is_judged_elsewhere_keeps_its_rules(bundle):
    [rule] = score(load(bundle[1]), study(seed=9), None, Progress()).rules
    assert (rule.answers_obey.value, rule.effect) == (1, None)
    assert rule.n_covered > 20


def test_the_rules_of_the_study_are_added_to_those_of_the_recipe():
    aligned = dataclasses.replace(
        study(), knowledge={"rules": [TRUE, POOR], "broader": {"a": "low"}}
    )
    found = settled(recipe([POOR], broader={"b": "low"}), aligned).knowledge
    assert [rule.when for rule in found.rules] == [
        'm.colour = "red" and m.seen = "no"',
        'm.colour = "blue"',
    ]
    assert found.broader == {"a": "low", "b": "low"}


def test_an_alignment_file_carries_the_knowledge_of_its_study(tmp_path):
    plain = study()
    aligned = dataclasses.replace(plain, knowledge={"rules": [TRUE]})
    write_alignment(aligned, tmp_path / "a.parquet")
    again = read_alignment(tmp_path / "a.parquet")
    assert (again.knowledge, again.digest) == (aligned.knowledge, aligned.digest)
    assert aligned.digest != plain.digest
    assert "knowledge" not in plain.manifest()


@pytest.mark.parametrize(
    ("rules", "changes", "words"),
    [
        (
            [TRUE, {"when": "m.secret = 'w'", "label": "a"}],
            {},
            r"rule 2 .*m.secret alone determines the label \(100%",
        ),
        (
            [{"when": "m.size > 1 and m.label = 'a'", "label": "a"}],
            {},
            "column 16: m.label holds the label itself",
        ),
        ([TRUE, {"when": "m.sise > 1", "label": "a"}], {}, "rule 2 .*column 1: .*m.sise.*m.size"),
        ([{"when": "m.size > 1", "label": "e"}], {}, "e is not among the allowed labels"),
        ([], {"broader": {"e": "odd"}}, "odd has no label under it"),
        (
            [],
            {"order": ["a", "b", "c"]},
            "knowledge.order must name every label once; d is missing",
        ),
    ],
)
def test_knowledge_that_does_not_fit_the_data_is_refused_in_words(rules, changes, words):
    with pytest.raises(RecipeError, match=words):
        settled(recipe(rules, **changes), study())


def test_an_order_and_concepts_are_learnt_in_a_run(tmp_path):
    result = run(
        tmp_path,
        [],
        order=["a", "b", "c", "d"],
        broader={"a": "low", "b": "low", "c": "high", "d": "high"},
    )
    assert result.rules == []
    assert load(tmp_path).recipe.knowledge.order == ["a", "b", "c", "d"]


def test_rules_are_one_more_player_and_the_shares_still_add_up(bundle, plain):
    parts = bundle[0].contributions
    assert [one.modality for one in parts.shares] == ["note", "view", "rules at prediction"]
    assert sum(one.value for one in parts.shares) == pytest.approx(parts.total - parts.prior)
    assert parts.total == bundle[0].headline.score.value
    assert parts.prior == plain.contributions.prior
    assert parts.shares[2].value > 0
    assert all(len(one.shares) == 3 for one in parts.per_class)
    assert len(plain.contributions.shares) == 2
