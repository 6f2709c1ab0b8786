"""What a run will take: it grows with what there is to do, and follows what the machine
has shown.
"""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.core.progress import Progress
from fusion.estimates import cost
from fusion.estimates.cost import Input, Shape
from fusion.estimates.machine import FILE, Machine, Spent, memory_mb, peak_mb
from fusion.pipeline.run import train
from fusion.schema.recipe import Recipe, Training

MEASURED = Machine(
    seconds_a_cell={"minilm-l6-v2": 0.01}, seconds_a_step={"": 0.001}, memory_mb=8000, runs=1
)


def shape(samples=1000, rounds=4, encoders=("minilm-l6-v2",), cached=False):
    return Shape(samples, rounds, (Input("text", samples, encoders),), cached)


def test_vectors_that_are_there_cost_no_time():
    fresh, warm = (cost.cost(shape(cached=there), Recipe(), MEASURED) for there in (False, True))
    assert (fresh.embed, warm.embed) == (pytest.approx(10), 0)
    assert fresh.train == warm.train


def test_bfloat16_halves_the_reading_and_tells_the_same_of_an_encoder():
    exact, rounded = Recipe(precision="fp32"), Recipe(precision="bf16")
    assert cost.cost(shape(), rounded, MEASURED).embed == pytest.approx(
        cost.cost(shape(), exact, MEASURED).embed / 2
    )
    seconds = {
        "cpu:embed": 5.0,
        "cpu:train": 30.0,
        "cpu:fit": 25.0,
        "cpu:evaluate": 5.0,
        "cell:minilm-l6-v2": 0.004,
    }
    told = cost.spent(shape(), rounded, seconds, 60.0, 600.0)
    assert told.cells == {"minilm-l6-v2": pytest.approx(0.008)}


def test_one_more_seed_is_one_more_network_a_round_and_model():
    one, two = (Recipe(training=Training(seeds=list(range(n)), inner_folds=3)) for n in (1, 2))
    assert cost.fits(shape(), two) - cost.fits(shape(), one) == 4
    assert cost.fits(shape(), Recipe(compare=["gated"])) == 2 * cost.fits(shape(), Recipe())


def test_the_number_of_networks_is_what_a_run_trains(toy, small, tmp_path):
    totals = []

    class Steps(Progress):
        def step(self, done, total, unit=""):
            if unit == "models":
                totals.append((done, total))

    aligned, recipe = toy(), small(seeds=[0, 1])
    train(aligned, recipe, tmp_path, None, Steps())
    inputs = tuple(Input(name, len(aligned), ("numbers",)) for name in aligned.modalities)
    assert totals[-1] == (cost.fits(Shape(len(aligned), 3, inputs), recipe),) * 2


@given(st.integers(50, 100_000), st.integers(50, 100_000))
def test_more_samples_never_cost_less(a, b):
    few, many = (cost.cost(shape(n), Recipe.default(), MEASURED) for n in sorted((a, b)))
    assert few.seconds <= many.seconds
    assert few.memory_mb <= many.memory_mb
    assert few.disk_mb <= many.disk_mb


def test_an_unknown_method_has_the_speed_of_all():
    machine = Machine(seconds_a_step={"": 0.002, "gated": 0.004})
    assert machine.step("gated") == 0.004
    assert machine.step("concat+gated") == 0.002


def spent(**changes):
    figures = {
        "steps": 1000,
        "fit": 1,
        "numbers": 1e6,
        "prepare": 1,
        "draws": 1e6,
        "evaluate": 1,
        "other": 4,
        "base_mb": 500,
    }
    return Spent(**({"cells": {"x": 0.01}, "methods": "late"} | figures | changes))


def test_the_first_run_is_believed_and_an_odd_one_half_forgotten():
    first = Machine().learnt(spent())
    assert (first.step("late"), first.seconds_a_draw, first.other) == (
        pytest.approx(0.001),
        pytest.approx(1e-6),
        pytest.approx(4),
    )
    second = first.learnt(spent(cells={"x": 0.04}, fit=4, base_mb=400))
    assert second.seconds_a_cell["x"] == pytest.approx(0.02)
    assert second.step("late") == pytest.approx(0.002)
    assert second.base_mb == pytest.approx(450)
    assert second.runs == 2


def test_an_odd_measurement_leaves_a_file_that_can_be_read(tmp_path):
    Machine().learnt(
        spent(cells={"x": 0.0}, fit=0, prepare=0, evaluate=0, other=0, base_mb=-90)
    ).save(tmp_path)
    assert Machine.load(tmp_path).runs == 1


def test_a_machine_reckons_the_run_that_it_learnt_from_as_it_was():
    recipe, whole = Recipe.default(), 60.0
    seconds = {
        "cpu:embed": 10.0,
        "cpu:train": 30.0,
        "cpu:fit": 25.0,
        "cpu:evaluate": 5.0,
        "cell:minilm-l6-v2": 0.01,
    }
    found = cost.cost(
        shape(), recipe, Machine().learnt(cost.spent(shape(), recipe, seconds, whole, peak_mb=900))
    )
    assert (found.embed, found.train, found.rest) == (
        pytest.approx(10),
        pytest.approx(30),
        pytest.approx(20),
    )
    assert found.memory_mb == pytest.approx(900)


def test_the_columns_of_a_table_are_its_width():
    [wide] = (cost.numbers(Shape(100, 3, (Input("scale", 100, ("numbers",), 8),)), Recipe()),)
    assert wide == 2 * cost.numbers(
        Shape(100, 3, (Input("scale", 100, ("numbers",), 4),)), Recipe()
    )


def test_what_was_learnt_is_read_back_and_a_damaged_file_counts_as_none(tmp_path):
    MEASURED.save(tmp_path)
    assert Machine.load(tmp_path) == MEASURED
    (tmp_path / FILE).write_text('{"base_mb": "much"')
    assert Machine.load(tmp_path) == Machine()
    assert Machine.load(tmp_path / "nowhere") == Machine()


def test_a_large_encoder_is_what_takes_the_memory(tmp_path, monkeypatch):
    monkeypatch.setenv("CONSILIENCE_ENCODERS", str(tmp_path))
    (tmp_path / "large").mkdir()
    with (tmp_path / "large" / "model.safetensors").open("wb") as file:
        file.truncate(3 * 2**30)
    found = cost.cost(shape(encoders=("large",)), Recipe(), MEASURED)
    assert found.largest == "large"
    assert found.memory_mb > 6000


def test_this_process_knows_its_memory():
    assert 20 < peak_mb() < (memory_mb() or 1e9)


def test_reckoning_imports_nothing_heavy():
    code = (
        "import sys, fusion.estimates.cost, fusion.estimates.machine; sys.exit(bool({'torch', "
        "'numpy', 'sklearn', 'scipy', 'pyarrow'} & set(sys.modules)))"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}
        ).returncode
        == 0
    )


def test_encoders_are_timed_by_the_run_that_uses_them(toy, small, tmp_path):
    result = train(toy(n=300), small(), tmp_path, None, Progress())
    told = {name: value for name, value in result.seconds.items() if name.startswith("cell:")}
    assert all(0 < value < 1 for value in told.values())
    assert {"read", "embed", "train", "evaluate", "bundle"} <= set(result.seconds)


def tuning(tune, **options):
    return Recipe.parse(
        {"encoders": {"text": [{"name": "minilm-l6-v2", "tune": tune, "tuning": options}]}}
    )


def test_tuning_costs_time_and_memory_and_less_of_both_by_lora_than_by_all_of_it():
    frozen, lora, full = (
        cost.cost(shape(), tuning(way), MEASURED) for way in ("frozen", "lora", "full")
    )
    assert frozen.tune == 0
    assert 0 < lora.tune < full.tune
    assert frozen.memory_mb < lora.memory_mb < full.memory_mb
    assert (full.tuning, full.largest) == (True, "minilm-l6-v2")
    assert full.seconds == pytest.approx(full.embed + full.tune + full.train + full.rest)


@pytest.mark.parametrize("saves", [{"batch_size": 8}, {"accumulate": 4}, {"checkpointing": True}])
def test_what_saves_memory_in_tuning_is_reckoned_as_saving_it(saves):
    assert (
        cost.cost(shape(), tuning("full", **saves), MEASURED).memory_mb
        < cost.cost(shape(), tuning("full"), MEASURED).memory_mb
    )


def test_a_machine_learns_what_tuning_takes_there():
    recipe = tuning("lora", epochs=2)
    seconds = {
        "cpu:embed": 10.0,
        "cpu:tune": 300.0,
        "cpu:train": 30.0,
        "cpu:fit": 25.0,
        "cpu:evaluate": 5.0,
        "cell:minilm-l6-v2": 0.01,
    }
    machine = Machine().learnt(cost.spent(shape(), recipe, seconds, 360.0, peak_mb=1500))
    assert cost.cost(shape(), recipe, machine).tune == pytest.approx(300)
    assert cost.cost(shape(), tuning("lora", epochs=4), machine).tune > 400
    assert machine.other == pytest.approx(15)


def test_methods_that_are_compared_cost_what_they_cost():
    late, beside, slow = (
        cost.cost(shape(), Recipe(compare=names), MEASURED).train
        for names in ([], ["concat"], ["bottleneck"])
    )
    assert late < beside < slow


def test_rules_of_the_study_are_trained_without_as_well():
    recipe, twice = Recipe(), Shape(1000, 4, shape().inputs, rules=1)
    assert cost.steps(twice, recipe) == 2 * cost.steps(shape(), recipe)
