"""The engine by command, on a study folder written for the test: progress beside, one JSON object
out, errors in words.
"""

import json
import subprocess
import sys

import numpy as np
import pytest
import yaml

from fusion.__main__ import main

RECIPE = {
    "compare": [],
    "training": {
        "seeds": [0],
        "epochs": 10,
        "hidden_dim": 8,
        "learning_rate": 0.02,
        "inner_folds": 1,
    },
    "evaluation": {"draws": 60},
}


def write_study(folder, first=0, n=90):
    """Two tables of readings; with another `first` it holds other samples of the same classes."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(3, 6)) * 1.5
    rng = np.random.default_rng(first + 1)
    y = rng.integers(3, size=n)
    x = centres[y] + rng.normal(size=(n, 6))
    folder.mkdir(parents=True)
    keys = [f"K{first + i:04d}" for i in range(n)]
    lines = {
        "samples": ["id,kind,site,writer"]
        + [f"{k},kind{y[i]},S{i % 3},W{i % 30}" for i, k in enumerate(keys)],
        "left": ["id,p,q,r"]
        + [f"{k},{','.join(f'{v:.4f}' for v in x[i, :3])}" for i, k in enumerate(keys) if i % 9],
        "right": ["id,u,v,w"]
        + [f"{k},{','.join(f'{v:.4f}' for v in x[i, 3:])}" for i, k in enumerate(keys) if i % 7],
    }
    for name, rows in lines.items():
        (folder / f"{name}.csv").write_text("\n".join(rows) + "\n")
    number = {"kind": "number"}
    columns = {
        "samples": {
            "kind": {"kind": "label"},
            "site": {"kind": "group"},
            "writer": {"kind": "group"},
        },
        "left": {"p": number, "q": number, "r": number},
        "right": {"u": number, "v": number, "w": number},
    }
    spec = {
        "name": "readings",
        "title": "Readings",
        "key": "id",
        "disciplines": [
            {
                "code": name[:2].upper(),
                "name": name,
                "datasets": [{"name": name, "table": f"{name}.csv", "columns": columns[name]}],
            }
            for name in lines
        ],
        "alignment": {
            "label": "samples.kind",
            "groups": ["samples.site"],
            "cluster": "samples.writer",
            "modalities": {
                "left": ["left.p", "left.q", "left.r"],
                "right": ["right.u", "right.v", "right.w"],
            },
            "split": {"policy": "leave-one-group-out"},
        },
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(json.loads(json.dumps(spec))))
    return folder


def fusion(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "fusion", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    base = tmp_path_factory.mktemp("command")
    (base / "recipe.yaml").write_text(yaml.safe_dump(RECIPE))
    study = write_study(base / "study")
    done = fusion(
        "train",
        study,
        "--recipe",
        base / "recipe.yaml",
        "--out",
        base / "out",
        "--cache",
        base / "cache",
    )
    return base, done


def check_headline(text):
    headline = json.loads(text)["headline"]
    for name in ("score", "gain_over_best_single", "ece"):
        assert headline[name]["low"] <= headline[name]["value"] <= headline[name]["high"]
    return headline


def test_train_prints_one_json_object_with_the_headline(trained):
    _, done = trained
    assert done.returncode == 0, done.stderr
    assert check_headline(done.stdout)["score"]["value"] > 0.6
    assert "evaluate" in done.stderr


def test_evaluate_judges_new_samples_and_leaves_out_those_of_training(trained, tmp_path):
    base, _ = trained
    old, new = write_study(tmp_path / "old"), write_study(tmp_path / "new", first=500, n=60)
    for name in ("samples", "left", "right"):
        mixed = (old / f"{name}.csv").read_text() + "".join(
            (new / f"{name}.csv").read_text().splitlines(keepends=True)[1:]
        )
        (new / f"{name}.csv").write_text(mixed)
    done = fusion("evaluate", base / "out", new, "--cache", base / "cache")
    assert done.returncode == 0, done.stderr
    check_headline(done.stdout)
    result = json.loads(done.stdout)
    assert (
        result["n_samples"]
        + result["left_out"]["trained on"]
        + result["left_out"]["duplicate"]
        + result["left_out"]["no modality"]
        == 150
    )
    assert result["left_out"]["trained on"] > 80


def test_evaluate_is_an_error_when_no_sample_is_left(trained):
    base, _ = trained
    done = fusion("evaluate", base / "out", base / "study", "--cache", base / "cache")
    assert done.returncode == 2
    assert "No sample is left to score" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "nowhere", "--out", "x"], "nowhere"),
        (["evaluate", "nowhere", "nowhere"], "not a finished bundle"),
        (["train", "nowhere", "--recipe", "none.yaml", "--out", "x"], "none.yaml cannot be read"),
        (["train", "nowhere"], "--out"),
    ],
)
def test_what_a_person_can_put_right_is_said_in_words_with_exit_code_2(
    arguments, words, tmp_path, capsys
):
    try:
        code = main([str(tmp_path / each) if each == "x" else each for each in arguments])
    except SystemExit as usage:
        code = usage.code
    said = capsys.readouterr()
    assert code == 2
    assert words in said.err
    assert said.out == ""


def test_recipes_are_listed_as_json():
    assert set(json.loads(fusion("recipes").stdout)) == {"quick", "standard", "search"}
