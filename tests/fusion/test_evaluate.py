"""The evaluation: every figure as scikit-learn has it, every interval as wide as it should be."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from sklearn import metrics as sk

from fusion.evaluation.contributions import contributions, shapley
from fusion.evaluation.robustness import degradation, missing
from fusion.evaluation.subgroups import repeats, subgroups
from fusion.methods.late import late_predictions
from fusion.schema.intervals import Interval
from fusion.schema.notes import Note
from fusion.tasks import metric_sums
from fusion.tasks.bootstrap import Resampler, cluster_note, interval, verdict
from fusion.tasks.calibration import bin_sums, ece_of, temperature_of
from fusion.tasks.label_scores import LabelScores, gain
from fusion.tasks.predictions import MethodPredictions, Scored, coalitions

K = 4


def data(n=300, m=3, seed=0, clusters=60):
    rng = np.random.default_rng(seed)
    y = rng.integers(K, size=n)
    logits = rng.normal(size=(2, n, m, K)) + 1.5 * np.eye(K)[y][None, :, None]
    prior = np.tile(np.log(np.full(K, 1 / K)), (n, 1))
    mask = rng.random((n, m)) < 0.8
    cluster = np.array([f"c{i % clusters}" for i in range(n)])
    labels, names = [f"l{k}" for k in range(K)], [f"m{i}" for i in range(m)]
    scored = Scored(
        [f"k{i:03d}" for i in range(n)], y, mask, prior, cluster, np.array(["f"] * n), labels, names
    )
    return scored, late_predictions(logits, np.ones((n, m)), scored, coalitions(m))


@pytest.fixture(scope="module")
def case():
    scored, answers = data()
    return scored, answers, Resampler(scored.cluster, 200)


def test_every_metric_is_scikit_learns(case):
    scored, answers, resampler = case
    p = answers.whole[:1]
    figures = {name: each.value for name, each in LabelScores(resampler, scored.y, p).all().items()}
    y, answer = scored.y, p[0].argmax(1)
    assert figures["macro_f1"] == pytest.approx(sk.f1_score(y, answer, average="macro"))
    assert figures["accuracy"] == pytest.approx(sk.accuracy_score(y, answer))
    assert figures["balanced_accuracy"] == pytest.approx(sk.balanced_accuracy_score(y, answer))
    assert figures["log_loss"] == pytest.approx(sk.log_loss(y, p[0]))
    assert figures["brier"] == pytest.approx(((p[0] - np.eye(K)[y]) ** 2).sum(1).mean())
    assert figures["auroc"] == pytest.approx(sk.roc_auc_score(y, p[0], multi_class="ovr"), abs=1e-9)


def test_a_draw_equals_the_metric_on_the_drawn_samples(case):
    scored, answers, resampler = case
    p = answers.whole[0]
    scores = LabelScores(resampler, scored.y, p[None])
    again = np.repeat(np.arange(len(scored)), resampler.weights[7, resampler.index].astype(int))
    assert scores.macro_f1[7] == pytest.approx(
        sk.f1_score(scored.y[again], p[again].argmax(1), average="macro")
    )
    assert scores.auroc[7] == pytest.approx(
        sk.roc_auc_score(scored.y[again], p[again], multi_class="ovr"), abs=1e-6
    )
    assert scores.ece[7] == pytest.approx(ece_of(bin_sums(scored.y[again], p[again]).sum(0)))


def test_a_class_that_is_neither_truth_nor_answer_does_not_count():
    y, answer = np.array([0, 0, 1]), np.array([0, 1, 1])
    assert metric_sums.macro_f1(y, answer, 5) == pytest.approx(
        sk.f1_score(y, answer, average="macro")
    )


def test_the_interval_covers_the_truth_about_95_times_in_100():
    rng = np.random.default_rng(4)
    truth, covered = 0.7, 0
    for _ in range(300):
        skill = np.clip(rng.normal(truth, 0.1, size=60), 0, 1)
        right = rng.random((60, 5)) < skill[:, None]
        y = np.zeros(300, int)
        scores = LabelScores(
            Resampler(np.repeat(np.arange(60), 5), 300),
            y,
            np.eye(2)[(~right).astype(int).ravel()][None],
        )
        found = interval(metric_sums.accuracy_of(scores.counts[0]))
        covered += found.low <= truth <= found.high
    assert 0.90 <= covered / 300 <= 0.99


def test_few_clusters_are_called_too_narrow():
    assert str(cluster_note(4)) == "only 4 clusters, too narrow"
    assert cluster_note(12) is None


def test_shapley_shares_add_up_and_do_not_depend_on_names(case):
    scored, answers, resampler = case
    found = contributions(answers, scored, resampler)
    assert sum(share.value for share in found.shares) == pytest.approx(found.total - found.prior)
    assert all(sum(each.shares) > 0 for each in found.per_class)


@pytest.mark.parametrize("m", [1, 2, 6, 8])
def test_shapley_shares_add_up_for_any_number_of_modalities(m):
    asked = coalitions(m)
    values = np.random.default_rng(m).normal(size=len(asked))
    shares = shapley(values, asked, m)
    assert shares.sum() == pytest.approx(
        values[asked.index(tuple(range(m)))] - values[asked.index(())]
    )


def test_shapley_of_a_known_game():
    asked = coalitions(2)
    value = {(): 0.0, (0,): 1.0, (1,): 2.0, (0, 1): 5.0}
    assert shapley(np.array([value[c] for c in asked]), asked, 2).tolist() == [2.0, 3.0]


def test_taking_everything_away_leaves_the_prior_and_nothing_leaves_the_score(case):
    scored, answers, resampler = case
    whole = LabelScores(resampler, scored.y, answers.whole).macro_f1[0]
    assert len(degradation(answers, scored, resampler)) == scored.mask.shape[1]
    for each in degradation(answers, scored, resampler):
        assert each.levels[0].value == whole
        at = next(m for m in missing(answers, scored, resampler) if m.without == [each.modality])
        assert each.levels[-1].value == pytest.approx(at.score.value)
        assert at.change.value == pytest.approx(at.score.value - whole)


def test_the_gain_is_paired_and_zero_over_itself(case):
    scored, answers, resampler = case
    scores = LabelScores(resampler, scored.y, answers.whole)
    none = gain(scores, scores, "m0")
    assert (none.value, none.low, none.high, none.verdict) == (0, 0, 0, "no clear difference")
    assert (
        gain(scores, LabelScores(resampler, scored.y, answers.by_coalition[(0,)]), "m0").verdict
        == "clearly better"
    )


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(0.1, 0.2, "clearly better"), (-0.2, -0.1, "clearly worse"), (-1, 1, "no clear difference")],
)
def test_clearly_means_that_the_interval_excludes_zero(low, high, words):
    assert verdict(Interval(value=(low + high) / 2, low=low, high=high)) == words


def test_a_temperature_undoes_over_confidence():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, K))
    y = np.array([rng.choice(K, p=p) for p in softmax(logits, axis=1)])
    assert temperature_of(3 * logits, y) == pytest.approx(3, rel=0.1)
    over, cured = (ece_of(bin_sums(y, softmax(z, axis=1)).sum(0)) for z in (3 * logits, logits))
    assert cured < 0.03 < over


def test_absent_modalities_answer_the_prior(case):
    scored, answers, _ = case
    gone = ~scored.mask[:, 1]
    assert np.allclose(answers.by_coalition[(1,)][:, gone], np.exp(scored.log_prior[gone]))


def test_small_subgroups_bear_a_note_and_columns_of_many_values_are_left_out(case):
    scored, answers, resampler = case
    columns = {
        "site": ["small" if i < 8 else "large" for i in range(300)],
        "writer": [str(i) for i in range(300)],
    }
    found = {each.value: each for each in subgroups(answers.whole, scored, resampler, columns)}
    assert set(found) == {"small", "large"}
    assert found["small"].n == 8
    assert found["small"].note == Note.of("few_samples", n=8)
    assert found["large"].note is None


def test_late_answers_are_the_product_of_what_is_present(case):
    scored, answers, _ = case
    product = (
        sum(np.log(answers.by_coalition[(i,)][0]) - scored.log_prior for i in range(3))
        + scored.log_prior
    )
    np.testing.assert_allclose(answers.whole[0], np.exp(log_softmax(product, axis=1)), atol=1e-9)
    assert isinstance(answers, MethodPredictions)


def test_a_subgroup_of_one_cluster_has_no_interval_and_says_so():
    scored, answers = data(clusters=10)
    resampler = Resampler(scored.cluster, 200)
    part = [
        "first" if one == "c0" else "second" if one in {"c1", "c2"} else "rest"
        for one in scored.cluster
    ]
    found = {one.value: one for one in subgroups(answers.whole, scored, resampler, {"part": part})}
    assert (found["first"].score.low, found["first"].note) == (
        None,
        Note.of("one_cluster"),
    )
    assert found["second"].score.low is not None


def test_a_column_that_repeats_another_makes_no_second_set_of_subgroups():
    assert repeats(["S1", None, "S2"], ["S1", "S1", "S2"])
    assert not repeats(["S1", "S2", "S2"], ["S1", "S1", "S2"])


@pytest.fixture
def stored():
    """A result as JSON holds it."""
    from fusion.evaluation.evaluate import Question, evaluate
    from fusion.schema.result import Fold, Split

    scored, answers = data(n=60, m=2, clusters=20)
    single = {name: (answers.by_coalition[(i,)],) * 2 for i, name in enumerate(scored.modalities)}
    split = Split(policy="by-group", groups=[], folds=[Fold(name="f", n_train=9, n_test=60)])
    temperatures, sites = dict.fromkeys(scored.modalities, 1.0), {"site": ["a", "b", "b"] * 20}
    question = Question(
        scored,
        "late",
        {"late": answers},
        single,
        "m0",
        temperatures,
        [0, 1],
        None,
        split,
        60,
        {},
        columns=sites,
        draws=50,
    )
    return evaluate(question).model_dump(mode="json")


def test_a_result_of_schema_1_is_read_and_keeps_its_number(stored):
    from fusion.schema.result import EvaluationResult

    old = {
        name: value
        for name, value in stored.items()
        if name not in ("disagreements", "worst_subgroup")
    }
    for group in old["subgroups"]:
        del group["metrics"]
    found = EvaluationResult.model_validate(old | {"schema_version": 1, "mistakes": [{"key": "k"}]})
    assert (found.schema_version, found.disagreements) == (1, [])
    assert found.worst_subgroup is not None
    assert found.worst_subgroup.value == min(found.subgroups, key=lambda one: one.score.value).value


def as_in_schema_2(part):
    """With every score under the name of its metric, as the one task of that time had it."""
    if isinstance(part, list):
        return [as_in_schema_2(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        "macro_f1" if name == "score" else name: as_in_schema_2(one)
        for name, one in part.items()
        if name not in ("metric", "against")
    }


def test_a_result_of_schema_2_is_read_with_its_scores(stored):
    from fusion.schema.result import EvaluationResult

    old = as_in_schema_2(
        {name: value for name, value in stored.items() if name != "disagreements"}
    ) | {"schema_version": 2}
    assert "macro_f1" in old["headline"]
    found = EvaluationResult.model_validate(old)
    assert (found.schema_version, found.task, found.headline.metric) == (
        2,
        "classification",
        "macro_f1",
    )
    assert found.headline.score.value == stored["headline"]["score"]["value"]
    assert [one.score.value for one in found.subgroups] == [
        one["score"]["value"] for one in stored["subgroups"]
    ]


def test_a_result_of_a_later_version_is_refused_in_words(stored):
    from fusion.schema.result import SCHEMA_VERSION, EvaluationResult

    with pytest.raises(ValueError, match="update the program to read it"):
        EvaluationResult.model_validate(stored | {"schema_version": SCHEMA_VERSION + 1})


def test_every_subgroup_has_every_metric_as_if_only_its_samples_were_there(case):
    scored, answers, resampler = case
    sites = ["small" if i % 3 == 0 else "large" for i in range(300)]
    [large, small] = subgroups(answers.whole[:1], scored, resampler, {"site": sites})
    chosen, p = np.array(sites) == "small", answers.whole[0]
    alone = LabelScores(
        Resampler(scored.cluster[chosen], 50), scored.y[chosen], p[None, chosen]
    ).all()
    assert {name: one.value for name, one in small.metrics.items()} == pytest.approx(
        {name: one.value for name, one in alone.items()}
    )
    assert all(one.low <= one.value <= one.high for one in large.metrics.values())
    assert small.score == small.metrics["macro_f1"]


def test_the_draws_of_many_clusters_are_the_same_in_pieces(monkeypatch):
    from fusion.tasks import bootstrap

    values, cluster = np.random.default_rng(0).normal(size=(90, 2)), np.arange(90) % 30
    whole = Resampler(cluster, 40).sums(values)
    monkeypatch.setattr(bootstrap, "AT_ONCE", 100)
    np.testing.assert_allclose(Resampler(cluster, 40).sums(values), whole)
