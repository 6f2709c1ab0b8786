"""Training: the same seed gives the same figures, stopped or not, in whatever order; the test side
is never looked at.
"""

import dataclasses
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from fusion.core.progress import Progress, Stopped
from fusion.pipeline.run import train
from tests.fusion.conftest import relabelled, turned


class Recorder(Progress):
    """Remembers what it is told, and stops after a number of checks."""

    def __init__(self, stop_after=None):
        self.checks, self.stop_after = 0, stop_after
        self.names, self.points, self.steps = [], [], []

    def stage(self, name):
        self.names.append(name)

    def metric(self, fit, seed, epoch, name, value):
        self.points.append((fit, seed, epoch, name, value))

    def step(self, done, total, unit=""):
        self.steps.append((done, total, unit))

    def check(self):
        self.checks += 1
        if self.stop_after and self.checks > self.stop_after:
            raise Stopped


def run(aligned, recipe, out, progress=None, every=1.0):
    result = train(aligned, recipe, out, None, progress or Progress(), checkpoint_seconds=every)
    return result.model_dump(exclude={"seconds"})


@pytest.fixture(scope="module")
def whole(toy, small, tmp_path_factory):
    progress = Recorder()
    out = tmp_path_factory.mktemp("whole")
    return run(toy(), small(), out, progress), progress, out


def test_the_same_seed_twice_gives_the_same_figures(whole, toy, small, tmp_path):
    assert run(toy(), small(), tmp_path) == whole[0]


def test_another_seed_gives_other_figures(whole, toy, small, tmp_path):
    assert run(toy(), small(seeds=[5]), tmp_path)["metrics"] != whole[0]["metrics"]


@pytest.mark.parametrize("share", [0.3, 0.8])
def test_a_run_that_was_stopped_goes_on_to_the_same_figures(whole, toy, small, tmp_path, share):
    with pytest.raises(Stopped):
        run(toy(), small(), tmp_path, Recorder(stop_after=int(whole[1].checks * share)), every=0)
    again = Recorder()
    assert run(toy(), small(), tmp_path, again) == whole[0]
    assert again.checks < whole[1].checks


KILLED = """
import sys
sys.path.insert(0, {here!r})
from conftest import small_recipe, toy_alignment
from pathlib import Path
from fusion.core.progress import Progress
from fusion.pipeline.run import train
class Slow(Progress):
    def metric(self, *point):
        print("epoch", flush=True)
train(toy_alignment(), small_recipe(), Path({out!r}), None, Slow(), checkpoint_seconds=0)
"""


def test_a_killed_process_is_taken_up_to_the_same_figures(whole, toy, small, tmp_path):
    code = KILLED.format(here=os.path.dirname(__file__), out=str(tmp_path))
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    for _ in range(len(whole[1].points) // 2):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
    assert not (tmp_path / "bundle.json").exists()
    assert any((tmp_path / ".work").rglob("*.safetensors"))
    assert run(toy(), small(), tmp_path) == whole[0]


def test_a_damaged_checkpoint_is_fitted_again(whole, toy, small, tmp_path):
    with pytest.raises(Stopped):
        run(toy(), small(), tmp_path, Recorder(stop_after=whole[1].checks // 2), every=0)
    for path in (tmp_path / ".work").rglob("*.*"):
        path.write_bytes(path.read_bytes()[:50])
    assert run(toy(), small(), tmp_path) == whole[0]


def test_the_order_of_samples_and_modalities_changes_nothing(whole, toy, small, tmp_path):
    assert run(turned(toy()), small(), tmp_path) == whole[0]


def test_permuting_the_labels_of_the_test_fold_changes_nothing_that_was_chosen(
    whole, toy, small, tmp_path
):
    changed = run(relabelled(toy(), "S0"), small(), tmp_path)
    assert changed["environment"]["chosen"]["S0"] == whole[0]["environment"]["chosen"]["S0"]
    assert changed["metrics"] != whole[0]["metrics"]


def test_progress_names_stages_units_and_curves(whole):
    progress = whole[1]
    assert progress.names == ["read", "embed", "train", "evaluate", "bundle"]
    assert [s for s in progress.steps if s[2] == "models"][-1][:2] == (30, 30)
    assert {p[3] for p in progress.points} == {
        "train_loss",
        "validation_loss",
        "validation_macro_f1",
    }


def test_finished_fits_are_cleared_away_when_the_bundle_is_written(whole):
    assert not (whole[2] / ".work").exists()


def test_duplicates_are_left_out_and_counted(whole, toy, small, tmp_path):
    aligned = toy()
    cells = {
        n: dataclasses.replace(m, cells=[*m.cells, m.cells[2]])
        for n, m in aligned.modalities.items()
    }
    more = dataclasses.replace(
        aligned,
        keys=[*aligned.keys, "T9999"],
        labels=[*aligned.labels, aligned.labels[2]],
        modalities=cells,
        groups={"s.site": [*aligned.groups["s.site"], "S2"]},
        extras={n: [*v, v[2]] for n, v in aligned.extras.items()},
    )
    result = run(more, small(), tmp_path)
    assert result["left_out"]["duplicate"] == 1
    assert result["n_total"] == 109
    assert result["n_samples"] == whole[0]["n_samples"]


def test_a_modality_that_is_never_there_answers_the_prior(toy, small, tmp_path):
    aligned = toy()
    aligned.modalities["b"] = dataclasses.replace(
        aligned.modalities["b"], cells=[None, *([None] * 106), aligned.modalities["b"].cells[-1]]
    )
    result = run(aligned, small(), tmp_path)
    assert result["headline"]["gain_over_best_single"]["over"] == "a"


def test_permuted_labels_leave_nothing_to_gain(toy, small, tmp_path):
    aligned = toy()
    labels = np.random.default_rng(1).permutation(np.array(aligned.labels, dtype=object)).tolist()
    result = run(dataclasses.replace(aligned, labels=labels), small(), tmp_path)
    assert result["headline"]["gain_over_best_single"]["verdict"] == "no clear difference"
    assert result["headline"]["score"]["value"] < 0.5


def test_a_planted_leak_is_named_by_the_alignment_check(toy):
    from fusion.data.leaks import find_leaks

    aligned = toy()
    found = find_leaks(
        {"s.code": ("category", [label[-1] for label in aligned.labels])}, aligned.labels
    )
    assert len(found) == 1
    assert "s.code" in str(found[0])
