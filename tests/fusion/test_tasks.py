"""Learning tasks: beliefs that multiply, metrics that are those of scikit-learn, and runs that keep
every promise of a run.
"""

import json
import subprocess
import sys
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from scipy.special import softmax
from scipy.stats import multivariate_normal, norm, spearmanr
from sklearn import metrics as sk

import fusion
from fusion.core.progress import Progress, Stopped
from fusion.data.alignment import AlignmentError, folds
from fusion.data.alignment_files import read_alignment, write_alignment
from fusion.data.labels import labels_of
from fusion.data.splits import strata
from fusion.evaluation.external import judge
from fusion.evaluation.prediction_tables import TableError
from fusion.methods import JOINT, build
from fusion.pipeline.run import train
from fusion.schema.protocol import Criterion
from fusion.schema.recipe import RecipeError
from fusion.tasks import task_of
from fusion.tasks.bootstrap import Resampler
from tests.fusion.conftest import relabelled, turned

TASKS = ["ordinal", "regression", "multi-label"]
ALL = ["classification", *TASKS]
METHODS = ["a", *JOINT]
PRIOR = np.log([0.4, 0.3, 0.2, 0.1])


def a_task(name, k=4):
    return task_of(name, [] if name == "regression" else [f"l{i}" for i in range(k)])


def some_labels(name, rng, n=80, k=4):
    """y, as the task encodes it."""
    if name == "regression":
        return rng.normal(2000, 9, n)
    return rng.random((n, k)) < 0.4 if name == "multi-label" else rng.integers(k, size=n)


def some_outputs(task, rng, *shape):
    return rng.normal(size=(*shape, task.width)) + (
        np.array([2000.0, 3.0]) if task.name == "regression" else 0
    )


def test_late_fusion_multiplies_likelihoods_and_not_priors():
    task, outputs = a_task("classification"), np.random.default_rng(0).normal(size=(6, 3, 4))
    mask = np.tile([True, True, False], (6, 1))
    parts = softmax(outputs / 1.5, axis=-1)
    expected = parts[:, 0] * parts[:, 1] / np.exp(PRIOR)
    found = task.predictions(task.product(task.beliefs(outputs, 1.5), mask, PRIOR))
    np.testing.assert_allclose(found, expected / expected.sum(1, keepdims=True))


def test_the_product_of_numbers_is_the_posterior_of_gaussian_readings():
    """Truth N(3, 4); two readings with noise of variance 1 and 0.25: each alone believes its
    posterior, together they hold the joint one.
    """
    task, prior, noise = a_task("regression"), np.array([3.0, np.log(4.0)]), np.array([1.0, 0.25])
    readings = np.array([5.0, 4.0])
    precision = 1 / 4 + 1 / noise
    beliefs = np.stack([(3 / 4 + readings / noise) / precision, -np.log(precision)], -1)[None]
    mean, log_variance = task.product(beliefs, np.ones((1, 2), bool), prior)[0]
    joint = multivariate_normal([3, 3, 3], [[4, 4, 4], [4, 5, 4], [4, 4, 4.25]])
    weights = joint.cov[0, 1:] @ np.linalg.inv(joint.cov[1:, 1:])
    assert mean == pytest.approx(3 + weights @ (readings - 3))
    assert np.exp(log_variance) == pytest.approx(4 - weights @ joint.cov[1:, 0])


@pytest.mark.parametrize("name", ALL)
def test_the_order_of_witnesses_does_not_matter_and_none_at_all_is_the_prior(name):
    rng, task = np.random.default_rng(1), a_task(name)
    prior, outputs, mask = (
        task.prior(some_labels(name, rng)),
        some_outputs(task, rng, 5, 3),
        rng.random((5, 3)) > 0.4,
    )
    mask[0], mask[1] = False, True
    found = task.product(task.beliefs(outputs), mask, prior)
    np.testing.assert_allclose(
        task.product(task.beliefs(outputs[:, ::-1]), mask[:, ::-1], prior), found
    )
    np.testing.assert_allclose(
        task.predictions(found)[0], task.predictions(task.beliefs(prior[None]))[0], rtol=1e-6
    )
    changed = np.where(mask[..., None], outputs, 1e6)
    np.testing.assert_array_equal(task.product(task.beliefs(changed), mask, prior), found)


@pytest.mark.parametrize("name", ALL)
def test_answers_lead_back_to_outputs_and_a_temperature_leaves_what_is_answered(name):
    rng, task = np.random.default_rng(2), a_task(name)
    beliefs = task.beliefs(some_outputs(task, rng, 7))
    np.testing.assert_allclose(
        task.predictions(task.beliefs(task.outputs(task.predictions(beliefs)))),
        task.predictions(beliefs),
        rtol=1e-6,
    )
    warm = task.beliefs(task.outputs(task.predictions(beliefs)), 3.0)
    assert (
        task.named(task.predictions(warm)) == pytest.approx(task.named(task.predictions(beliefs)))
        if name == "regression"
        else True
    )
    assert name == "regression" or task.named(task.predictions(warm)) == task.named(
        task.predictions(beliefs)
    )


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("method", METHODS)
def test_masked_input_cannot_change_what_a_network_says_and_nothing_at_all_is_the_prior(
    method, name
):
    rng, task, dims = np.random.default_rng(3), a_task(name), {"a": 5, "b": 4, "c": 3}
    prior = torch.as_tensor(task.prior(some_labels(name, rng)))
    torch.manual_seed(0)
    net = build(method, dims, prior, 8, 0.3, 0.2, task=name).eval()
    mask = torch.from_numpy(rng.random((9, 3)) > 0.5)
    mask[0] = False
    x = {each: torch.randn(9, dim) for each, dim in dims.items()}
    broken = {
        each: torch.where(mask[:, i, None], values, torch.nan)
        for i, (each, values) in enumerate(x.items())
    }
    with torch.inference_mode():
        outputs, aux = net(x, mask)
        assert torch.equal(net(broken, mask)[0], outputs)
    assert outputs.shape == (9, task.width)
    assert all(each.shape == (9, task.width) for each in aux.values())
    assert torch.equal(outputs[0], prior)


def test_metrics_of_numbers_are_scikit_learns_in_the_sample_and_in_each_draw():
    rng, task = np.random.default_rng(4), a_task("regression")
    y, cluster = rng.normal(50, 4, 60), np.arange(60) // 3
    answers = np.stack([y + rng.normal(size=60), np.full(60, 1.2)], 1)[None]
    resampler = Resampler(cluster, 20)
    scores = task.scores(resampler, y, answers)
    for draw in (0, 7):
        rows = np.repeat(np.arange(60), resampler.weights[draw][cluster])
        said, truth = answers[0, rows], y[rows]
        assert scores.r2[draw] == pytest.approx(sk.r2_score(truth, said[:, 0]))
        assert scores.rmse[draw] == pytest.approx(sk.mean_squared_error(truth, said[:, 0]) ** 0.5)
        assert scores.mae[draw] == pytest.approx(sk.mean_absolute_error(truth, said[:, 0]))
        assert scores.log_loss[draw] == pytest.approx(
            -norm(said[:, 0], said[:, 1]).logpdf(truth).mean()
        )
        assert scores.spearman[draw] == pytest.approx(spearmanr(truth, said[:, 0]).statistic)
        assert scores.coverage_90[draw] == pytest.approx(
            (np.abs(truth - said[:, 0]) <= norm.ppf(0.95) * 1.2).mean()
        )


def test_numbers_of_a_slice_are_held_against_the_variance_of_all():
    """Within a slice of nearly equal numbers, nobody could explain what little they differ by."""
    y = np.concatenate([np.linspace(0, 10, 50), np.full(50, 10.0)])
    answers = np.stack([y + 1, np.ones(100)], 1)[None]
    alike = a_task("regression").scores(
        Resampler(np.arange(100), 20), y, answers, np.arange(100) >= 50
    )
    assert alike.r2[0] == pytest.approx(1 - 1 / y.var())


def test_metrics_of_an_order_are_scikit_learns():
    rng, task = np.random.default_rng(5), a_task("ordinal")
    y, answers = rng.integers(4, size=60), rng.dirichlet(np.ones(4), (1, 60))
    scores, answer = task.scores(Resampler(np.arange(60), 20), y, answers), answers[0].argmax(1)
    rows = np.repeat(np.arange(60), scores.resampler.weights[3])
    assert scores.kappa[3] == pytest.approx(
        sk.cohen_kappa_score(y[rows], answer[rows], weights="quadratic")
    )
    assert scores.mae_steps[0] == pytest.approx(np.abs(y - answer).mean())
    assert scores.macro_f1[0] == pytest.approx(sk.f1_score(y, answer, average="macro"))


def test_metrics_of_sets_are_scikit_learns():
    rng, task = np.random.default_rng(6), a_task("multi-label")
    y, answers = rng.random((60, 4)) < 0.4, rng.random((1, 60, 4))
    scores, answer = task.scores(Resampler(np.arange(60), 20), y, answers), answers[0] > 0.5
    rows = np.repeat(np.arange(60), scores.resampler.weights[3])
    assert scores.macro_f1[3] == pytest.approx(sk.f1_score(y[rows], answer[rows], average="macro"))
    assert scores.micro_f1[3] == pytest.approx(sk.f1_score(y[rows], answer[rows], average="micro"))
    assert scores.exact_match[0] == pytest.approx(sk.accuracy_score(y, answer))
    assert scores.auroc[0] == pytest.approx(sk.roc_auc_score(y, answers[0]))
    assert scores.log_loss[0] == pytest.approx(
        np.mean([sk.log_loss(y[:, k], answers[0, :, k]) for k in range(4)])
    )


class Counting(Progress):
    def __init__(self, stop_after=None):
        self.checks, self.stop_after = 0, stop_after

    def check(self):
        self.checks += 1
        if self.stop_after and self.checks > self.stop_after:
            raise Stopped


def run(aligned, recipe, out, progress=None):
    return train(
        aligned, recipe, out, None, progress or Progress(), checkpoint_seconds=0
    ).model_dump(exclude={"seconds"})


@pytest.fixture(scope="module")
def runs(of_task, small, tmp_path_factory):
    """Task -> alignment, result as data, folder of the bundle, how often the run asked whether to
    stop.
    """

    @cache
    def run_of(task):
        progress, out = Counting(), tmp_path_factory.mktemp(task)
        aligned = of_task(task)
        return aligned, run(aligned, small(), out, progress), out, progress.checks

    return run_of


@pytest.fixture(params=TASKS)
def trained(request, runs):
    return request.param, *runs(request.param)


def test_contributions_add_up_and_every_part_that_fits_the_task_is_there(trained):
    task, aligned, result, _, _ = trained
    parts = result["contributions"]
    assert sum(one["value"] for one in parts["shares"]) == pytest.approx(
        parts["total"] - parts["prior"]
    )
    assert parts["total"] == pytest.approx(result["headline"]["score"]["value"])
    assert result["headline"]["score"] == result["metrics"][result["headline"]["metric"]]
    assert (result["task"], result["labels"]) == (task, aligned.label_order)
    assert bool(result["confusion"]) == (task == "ordinal")
    assert bool(result["against"]) == (task == "regression")
    assert bool(result["per_class"]) == (task != "regression")
    assert {one["name"] for one in result["methods"]} == {"late", "gated"}
    assert len(result["missing"]) == len(result["shortfalls"]) / 2 == len(result["singles"]) == 2


def test_a_run_that_was_stopped_goes_on_to_the_same_figures_in_whatever_order_the_samples_come(
    trained, small, tmp_path
):
    _, aligned, result, _, checks = trained
    with pytest.raises(Stopped):
        run(turned(aligned), small(), tmp_path, Counting(stop_after=checks // 2))
    assert run(aligned, small(), tmp_path) == result


def test_permuting_the_labels_of_the_test_fold_changes_nothing_that_was_chosen(
    trained, small, tmp_path
):
    _, aligned, result, _, _ = trained
    changed = run(relabelled(aligned, "S0"), small(), tmp_path)
    assert changed["environment"]["chosen"]["S0"] == result["environment"]["chosen"]["S0"]
    assert changed["metrics"] != result["metrics"]


FRESH = """
import json, sys, numpy as np, fusion
x = {name: np.linspace(-1, 1, 3 * width).reshape(3, width) for name, width in (("a", 5), ("b", 4))}
bundles = [fusion.load(folder) for folder in sys.argv[1:]]
print(json.dumps([[bundle.predict_features(x, method=method).tolist() for method in ("late", "gated", "a")] for bundle in bundles]))
"""
X = {name: np.linspace(-1, 1, 3 * width).reshape(3, width) for name, width in (("a", 5), ("b", 4))}


def test_a_bundle_answers_the_same_in_a_fresh_process(runs):
    folders = [runs(task)[2] for task in TASKS]
    here = [
        [
            fusion.load(out).predict_features(X, method=method).tolist()
            for method in ("late", "gated", "a")
        ]
        for out in folders
    ]
    done = subprocess.run(
        [sys.executable, "-c", FRESH, *map(str, folders)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == here


def test_a_bundle_answers_for_any_subset(trained):
    bundle = fusion.load(trained[3])
    none = bundle.predict_features(X, np.zeros((3, 2), bool))
    assert none == pytest.approx(
        np.tile(
            bundle.learning_task.predictions(bundle.learning_task.beliefs(bundle.log_prior)), (3, 1)
        )
    )
    one = bundle.predict_features({"a": X["a"]})
    assert one[:, 0] == pytest.approx(bundle.predict_features({"a": X["a"]}, method="a")[:, 0])
    assert np.isfinite(bundle.represent_features(X)).all()


def test_its_own_predictions_judged_as_those_of_a_stranger_give_the_same_figures(trained, tmp_path):
    task, aligned, result, out, _ = trained
    truth = {"key": aligned.keys, "label": aligned.labels, "cluster": aligned.extras["s.writer"]}
    pq.write_table(pa.table(truth), tmp_path / "truth.parquet")
    known = pq.read_table(out / "predictions.parquet")
    kept = set(known["key"].to_pylist())
    rows = [key in kept for key in aligned.keys]
    pq.write_table(pa.table(truth).filter(rows), tmp_path / "truth.parquet")
    found = judge(
        out / "predictions.parquet",
        tmp_path / "truth.parquet",
        draws=100,
        task=task,
        order=aligned.label_order,
    )
    for name, one in found.metrics.items():
        assert one.value == pytest.approx(result["metrics"][name]["value"], rel=1e-4), name
    assert found.headline.gain_over_best_single.value == pytest.approx(
        result["headline"]["gain_over_best_single"]["value"], abs=0.2
    )


@pytest.mark.parametrize(
    ("columns", "task", "words"),
    [
        (
            {"answer": [1.0, 2.0], "spread": [1.0, 0.0]},
            "regression",
            "row 2, column spread: is no positive number",
        ),
        ({"answer": ["high", "low"]}, "regression", "holds string, not numbers"),
        (
            {"probability:red": [0.3, 1.7]},
            "multi-label",
            "row 2, column probability:red: holds 1.7",
        ),
    ],
)
def test_a_strangers_table_is_refused_in_words(columns, task, words, tmp_path):
    labels = {"regression": [1.0, 2.0], "multi-label": [["red"], []]}[task]
    pq.write_table(pa.table({"key": ["a", "b"]} | columns), tmp_path / "P.parquet")
    pq.write_table(pa.table({"key": ["a", "b"], "label": labels}), tmp_path / "T.parquet")
    with pytest.raises(TableError, match=words):
        judge(tmp_path / "P.parquet", tmp_path / "T.parquet", task=task)


@pytest.mark.parametrize("task", ALL)
def test_an_alignment_keeps_its_labels_on_the_way_to_the_disk_and_back(of_task, task, tmp_path):
    aligned = of_task(task)
    write_alignment(aligned, tmp_path / "a.parquet")
    again = read_alignment(tmp_path / "a.parquet")
    assert (again.task, again.labels, again.label_order, again.digest) == (
        task,
        aligned.labels,
        aligned.label_order,
        aligned.digest,
    )


def test_what_is_usual_for_a_column_and_what_it_cannot_be_asked_for():
    assert labels_of([1.5, None], "number", None) == ([1.5, None], "regression", [])
    assert labels_of([["b", "a"], None], "tags", None) == (
        [["a", "b"], None],
        "multi-label",
        ["a", "b"],
    )
    assert labels_of([2.0, 10.0], "number", "ordinal") == (["2", "10"], "ordinal", ["2", "10"])
    assert labels_of(["b", "a"], "label", "ordinal", ["b", "a"])[2] == ["b", "a"]
    with pytest.raises(
        AlignmentError, match="needs the order of its labels, lowest first; a is not in it"
    ):
        labels_of(["b", "a"], "label", "ordinal", ["b"])
    with pytest.raises(
        AlignmentError,
        match="does not fit a label column of kind label: use classification or ordinal",
    ):
        labels_of(["b", "a"], "label", "regression")


def test_splits_keep_numbers_by_tenths_and_sets_by_their_rarest_label(of_task):
    numbers = of_task("regression")
    rows = np.arange(len(numbers))
    order = np.argsort(numbers.labels, kind="stable")
    assert (np.diff(strata(numbers, rows)[order]) >= 0).all()
    assert set(np.bincount(strata(numbers, rows))) <= {10, 11}
    sets = of_task("multi-label")
    large = [i for i, each in enumerate(sets.labels) if "large" in each]
    assert set(strata(sets, rows)[large]) == {sets.label_order.index("large")}
    assert len(folds(numbers)) == len(folds(sets)) == 3


@pytest.mark.parametrize("task", ["regression", "multi-label"])
def test_rules_are_refused_where_an_answer_is_not_one_label(of_task, small, task, tmp_path):
    recipe = small()
    rules = recipe.knowledge.model_validate(
        {"rules": [{"when": "quality = 'poor'", "label": "even"}]}
    )
    with pytest.raises(RecipeError, match=f"speak of one label of several, and this is {task}"):
        train(
            of_task(task),
            recipe.model_copy(update={"knowledge": rules}),
            tmp_path,
            None,
            Progress(),
        )


def test_a_criterion_in_a_metric_of_another_task_is_refused(of_task, small, tmp_path):
    asked = [{"discipline": "VI", "criteria": [{"metric": "accuracy", "at_least": 0.5}]}]
    recipe = small().model_validate(small().model_dump() | {"protocols": asked})
    with pytest.raises(
        RecipeError, match="criterion 1, metric: accuracy is no metric of regression; use r2, rmse"
    ):
        train(of_task("regression"), recipe, tmp_path, None, Progress())
    assert Criterion(metric="r2", at_least=-0.2).bound == -0.2
