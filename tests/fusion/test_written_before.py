"""What earlier versions of the engine wrote stays readable: an alignment and a bundle with its
result, written at schema 1 and format 1 of 2026-11, when layers were mixed and places attended.
"""

import json
from pathlib import Path

import numpy as np
import pytest

import fusion
from fusion.data.alignment_files import read_alignment
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
