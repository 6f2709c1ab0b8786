"""The demo's study: made here, honest about what it is, and the same again for every cut."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from consilience.demo.ledger import FORM_STARTS, FORMS, ledger, plan, remark
from consilience.demo.remarks import WORDS


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ledger(tmp_path_factory.mktemp("demo"), samples=60)


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_station_and_form_is_in_a_small_cut(study: Path) -> None:
    entries = rows(study, "entries.csv")
    assert len(entries) == 60
    assert len({entry["station"] for entry in entries}) == 6
    assert len({entry["form"] for entry in entries}) == 12


def test_every_media_file_that_a_table_names_exists_and_opens(study: Path) -> None:
    import soundfile

    images, recordings = rows(study, "vision_team.csv"), rows(study, "speech_team.csv")
    assert images
    assert recordings
    for row in images:
        assert Image.open(study / row["file"]).size == (32, 32)
    for row in recordings:
        assert soundfile.info(study / row["file"]).samplerate == 16_000


def test_each_team_lacks_some_samples_and_no_sample_is_empty() -> None:
    from sklearn.datasets import load_digits

    entries = plan(load_digits().target, 90)
    present = np.array([entry.present for entry in entries])
    assert len(entries) == 1_080
    assert present.any(axis=1).all()
    assert ((present.mean(axis=0) > 0.83) & (present.mean(axis=0) < 0.93)).all()


def test_no_digit_is_used_by_two_forms() -> None:
    from sklearn.datasets import load_digits

    assert len({entry.source for entry in plan(load_digits().target, 114)}) == 114 * FORMS
    targets = load_digits().target
    printed = np.arange(20) % 10
    assert FORM_STARTS
    assert all((targets[start : start + 20] == printed).sum() >= 18 for start in FORM_STARTS)


def test_no_remark_names_its_digit() -> None:
    random = np.random.default_rng(0)
    assert len(WORDS) == 10
    for digit, word in enumerate(WORDS):
        remarks = " ".join(
            remark(digit, station, random) for station in range(6) for _ in range(200)
        ).lower()
        assert word not in re.findall("[a-z]+", remarks)
        assert str(digit) not in remarks


def test_the_annotators_contradict_each_other_and_mostly_on_stained_digits(study: Path) -> None:
    folder = ledger(study.parent, samples=240)
    stained = {
        row["sample_id"] for row in rows(folder, "vision_team.csv") if row["quality"] == "stained"
    }
    labels: dict[str, set[str]] = {}
    for row in rows(folder, "labels.csv"):
        labels.setdefault(row["sample_id"], set()).add(row["digit"])
    contradicted = {key for key, given in labels.items() if len(given) > 1}
    assert 5 < len(contradicted) < len(labels) / 2
    assert len(contradicted & stained) > 0.8 * len(contradicted)


def test_a_study_that_is_there_is_not_made_again(study: Path) -> None:
    before = (study / "study.yaml").stat().st_mtime_ns
    assert ledger(study.parent, samples=60) == study
    assert (study / "study.yaml").stat().st_mtime_ns == before


def test_the_study_file_names_tables_that_exist_and_four_disciplines(study: Path) -> None:
    content = yaml.safe_load((study / "study.yaml").read_text(encoding="utf-8"))
    assert [discipline["code"] for discipline in content["disciplines"]] == ["VI", "SP", "LI", "IN"]
    for discipline in content["disciplines"]:
        assert discipline["datasets"]
        for dataset in discipline["datasets"]:
            header = (
                (study / dataset["table"]).read_text(encoding="utf-8").splitlines()[0].split(",")
            )
            assert set(dataset["columns"]) <= set(header)
