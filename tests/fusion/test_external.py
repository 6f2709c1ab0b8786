"""A model trained elsewhere: its predictions are judged by the code that judges every run."""

import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn import metrics as sk

from fusion.__main__ import main
from fusion.core.progress import Progress
from fusion.evaluation.external import judge
from fusion.evaluation.prediction_tables import TableError
from fusion.pipeline.run import train
from fusion.schema.result import SCHEMA_VERSION, EvaluationResult

LABELS = ["cat", "dog", "owl"]


def handed_in(n=120, seed=0):
    """Columns of predictions, columns of the truth, and the same as arrays."""
    rng = np.random.default_rng(seed)
    y = rng.integers(3, size=n)
    p = (
        rng.dirichlet(np.ones(3), size=n) * 0.5
        + 0.5 * np.eye(3)[np.where(rng.random(n) < 0.7, y, rng.integers(3, size=n))]
    )
    keys = [f"s{i:03d}" for i in range(n)]
    predictions = {"key": keys} | {
        f"probability:{label}": p[:, k] for k, label in enumerate(LABELS)
    }
    alone = [
        None if i % 7 == 0 else LABELS[k]
        for i, k in enumerate(np.where(rng.random(n) < 0.5, y, rng.integers(3, size=n)))
    ]
    predictions["single:image"] = alone
    truth = {
        "key": keys,
        "label": [LABELS[k] for k in y],
        "cluster": [f"c{i % 40}" for i in range(n)],
    }
    truth["site"] = ["north" if i % 3 else "south" for i in range(n)]
    return predictions, truth, y, p


@pytest.fixture
def write(tmp_path):
    def write(predictions, truth):
        paths = tmp_path / "P.parquet", tmp_path / "T.parquet"
        for path, columns in zip(paths, (predictions, truth)):
            pq.write_table(pa.table(columns), path)
        return paths

    return write


def test_its_figures_are_scikit_learns_whatever_the_order_of_the_rows(write):
    predictions, truth, y, p = handed_in()
    turned = {name: list(values)[::-1] for name, values in predictions.items()}
    result = judge(*write(turned, truth))
    assert result.headline.score.value == pytest.approx(
        sk.f1_score(y, p.argmax(1), average="macro")
    )
    assert result.metrics["log_loss"].value == pytest.approx(sk.log_loss(y, p))
    assert result.metrics["auroc"].value == pytest.approx(sk.roc_auc_score(y, p, multi_class="ovr"))
    assert (result.clusters.column, result.clusters.n) == ("cluster", 40)
    assert {(one.column, one.value, one.n) for one in result.subgroups} == {
        ("site", "north", 80),
        ("site", "south", 40),
    }
    assert set(result.subgroups[0].metrics) == set(result.metrics)


def test_what_the_tables_do_not_tell_is_absent(write):
    predictions, truth, *_ = handed_in()
    result = judge(*write(predictions, truth))
    assert (result.contributions, result.missing, result.degradation, result.disagreements) == (
        None,
        [],
        [],
        [],
    )
    assert result.calibration.before is None
    assert (result.split.policy, result.split.folds[0].n_train) == ("trained elsewhere", None)
    [image] = result.singles
    assert (image.score, image.temperature, result.headline.gain_over_best_single) == (
        None,
        None,
        None,
    )  # the prior is unknown
    assert image.n_present == 102
    assert EvaluationResult.model_validate(json.loads(result.model_dump_json())) == result


def test_a_prior_stands_for_an_absent_modality_and_makes_the_gain_known(write):
    predictions, truth, y, p = handed_in()
    result = judge(*write(predictions | {"prior": ["cat"] * 120}, truth))
    alone = [one or "cat" for one in predictions["single:image"]]
    expected = sk.f1_score(y, p.argmax(1), average="macro") - sk.f1_score(
        truth["label"], alone, average="macro"
    )
    assert result.headline.gain_over_best_single.value == pytest.approx(expected)
    assert result.headline.gain_over_best_single.over == "image"


def test_answers_alone_have_no_metric_that_needs_probabilities(write):
    predictions, truth, y, p = handed_in()
    result = judge(
        *write({"key": predictions["key"], "answer": [LABELS[k] for k in p.argmax(1)]}, truth)
    )
    assert result.metrics["accuracy"].value == pytest.approx(sk.accuracy_score(y, p.argmax(1)))
    assert (
        set(result.metrics)
        == set(result.subgroups[0].metrics)
        == {"macro_f1", "accuracy", "balanced_accuracy"}
    )
    assert (result.headline.ece, result.calibration, result.modalities) == (None, None, [])


def test_samples_without_a_label_and_answers_without_a_truth_are_counted(write):
    predictions, truth, *_ = handed_in()
    truth = {name: list(values)[:100] for name, values in truth.items()}
    truth["label"][3] = None
    result = judge(*write(predictions, truth))
    assert (result.n_total, result.n_samples, result.left_out) == (
        120,
        99,
        {"no label": 1, "no truth": 20},
    )


def test_several_seeds_are_averaged_and_each_is_shown(write):
    predictions, truth, y, p = handed_in()
    worse = np.roll(p, 1, axis=0)
    both = {"key": predictions["key"] * 2, "seed": [5] * 120 + [2] * 120}
    both |= {
        f"probability:{label}": np.concatenate([p[:, k], worse[:, k]])
        for k, label in enumerate(LABELS)
    }
    result = judge(*write(both, truth))
    scores = {one.seed: one.score for one in result.seeds}
    assert scores == pytest.approx(
        {seed: sk.f1_score(y, one.argmax(1), average="macro") for seed, one in ((5, p), (2, worse))}
    )
    assert result.headline.score.value == pytest.approx(np.mean(list(scores.values())))


def cell(columns, name, row, value):
    values = list(columns[name])
    values[row] = value
    return columns | {name: values}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda p, t: (cell(p, "probability:dog", 4, 1.5), t),
            "P.parquet, row 5, column probability:dog: holds 1.5",
        ),
        (
            lambda p, t: (cell(p, "probability:dog", 4, None), t),
            "P.parquet, row 5, column probability:dog: is empty",
        ),
        (
            lambda p, t: (cell(p, "probability:dog", 4, 0.999), t),
            "P.parquet, row 5: the probabilities sum to",
        ),
        (
            lambda p, t: (p | {"probability:dog": ["high"] * 120}, t),
            "P.parquet, column probability:dog: holds string, not numbers",
        ),
        (
            lambda p, t: (cell(p, "key", 4, "s003"), t),
            "P.parquet, row 5, column key: sample s003 is answered twice",
        ),
        (lambda p, t: (cell(p, "key", 4, None), t), "P.parquet, row 5, column key: is empty"),
        (
            lambda p, t: (cell(p, "single:image", 4, "cow"), t),
            "P.parquet, row 5, column single:image: holds cow, which is not among",
        ),
        (
            lambda p, t: ({"key": p["key"]}, t),
            "P.parquet: has neither columns probability:LABEL nor a column answer",
        ),
        (lambda p, t: ({"sample": p["key"]}, t), "P.parquet: has no column key; it has sample"),
        (
            lambda p, t: ({name: v[:90] for name, v in p.items()}, t),
            "no answer for 30 of 120 labelled samples of T.parquet, the first is s090",
        ),
        (
            lambda p, t: (p, cell(t, "label", 8, "cow")),
            "T.parquet, row 9, column label: P.parquet has no probability for cow",
        ),
        (
            lambda p, t: (p, cell(t, "key", 8, "s001")),
            "T.parquet, row 9, column key: sample s001 is there twice",
        ),
        (
            lambda p, t: (p, t | {"label": ["cat"] * 120}),
            "T.parquet, column label: needs at least two different labels",
        ),
        (
            lambda p, t: (p | {"seed": [0] * 119 + [1]}, t),
            "P.parquet: seed 0 does not answer sample s119, which another seed answers",
        ),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_file_row_and_column(write, change, words):
    predictions, truth, *_ = handed_in()
    with pytest.raises(TableError) as refused:
        judge(*write(*change(predictions, truth)))
    assert words in str(refused.value)


def test_the_gain_cannot_be_over_a_modality_that_does_not_answer_everything(write):
    predictions, truth, *_ = handed_in()
    with pytest.raises(TableError, match="no single modality answers every sample"):
        judge(*write(predictions, truth), best="image")


def test_the_command_writes_the_result_and_names_what_is_wrong(write, tmp_path, capsys):
    predictions, truth, *_ = handed_in()
    paths = write(predictions, truth)
    told = ["evaluate", "--predictions", str(paths[0]), "--truth", str(paths[1])]
    assert main([*told, "--name", "theirs", "--out", str(tmp_path / "R.json")]) == 0
    stored = EvaluationResult.model_validate_json((tmp_path / "R.json").read_text())
    printed = json.loads(capsys.readouterr().out)
    assert (stored.method, printed["method"], stored.schema_version) == (
        "theirs",
        "theirs",
        SCHEMA_VERSION,
    )
    assert main(told[:3]) == 2
    assert (
        "Give a bundle and a study folder, or --predictions and --truth" in capsys.readouterr().err
    )
    assert main([*told[:-1], str(tmp_path / "none.parquet")]) == 2
    assert "none.parquet cannot be read" in capsys.readouterr().err


def test_a_runs_own_predictions_are_judged_as_the_run_judged_itself(toy, small, tmp_path):
    aligned = toy(missing=0)  # two samples that lack everything would be duplicates of each other
    result = train(aligned, small(), tmp_path / "out", None, Progress())
    truth = tmp_path / "truth.parquet"
    columns = {
        "key": aligned.keys,
        "label": aligned.labels,
        "cluster": aligned.extras["s.writer"],
        "s.site": aligned.groups["s.site"],
    }
    pq.write_table(pa.table(columns), truth)
    again = judge(
        tmp_path / "out" / "predictions.parquet",
        truth,
        best=result.headline.gain_over_best_single.over,
        draws=100,
    )
    for name, one in result.metrics.items():
        tolerance = (
            0.02 if name == "auroc" else 1e-6
        )  # float32 ties scores that float64 tells apart
        assert again.metrics[name].model_dump() == pytest.approx(one.model_dump(), abs=tolerance)
    assert again.headline.gain_over_best_single.model_dump() == pytest.approx(
        result.headline.gain_over_best_single.model_dump()
    )
    assert [fold.score for fold in again.split.folds] == pytest.approx(
        [fold.score for fold in result.split.folds]
    )


def test_judging_loads_no_torch(write):
    predictions, truth, *_ = handed_in()
    script = """
import sys
from fusion.__main__ import main
main(["evaluate", "--predictions", sys.argv[1], "--truth", sys.argv[2]])
print(sorted({"torch", "transformers"} & set(sys.modules)))
"""
    paths = map(str, write(predictions, truth))
    done = subprocess.run(
        [sys.executable, "-c", script, *paths], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
