"""What earlier versions of the engine wrote stays readable: an alignment and a bundle with its
result, written at schema 1 and format 1 of 2026-11, when layers were mixed and places attended.
"""

import json
from pathlib import Path

import numpy as np
import pytest

import fusion
from fusion.data.alignment_files import read_alignment
from fusion.schema.recipe import Recipe, RecipeError
from fusion.schema.result import EvaluationResult

FOLDER = Path(__file__).parent / "written_before"
EXPECTED = json.loads((FOLDER / "expected.json").read_text())
INPUTS = {
    "a": np.linspace(-1, 1, 15).reshape(3, 5),
    "b": np.linspace(-1, 1, 12).reshape(3, 4),
}


def test_an_alignment_written_before_has_the_digest_that_it_had():
    aligned = read_alignment(FOLDER / "alignment.parquet")
    assert len(aligned) == 72
    assert aligned.digest == EXPECTED["digest"]


@pytest.mark.parametrize("method", EXPECTED["answers"])
def test_a_bundle_written_before_predicts_what_it_did(method):
    bundle = fusion.load(FOLDER / "bundle")
    predictions = bundle.predict_features(INPUTS, method=method)
    assert predictions == pytest.approx(np.array(EXPECTED["answers"][method]), abs=1e-6)


def test_a_result_written_before_is_read_whole():
    result = EvaluationResult.model_validate_json((FOLDER / "bundle/result.json").read_bytes())
    assert result.headline.score.value == EXPECTED["score"]
    assert [method.name for method in result.methods] == ["ensemble", "late", "gated"]


def test_a_result_with_learned_weights_of_layers_and_places_is_read():
    data = json.loads((FOLDER / "result_of_removed_settings.json").read_bytes())
    assert data["mixes"]
    assert data["attended"]
    assert EvaluationResult.model_validate(data).seeds == []


def reading(**choice):
    return {"encoders": {"a": [{"name": "numbers"} | choice]}}


@pytest.mark.parametrize(
    ("off", "on", "field"),
    [
        ({"ensemble": {"seeds": False}}, {"ensemble": {"seeds": True}}, "ensemble: `seeds`"),
        (reading(mix=False), reading(mix=True, layers=[1, 2]), r"encoders\.a\.0: `mix`"),
        (reading(attend=False), reading(attend=True), r"encoders\.a\.0: `attend`"),
    ],
)
def test_a_removed_setting_is_ignored_when_off_or_stored_and_refused_when_on(off, on, field):
    assert Recipe.parse(off) == Recipe.stored(off)
    stored = Recipe.stored(on)
    assert Recipe.parse(stored.model_dump(mode="json")) == stored
    with pytest.raises(RecipeError, match=f"^{field} was removed: .*leave it out"):
        Recipe.parse(on)
