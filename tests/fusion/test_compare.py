"""Runs compared: paired by sample, corrected where there are many, refused where they did not see
the same samples.
"""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.__main__ import main
from fusion.core.progress import Progress
from fusion.evaluation.compare import Answered, CannotCompare, compare, holm, read
from fusion.pipeline.run import train
from fusion.schema.recipe import Recipe

LABELS = ["a", "b", "c"]


def answered(name, skill, seed=0, n=300, truth_seed=0, **changes):
    """A run that is right on a share `skill` of samples, with the same truth whatever its seed."""
    y = np.random.default_rng(truth_seed).integers(3, size=n)
    rng = np.random.default_rng([truth_seed, seed])
    answers = np.where(rng.random(n) < skill, y, (y + 1) % 3)
    p = np.full((1, n, 3), 0.1)
    p[0, np.arange(n), answers] = 0.8
    keys = [f"s{i:03d}" for i in range(n)]
    given = {
        "keys": keys,
        "truth": [LABELS[k] for k in y],
        "labels": LABELS,
        "probabilities": p,
        "cluster": [f"c{i % 100}" for i in range(n)],
    }
    return Answered(name, **(given | changes))


def test_a_better_run_is_clearly_better_and_a_worse_one_clearly_worse():
    found = compare(
        [
            answered("old", 0.7),
            answered("new", 0.9, 1),
            answered("bad", 0.4, 2),
            answered("same", 0.63, 4),
        ]
    )
    verdicts = {
        run.name: {metric: each.verdict for metric, each in run.differences.items()}
        for run in found.runs
    }
    assert verdicts["old"] == {}
    assert set(verdicts["new"].values()) - {"no clear difference"} == {
        "clearly better"
    }  # also of log loss, where lower is better
    assert verdicts["new"]["macro_f1"] == verdicts["new"]["log_loss"] == "clearly better"
    assert verdicts["bad"]["macro_f1"] == verdicts["bad"]["log_loss"] == "clearly worse"
    assert verdicts["same"]["macro_f1"] == "no clear difference"
    assert (found.reference, found.n, found.clusters.n, found.corrected) == ("old", 300, 100, 3)


def test_the_difference_is_that_of_the_figures_and_narrower_than_if_it_were_not_paired():
    one, two = answered("one", 0.8), answered("two", 0.85)
    reference, other = compare([one, two], "one").runs
    difference = other.differences["accuracy"]
    assert difference.value == pytest.approx(
        other.metrics["accuracy"].value - reference.metrics["accuracy"].value
    )
    assert (
        difference.high - difference.low
        < other.metrics["accuracy"].high - other.metrics["accuracy"].low
    )


def test_the_interval_of_a_difference_covers_the_truth_about_95_times_in_100():
    """Two runs whose chances differ by writer, 50 writers: the true difference in
    accuracy is .1.
    """
    covered, rng = 0, np.random.default_rng(8)
    keys, cluster = [f"{i:03d}" for i in range(250)], [f"w{i // 5:02d}" for i in range(250)]
    for _ in range(200):
        skill = np.repeat(np.clip(rng.normal(0.7, 0.1, size=50), 0, 0.9), 5)
        luck = rng.random(250)
        runs = [
            Answered(
                name,
                keys,
                ["a"] * 250,
                ["a", "b"],
                np.eye(2)[(luck >= skill + more).astype(int)][None],
                cluster,
            )
            for name, more in (("old", 0.0), ("new", 0.1))
        ]
        difference = compare(runs, draws=300).runs[1].differences["accuracy"]
        covered += difference.low <= 0.1 <= difference.high
    assert 0.90 <= covered / 200 <= 0.99


def test_a_run_does_not_differ_from_itself_in_another_order():
    one = answered("one", 0.8)
    turn = np.random.default_rng(1).permutation(300)
    turned = dataclasses.replace(
        one,
        name="two",
        keys=[one.keys[i] for i in turn],
        truth=[one.truth[i] for i in turn],
        cluster=None,
        labels=LABELS[::-1],
        probabilities=one.probabilities[:, turn, ::-1],
    )
    assert compare([one, turned]).runs[1].differences
    for difference in compare([one, turned]).runs[1].differences.values():
        assert (difference.value, difference.low, difference.high, difference.p) == pytest.approx(
            (0, 0, 0, 1)
        )


def test_many_comparisons_of_runs_that_do_not_differ_rarely_find_a_difference():
    wrong = 0
    for seed in range(12):
        runs = [
            answered("reference", 0.75, 0, 200, seed),
            *(answered(f"{i}", 0.75, i, 200, seed) for i in range(1, 9)),
        ]
        found = compare(runs, draws=300)
        wrong += any(
            run.differences["macro_f1"].verdict != "no clear difference" for run in found.runs[1:]
        )
    assert (
        wrong <= 3
    )  # without correction about half of them: 1 - .95 ** 8 = .34 for independent ones


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_never_lowers_a_p_keeps_their_order_and_is_bounded_by_bonferroni(p):
    found = holm(p)
    assert all(
        one <= corrected <= min(1, len(p) * one) + 1e-12 or corrected == max(found)
        for one, corrected in zip(p, found)
    )
    assert all(one <= corrected for one, corrected in zip(p, found))
    assert [found[i] for i in np.argsort(p, kind="stable")] == sorted(found)


def test_holm_as_in_a_textbook():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_no_learning_task_needs_more_than_numpy_to_be_compared():
    """The web process does it, see tests/consilience/test_web_process.py."""
    script = """
import sys, numpy as np
from fusion.evaluation.compare import Answered, compare
keys, labels = [str(i) for i in range(40)], ["a", "b"]
p = np.random.default_rng(0).dirichlet(np.ones(2), size=(1, 40))
for task, truth in (("classification", labels * 20), ("ordinal", labels * 20), ("multi-label", [["a"], ["b"]] * 20), ("regression", [float(i) for i in range(40)])):
    compare([Answered(name, keys, truth, [] if task == "regression" else labels, p, keys, task=task) for name in ("one", "two")])
print(sorted({name.split(".")[0] for name in sys.modules} & {"scipy", "sklearn", "torch", "pyarrow"}))
"""
    assert (
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )


def test_runs_on_other_samples_are_refused_in_words():
    one, two = answered("one", 0.8), answered("two", 0.8, n=297)
    with pytest.raises(
        CannotCompare,
        match=r"samples: 3 were tested by one alone and 0 by two alone \(the first: s297\)\.",
    ):
        compare([one, two])
    moved = dataclasses.replace(one, name="two", keys=["x", *one.keys[1:]])
    with pytest.raises(
        CannotCompare,
        match=r"1 were tested by one alone and 1 by two alone \(the first: s000\)",
    ):
        compare([one, moved])


def test_runs_by_other_labels_are_refused_in_words():
    one = answered("one", 0.8)
    other = dataclasses.replace(
        one, name="two", truth=["a" if one.truth[0] != "a" else "b", *one.truth[1:]]
    )
    with pytest.raises(
        CannotCompare,
        match=f"The label of s000 is {one.truth[0]} in one and {other.truth[0]} in two",
    ):
        compare([one, other])


@pytest.fixture(scope="module")
def folders(toy, small, tmp_path_factory):
    """A run, and one that reads `b` alone."""
    out = tmp_path_factory.mktemp("runs")
    train(toy(), small(), out / "both", None, Progress())
    train(
        toy(),
        Recipe.parse(small().model_dump() | {"modalities": ["b"]}),
        out / "alone",
        None,
        Progress(),
    )
    train(toy(n=60), small(), out / "few", None, Progress())
    return out


def test_by_command_the_gain_over_an_input_alone_is_found_again(folders, capsys):
    assert (
        main(
            [
                "compare",
                str(folders / "both"),
                str(folders / "alone"),
                "--reference",
                str(folders / "alone"),
                "--json",
            ]
        )
        == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert (found["clusters"]["n"], found["reference"]) == (36, str(folders / "alone"))
    both = next(run for run in found["runs"] if run["name"].endswith("both"))
    values = {run["name"]: run["metrics"]["macro_f1"]["value"] for run in found["runs"]}
    assert both["differences"]["macro_f1"]["value"] == pytest.approx(
        values[str(folders / "both")] - values[str(folders / "alone")]
    )
    assert main(["compare", str(folders / "both"), str(folders / "alone")]) == 0
    text = capsys.readouterr().out
    assert "macro-F1" in text
    assert "reference" in text


def test_a_criterion_may_ask_a_difference_to_a_reference_run(toy, small, folders, tmp_path):
    asked = [{"metric": "macro_f1", "over": "reference run", "at_least": -0.02, "min_n": 5}]
    own = Recipe.parse(
        small().model_dump() | {"protocols": [{"discipline": "ML", "criteria": asked}]}
    )
    reference = read(folders / "alone" / "predictions.parquet", "run 1")
    result = train(toy(), own, tmp_path, None, Progress(), reference=reference)
    expected = (
        compare([reference, read(tmp_path / "predictions.parquet", "this")], draws=100)
        .runs[1]
        .differences["macro_f1"]
    )
    [criterion] = result.protocols[0].criteria
    assert criterion.over == "run 1"
    assert (criterion.value.value, criterion.value.low) == pytest.approx(
        (expected.value, expected.low)
    )
    [criterion] = (
        train(
            toy(),
            own,
            tmp_path,
            None,
            Progress(),
            reference=read(folders / "few" / "predictions.parquet", "old"),
        )
        .protocols[0]
        .criteria
    )
    assert criterion.unknown.code == "samples_differ"


def test_by_command_other_samples_are_refused(folders, capsys):
    assert main(["compare", str(folders / "both"), str(folders / "few")]) == 2
    assert "tested by" in capsys.readouterr().err
    assert main(["compare", str(folders / "both")]) == 2
    assert "at least two runs" in capsys.readouterr().err
