"""Protocols: what disciplines ask of a model, judged in four states by the code that judges
everything else.
"""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from fusion.__main__ import main
from fusion.core.progress import Progress
from fusion.data.alignment_files import read_alignment, write_alignment
from fusion.evaluation.criteria import Evidence, criterion_score
from fusion.pipeline.bundle_files import load
from fusion.pipeline.run import train
from fusion.schema.notes import Note
from fusion.schema.protocol import Criterion, ProtocolError, protocols_of, state_of
from fusion.schema.recipe import Recipe, RecipeError
from fusion.schema.result import EvaluationResult
from fusion.tasks.bootstrap import Resampler
from fusion.tasks.predictions import MethodPredictions, Scored
from tests.fusion.test_external import handed_in


def criterion(**changes):
    return Criterion.model_validate({"metric": "macro_f1", "at_least": 0.7, "min_n": 50} | changes)


LOWER = {"metric": "ece", "at_least": None, "at_most": 0.05}


@pytest.mark.parametrize(
    ("changes", "low", "high", "n", "state"),
    [
        ({}, 0.7, 0.8, 50, "met"),
        ({}, 0.6, 0.69, 50, "not_met"),
        ({}, 0.6, 0.7, 50, "undecided"),
        ({}, 0.69, 0.8, 50, "undecided"),
        ({}, 0.9, 0.95, 49, "too_few"),
        ({}, 0.1, 0.2, 49, "too_few"),
        ({}, None, None, 50, "undecided"),
        (LOWER, 0.01, 0.05, 50, "met"),
        (LOWER, 0.04, 0.06, 50, "undecided"),
        (LOWER, 0.06, 0.07, 50, "not_met"),
    ],
)
def test_a_criterion_has_one_of_four_states(changes, low, high, n, state):
    assert state_of(criterion(**changes), low, high, n) == state


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"where": "speaker >> 3"}, "protocol 1, criterion 1, where: column 10: "),
        (
            {"metric": "macro_f2"},
            "protocol 1, criterion 1, metric: macro_f2 is no metric; did you mean macro_f1?",
        ),
        (
            {"at_least": None},
            "protocol 1, criterion 1: give the bound by one of at_least and at_most",
        ),
        (
            {"metric": "ece"},
            "protocol 1, criterion 1: lower calibration error (ECE) is better: write the bound "
            "as at_most",
        ),
        (
            {"at_least": None, "at_most": 0.7},
            "higher macro-F1 is better: write the bound as at_least",
        ),
        ({"at_least": 70}, "macro-F1 lies between 0 and 1 (given: 70)"),
        ({"without": ["a"], "only": ["b"]}, "give the situation by one of without, only and noise"),
        (
            {"bound": 3},
            "protocol 1, criterion 1, bound: is not known here; correct its name or remove it",
        ),
    ],
)
def test_a_criterion_that_cannot_be_used_is_refused_with_its_place(changes, words):
    asked = {"metric": "macro_f1", "at_least": 0.7} | changes
    with pytest.raises(ProtocolError, match="protocol 1") as refused:
        protocols_of(
            [{"discipline": "VI", "criteria": [{k: v for k, v in asked.items() if v is not None}]}]
        )
    assert words in str(refused.value)
    with pytest.raises(RecipeError, match="protocols: protocol 1, criterion 1"):
        Recipe.parse({"protocols": [{"discipline": "VI", "criteria": [asked | {"metric": "f"}]}]})


def test_every_problem_of_every_protocol_is_said():
    good = {"metric": "accuracy", "at_least": 0.5}
    with pytest.raises(ProtocolError) as refused:
        protocols_of(
            [
                {"discipline": "VI", "criteria": [good]},
                {"discipline": "VI", "criteria": [good]},
                {"discipline": "ZZ", "criteria": []},
                "x",
            ],
            ["VI"],
        )
    assert refused.value.problems == [
        "protocol 2, discipline: VI has a protocol already; a discipline has one",
        "protocol 3, criteria: must not be empty",
        "protocol 4: is a list of named settings",
    ]


def test_a_criterion_says_itself_in_words():
    found = criterion(
        metric="ece",
        at_least=None,
        at_most=0.05,
        only=["speech", "text"],
        where="samples.speaker = 'S3'",
    )
    assert found.sentence() == (
        "Calibration error (ECE) with only speech and text where samples.speaker is “S3” is at "
        "most 0.05 (on 50 samples or more)."
    )
    assert (
        criterion(over="reference run", at_least=-0.02)
        .sentence()
        .startswith("Difference in macro-F1 to reference run is at least -0.02")
    )


CRITERIA = [
    {"metric": "macro_f1", "at_least": 0},
    {"metric": "macro_f1", "without": ["a"], "at_least": 0.99},
    {"metric": "accuracy", "where": "label = 'class 1'", "at_least": 0.4},
    {"metric": "ece", "where": "quality = 'poor'", "at_most": 0.3},
    {"metric": "macro_f1", "over": "best single modality", "at_least": -0.5},
    {"metric": "macro_f1", "over": "b", "only": ["b"], "at_least": -0.01},
    {"metric": "macro_f1", "where": "s.writer = 'W1'", "at_least": 0.5, "min_n": 3},
    {"metric": "macro_f1", "where": "s.quality = 'unheard of'", "at_least": 0.5},
    {"metric": "macro_f1", "over": "reference run", "at_least": 0},
    {"metric": "auroc", "where": "label = 'class 1'", "at_least": 0.4},
]


@pytest.fixture(scope="module")
def judged(toy, small, tmp_path_factory):
    out = tmp_path_factory.mktemp("judged")
    aligned = toy(
        label="s.label",
        protocols=[
            {"discipline": "ML", "criteria": CRITERIA},
            {"discipline": "VI", "criteria": [CRITERIA[0]]},
        ],
    )
    own = Recipe.parse(
        small().model_dump() | {"protocols": [{"discipline": "VI", "criteria": CRITERIA[:2]}]}
    )
    return train(aligned, own, out, None, Progress()), out, aligned


def test_its_figures_are_those_of_the_rest_of_the_report(judged):
    result = judged[0]
    own, study = result.protocols
    assert (own.discipline, len(own.criteria), study.discipline) == (
        "VI",
        2,
        "ML",
    )  # the recipe's stands for the study's
    whole, without, recall, poor, gain, alone, *_ = study.criteria
    assert whole.value == result.headline.score
    assert without.value == next(one.score for one in result.missing if one.without == ["a"])
    assert recall.value.value == pytest.approx(
        next(one.recall for one in result.per_class if one.label == "class 1")
    )
    assert poor.value == next(one.metrics["ece"] for one in result.subgroups if one.value == "poor")
    over = result.headline.gain_over_best_single
    assert (gain.value.value, gain.value.low, gain.over) == (
        over.value,
        over.low,
        over.over,
    )
    assert (alone.value.value, alone.value.low, alone.state) == (
        0,
        0,
        "met",
    )  # late fusion of one modality is that modality
    assert without.margin == pytest.approx(without.value.value - 0.99)
    assert [one.state for one in (whole, without, gain)] == ["met", "not_met", "met"]


def test_what_cannot_be_decided_or_judged_is_said_to_be_so(judged):
    one_writer, nobody, reference, ranked = judged[0].protocols[1].criteria[-4:]
    assert (one_writer.n, one_writer.value.low, one_writer.state, one_writer.note) == (
        3,
        None,
        "undecided",
        Note.of("one_cluster"),
    )
    assert (nobody.n, nobody.value, nobody.state) == (0, None, "too_few")
    assert (reference.state, reference.unknown) == (None, Note.of("no_reference"))
    assert (ranked.state, ranked.unknown) == (
        None,
        Note.of("one_label"),
    )
    assert judged[0].protocols[0].n_met == 1


def test_protocols_are_kept_in_the_bundle_the_result_and_the_alignment_but_change_no_data(
    judged, tmp_path
):
    result, out, aligned = judged
    bundle = load(out)
    assert [one.discipline for one in bundle.recipe.protocols] == ["VI", "ML"]
    assert Recipe.from_text(bundle.recipe.to_yaml()) == bundle.recipe
    assert (
        EvaluationResult.model_validate(json.loads(result.model_dump_json())).protocols
        == bundle.result.protocols
        == result.protocols
    )
    write_alignment(aligned, tmp_path / "a.parquet")
    assert read_alignment(tmp_path / "a.parquet").protocols == aligned.protocols
    without = json.loads(result.model_dump_json())
    del without["protocols"]
    assert EvaluationResult.model_validate(without).protocols == []


def test_protocols_change_neither_the_digest_of_the_data_nor_any_other_figure(
    judged, toy, small, tmp_path
):
    plain = toy(label="s.label")
    assert plain.digest == judged[2].digest
    result = train(plain, small(), tmp_path, None, Progress())
    assert result.model_dump(exclude={"protocols", "seconds", "environment"}) == judged[
        0
    ].model_dump(exclude={"protocols", "seconds", "environment"})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"without": ["x"]},
            "protocol of VI, criterion 1, without: there is no modality x; use a, b",
        ),
        (
            {"over": "best"},
            "over: there is no modality best; use a, b, best single modality or reference run",
        ),
        (
            {"where": "s.qualty = 'poor'"},
            "where: column 1: there is no column s.qualty; did you mean s.quality?",
        ),
    ],
)
def test_a_criterion_that_does_not_fit_the_data_stops_the_run_before_it_begins(
    toy, small, tmp_path, changes, words
):
    asked = [{"discipline": "VI", "criteria": [{"metric": "macro_f1", "at_least": 0.1} | changes]}]
    with pytest.raises(RecipeError) as refused:
        train(toy(protocols=asked), small(), tmp_path, None, Progress())
    assert words in str(refused.value)


def test_a_criterion_at_the_edge_is_met_or_failed_as_rarely_as_the_interval_says():
    """Where the true accuracy is the bound itself, either verdict is wrong: together about 5 times
    in 100.
    """
    rng, states, asked = np.random.default_rng(6), [], criterion(metric="accuracy", at_least=0.7)
    for _ in range(300):
        skill = np.clip(rng.normal(0.7, 0.1, size=60), 0, 1)
        right = rng.random((60, 5)) < skill[:, None]
        p = np.eye(2)[(~right).astype(int).ravel()][None]
        scored = Scored(
            [""] * 300,
            np.zeros(300, int),
            np.ones((300, 1), bool),
            np.zeros((300, 2)),
            np.repeat(np.arange(60), 5),
            np.array([""] * 300),
            ["a", "b"],
            ["x"],
        )
        evidence = Evidence(
            MethodPredictions({(0,): p}, p),
            scored,
            Resampler(scored.cluster, 300),
            ["accuracy"],
            {},
        )
        states.append(criterion_score(asked, evidence).state)
    decided = [state for state in states if state != "undecided"]
    assert 0.01 <= len(decided) / 300 <= 0.10
    assert set(decided) == {"met", "not_met"}


def test_a_model_trained_elsewhere_is_judged_by_protocols_too(tmp_path, capsys):
    predictions, truth, *_ = handed_in()
    asked = [
        {"metric": "macro_f1", "where": "site = 'north'", "at_least": 0.4},
        {"metric": "macro_f1", "without": ["image"], "at_least": 0.4},
        {"metric": "macro_f1", "over": "image", "at_least": 0},
    ]
    (tmp_path / "protocols.yaml").write_text(
        yaml.safe_dump({"protocols": [{"discipline": "ML", "criteria": asked}]})
    )
    for name, columns in (("P", predictions), ("T", truth)):
        pq.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
    command = [
        "evaluate",
        "--predictions",
        str(tmp_path / "P.parquet"),
        "--truth",
        str(tmp_path / "T.parquet"),
    ]
    assert main([*command, "--protocols", str(tmp_path / "protocols.yaml")]) == 0
    [found] = json.loads(capsys.readouterr().out)["protocols"]
    north, without, over = found["criteria"]
    assert (north["n"], north["state"]) == (80, "met")
    assert (without["state"], without["unknown"]) == (
        None,
        {"code": "inputs_not_measured", "params": {}},
    )
    assert over["unknown"] == {"code": "single_unknown", "params": {"name": "image"}}
    (tmp_path / "protocols.yaml").write_text(
        "- discipline: ML\n  criteria: [{metric: accuracy, at_least: 0.1, where: sitte = 'n'}]\n"
    )
    assert main([*command, "--protocols", str(tmp_path / "protocols.yaml")]) == 2
    assert (
        "criterion 1, where: column 1: there is no column sitte; did you mean site?"
        in capsys.readouterr().err
    )
