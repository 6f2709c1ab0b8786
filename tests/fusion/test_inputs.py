"""A bundle answers from raw inputs: files, bytes, pictures in memory, words, numbers; any of them,
one sample or many.
"""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
from PIL import Image

import fusion
from fusion.__main__ import main
from fusion.core.files import digest_of, write_json
from fusion.core.progress import Progress
from fusion.data.alignment import Aligned, Cell, Modality
from fusion.encoders import load as load_encoder
from fusion.pipeline.bundle import BundleError
from fusion.pipeline.raw_inputs import InputError
from fusion.pipeline.run import train

WORDS = ("a pair of shoes", "three little pigs", "one lonely tree")
ROOT = Path(__file__).parents[2]


def picture(folder: Path, i: int) -> Path:
    rng = np.random.default_rng(i)
    path = folder / f"{i}.png"
    Image.fromarray((rng.random((20, 20)) * 100 + 70 * (i % 3)).astype(np.uint8)).save(path)
    return path


def sound(folder: Path, i: int) -> Path:
    path = folder / f"{i}.wav"
    wave = (
        np.sin(np.arange(4000 + 40 * i) * 0.05 * (1 + i % 3))
        + np.random.default_rng(i).normal(size=4000 + 40 * i) * 0.1
    )
    soundfile.write(path, 0.5 * wave / np.abs(wave).max(), 16_000)
    return path


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    """Rows of raw inputs, with a table of one number and one category, and the alignment that a
    study would make of them.
    """
    folder = tmp_path_factory.mktemp("media")
    files: dict[str, Path] = {}
    rows, cells = [], {name: [] for name in ("image", "speech", "clue", "facts")}
    for i in range(36):
        row = {
            "image": picture(folder, i),
            "speech": sound(folder, i),
            "clue": f"{WORDS[i % 3]} {i}",
            "facts": [float(i % 5), float(i % 2)],
        }
        rows.append(row)
        for name in ("image", "speech"):
            digest = digest_of(row[name].read_bytes().hex())
            files[digest] = row[name]
            cells[name].append(Cell(digest))
        cells["clue"].append(Cell.text(row["clue"]))
        cells["facts"].append(Cell.numbers(row["facts"]))
    kinds = {"image": "image", "speech": "audio", "clue": "text", "facts": "table"}
    modalities = {
        name: Modality(
            kind,
            cells[name],
            fields=["s.size", "s.site=A"] if kind == "table" else [],
            media=files.__getitem__,
        )
        for name, kind in kinds.items()
    }
    groups = {"s.site": [f"S{i // 3 % 3}" for i in range(36)]}
    return rows, Aligned(
        [f"M{i:02d}" for i in range(36)],
        [f"class {i % 3}" for i in range(36)],
        modalities,
        groups=groups,
    )


@pytest.fixture(scope="module")
def folder(media, small, tmp_path_factory):
    out = tmp_path_factory.mktemp("bundle")
    tiny = {
        "image": [{"name": "tiny-image"}],
        "speech": [{"name": "tiny-audio"}],
        "clue": [{"name": "tiny-text"}],
    }
    recipe = small(inner_folds=1).model_copy(
        update={"encoders": type(small()).parse({"encoders": tiny}).encoders}
    )
    train(media[1], recipe, out, None, Progress())
    return out


@pytest.fixture(scope="module")
def bundle(folder):
    return fusion.load(folder)


@pytest.mark.parametrize(
    "names",
    [
        ["image"],
        ["speech"],
        ["clue"],
        ["facts"],
        ["image", "clue"],
        ["image", "speech", "clue", "facts"],
    ],
)
@pytest.mark.parametrize("method", [None, "gated"])
def test_any_subset_of_raw_inputs_answers_as_training_read_them(bundle, media, names, method):
    rows, aligned = media
    given = [{name: row[name] for name in names} for row in rows[:7]]
    x, mask = bundle.embedded(aligned, None, Progress())
    wanted = bundle.predict_features(
        {n: v[:7] for n, v in x.items()}, mask[:7] & np.isin(bundle.modalities, names), method
    )
    np.testing.assert_allclose(bundle.predict(given, method), wanted, atol=1e-6)


def test_one_sample_or_many_in_any_order_answer_the_same(bundle, media):
    rows = media[0][:9]
    together = bundle.predict(rows)
    np.testing.assert_allclose(
        np.concatenate([bundle.predict(row) for row in rows]), together, atol=1e-5
    )
    np.testing.assert_allclose(bundle.predict(rows[::-1])[::-1], together, atol=1e-5)
    np.testing.assert_allclose(
        bundle.predict({name: [row[name] for row in rows] for name in rows[0]}), together, atol=1e-5
    )


def test_a_fresh_process_answers_the_same_and_loads_nothing_before_it_is_asked(
    folder, bundle, media, tmp_path
):
    row = {name: str(value) for name, value in media[0][4].items() if name != "facts"}
    code = (
        "import sys, json, fusion; assert not {'torch', 'numpy'} & set(sys.modules);"
        "print(json.dumps(fusion.load(sys.argv[1]).predict(json.loads(sys.argv[2])).tolist()))"
    )
    path = os.pathsep.join([str(ROOT / "platform"), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", code, folder, json.dumps(row)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": path},
    )
    np.testing.assert_allclose(json.loads(done.stdout), bundle.predict(row), atol=1e-5)


def test_bytes_pictures_in_memory_and_fields_by_name_are_the_same_inputs(bundle, media):
    row = media[0][5]
    with Image.open(row["image"]) as image:
        image.load()
    other = {
        "image": image,
        "speech": row["speech"].read_bytes(),
        "clue": row["clue"],
        "facts": {"size": row["facts"][0], "s.site": "A"},
    }
    np.testing.assert_allclose(bundle.predict(other), bundle.predict(row), atol=1e-6)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I", "F", "CMYK"])
def test_a_picture_of_every_mode_is_read(bundle, mode):
    assert bundle.predict({"image": Image.new("L", (9, 9), 7).convert(mode)}).shape == (1, 3)


def test_a_sample_with_nothing_among_others_gets_the_prior(bundle):
    np.testing.assert_allclose(
        bundle.predict([{"clue": "one"}, {}])[1], np.exp(bundle.log_prior), atol=1e-6
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"image": "nowhere.png"}, r"image of sample 1 \(nowhere\.png\) is not there"),
        ({"speech": b"RIFFxxxxWAVE"}, "speech of sample 1 ends in the middle of its header"),
        ({"image": b"no picture at all"}, "image of sample 1 is text, not image"),
        ({"image": 3}, "is a int; give a path"),
        ({"smell": "rose"}, "knows no modality smell; it reads clue, facts, image, speech"),
        ({}, "Nothing to predict from"),
        ({"clue": None}, "Nothing to predict from"),
        ({"clue": 3}, "clue of sample 1 is a int; give a string"),
        ({"clue": ["a", "b"], "image": [None]}, "differ in length: clue 2, image 1"),
        ({"clue": ["a", "b"], "facts": [1, 0]}, "give a list for each modality"),
        ({"facts": [1]}, r"has 1 numbers; the model reads 2: s\.size, s\.site=A"),
        ({"facts": {"weight": 1}}, "has weight, which the model does not read"),
        ({"facts": {"size": "big"}}, "holds 'big', which is no number"),
        ([{"clue": "a"}, 7], "not int"),
    ],
)
def test_what_cannot_be_read_is_said_in_words(bundle, given, words):
    with pytest.raises(InputError, match=words):
        bundle.predict(given)


def test_a_bundle_of_a_processor_is_read_in_its_own_precision_where_another_is_usual(
    folder, monkeypatch
):
    given = {"clue": "a pair of them"}
    here = fusion.load(folder).predict(given)
    monkeypatch.setattr("fusion.encoders.runtime.usual_precision", lambda: "mixed-fp16")
    there = fusion.load(folder)
    assert np.array_equal(there.predict(given), here)
    assert there.precision == "fp32"
    assert load_encoder("tiny-text").fingerprint != there.loaded["clue"][0].fingerprint


def test_an_encoder_of_other_weights_is_refused(folder, tmp_path):
    facts = json.loads((folder / "bundle.json").read_text())
    facts["encoders"]["clue"][0]["fingerprint"] = "0" * 64
    facts.pop("digest")
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    write_json(tmp_path / "bundle.json", facts | {"digest": digest_of(facts)})
    other = fusion.load(tmp_path)
    with pytest.raises(
        BundleError,
        match="clue would be read by another encoder than in training: tiny-text has other weights",
    ):
        other.predict({"clue": "one"})
    assert other.predict({"speech": sound(tmp_path, 1)}).shape == (1, 3)


def test_a_table_is_answered_by_command_and_what_is_broken_counts_as_missing(
    folder, bundle, media, tmp_path, capsys
):
    rows = media[0]
    for name in ("1.png", "2.png"):
        (tmp_path / name).write_bytes(rows[int(name[0])]["image"].read_bytes())
    lines = [
        "id,image,clue,size,site",
        f"a,1.png,{rows[1]['clue']},2,A",
        "b,gone.png,lonely,,",
        "c,2.png,,1,B",
    ]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    assert (
        main(
            [
                "predict",
                str(folder),
                str(tmp_path / "t.csv"),
                "--out",
                str(tmp_path / "p.parquet"),
                "--cache",
                str(tmp_path / "c"),
            ]
        )
        == 0
    )
    said = capsys.readouterr()
    assert "image of b" in said.err
    assert json.loads(said.out)["samples"] == 3
    found = pq.read_table(tmp_path / "p.parquet")
    assert found.column("key").to_pylist() == ["a", "b", "c"]
    assert found.column("present").to_pylist() == [
        ["clue", "facts", "image"],
        ["clue"],
        ["facts", "image"],
    ]
    wanted = bundle.predict(
        [
            {"image": rows[1]["image"], "clue": rows[1]["clue"], "facts": {"size": 2, "site": "A"}},
            {"clue": "lonely"},
            {"image": rows[2]["image"], "facts": [1, 0]},
        ]
    )
    np.testing.assert_allclose(
        np.array(found.column("probabilities").to_pylist()), wanted, atol=1e-5
    )


def test_a_table_without_any_input_is_an_error_in_words(folder, tmp_path, capsys):
    (tmp_path / "t.csv").write_text("id,colour\na,red\n")
    assert main(["predict", str(folder), str(tmp_path / "t.csv")]) == 2
    assert (
        "t.csv has the columns id, colour; the model reads clue, s.size, s.site=A, image, speech"
        in capsys.readouterr().err
    )


def test_the_card_tells_the_score_and_names_every_encoder(folder, bundle):
    text = (folder / "card.md").read_text()
    assert f"{bundle.result.headline.score.value:.3f}" in text
    assert all(part["fingerprint"] in text for parts in bundle.encoders.values() for part in parts)


def test_pictures_in_memory_leave_no_file_behind(bundle, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    out = io.BytesIO()
    Image.new("L", (9, 9), 7).save(out, "PNG")
    bundle.predict({"image": out.getvalue()})
    assert not list(tmp_path.iterdir())


def test_rules_read_the_texts_and_numbers_that_are_given_as_inputs(bundle):
    from dataclasses import replace

    rule = {"when": 's.words contains "pair"', "label": "class 2", "hard": True}
    recipe = type(bundle.recipe).parse(
        bundle.recipe.model_dump() | {"knowledge": {"rules": [rule]}}
    )
    ruled = replace(bundle, recipe=recipe, fields=bundle.fields | {"clue": ["s.words"]})
    p = ruled.predict([{"clue": "a pair"}, {"clue": "a tree"}])
    assert p[0].tolist() == [0, 0, 1]
    np.testing.assert_allclose(p[1], bundle.predict({"clue": "a tree"})[0], atol=1e-6)
