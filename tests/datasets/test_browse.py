"""Looking at one data set, and at the list of them."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.http import QueryDict
from django.test import Client

from apps.datasets.blobs import blob_path
from apps.datasets.browsing.frames import Frame, frame_of_version, frame_of_versions
from apps.datasets.browsing.sample_list import Browse, browse, neighbours
from apps.datasets.models import Version
from apps.datasets.queries import newest_versions
from tests.made import make_study, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(team: Any) -> dict[str, Version]:
    return make_study(team.vision, team.speech)


@pytest.fixture
def frame(team: Any, study: dict[str, Version]) -> Frame:
    return frame_of_versions(newest_versions(team.project))


def keys(frame: Frame, query: str, project: Any) -> list[str]:
    return [
        card.key for card in browse(frame, QueryDict(f"{query}&size=48&view=cards"), project).cards
    ]


def counts_of(page: Browse) -> dict[str, int]:
    return {modality["name"]: modality["count"] for modality in page.inputs}


def test_samples_of_all_data_sets_are_joined_on_the_key(frame: Frame, team: Any) -> None:
    found = browse(frame, QueryDict(), team.project)
    assert (found.total, found.count, len(found.cards)) == (30, 30, 12)
    assert counts_of(found) == {"Handwriting": 24, "Recordings": 26, "Clues": 27}
    assert sum(row.total for row in found.patterns) == 30


def test_a_sample_that_only_one_data_set_has_is_shown(team: Any, study: dict[str, Version]) -> None:
    make_version(
        team.speech,
        "accents",
        {"sample_id": ("id", ["S001", "X900"]), "accent": ("category", ["north", "south"])},
    )
    frame = frame_of_versions(newest_versions(team.project))
    assert keys(frame, "accents.accent=south", team.project) == ["X900"]
    assert browse(frame, QueryDict(), team.project).total == 31


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("handwriting.legibility=poor", {f"S{n:03}" for n in range(0, 30, 4)}),
        ("handwriting.legibility=poor&samples.label=one", {"S000", "S012", "S024"}),
        ("samples.label=one&samples.label=two", {f"S{n:03}" for n in range(30) if n % 3 < 2}),
        ("from:recordings.seconds=0.475", {"S028", "S029"}),
        ("to:recordings.seconds=0.205", {"S000"}),
        ("q=leaf+16", {"S016"}),
        ("q=s00", {f"S{n:03}" for n in range(10)}),
        ("missing=recordings.file&present=clues.clue", {"S006", "S013", "S020", "S027"}),
        (
            "has=Handwriting",
            {f"S{n:03}" for n in range(30) if n % 5 != 4 and n % 7 == 6 and n % 9 == 8},
        ),
        ("flag=silent", {"S003"}),
        ("q=100%25", set()),
    ],
)
def test_a_filter_finds_what_it_says(
    frame: Frame, team: Any, query: str, expected: set[str]
) -> None:
    assert set(keys(frame, query, team.project)) == expected


def test_a_facet_counts_what_the_other_filters_leave(frame: Frame, team: Any) -> None:
    found = browse(frame, QueryDict("samples.label=one&handwriting.legibility=poor"), team.project)
    label = next(facet for facet in found.facets if facet.column.ref == "samples.label")
    counts = {one["value"]: (one["count"], one["total"], one["checked"]) for one in label.options}
    assert counts == {"one": (3, 10, True), "two": (3, 10, False), "three": (2, 10, False)}


def test_a_chip_takes_its_filter_away_and_clear_all_keeps_the_view(frame: Frame, team: Any) -> None:
    found = browse(
        frame,
        QueryDict("samples.label=one&q=leaf&view=table&sort=-recordings.seconds"),
        team.project,
    )
    assert [chip.label for chip in found.chips] == ["Label: one", "Search: leaf"]
    assert "samples.label" not in found.chips[0].href
    assert "q=leaf" in found.chips[0].href
    assert found.clear == "?view=table&sort=-recordings.seconds"


def test_rows_are_sorted_with_the_missing_last(frame: Frame, team: Any) -> None:
    assert keys(frame, "sort=-recordings.seconds", team.project)[:2] == ["S029", "S028"]


def test_most_disagreement_comes_first(frame: Frame, team: Any) -> None:
    found = browse(frame, QueryDict("sort=-disagreement"), team.project)
    assert found.cards[0].agreement == "2 of 3"


def test_neighbours_follow_the_filter_and_the_order(frame: Frame) -> None:
    before, after, place, n = neighbours(frame, QueryDict("samples.label=one"), "S003")
    assert (before, after, place, n) == ("S000", "S006", 2, 10)
    assert neighbours(frame, QueryDict("samples.label=one"), "S004") == (None, None, 0, 0)


def test_an_unknown_filter_is_left_out_not_an_error(frame: Frame, team: Any) -> None:
    found = browse(
        frame,
        QueryDict(
            "nothing.there=1&page=99999&size=7&sort=x&from:recordings.seconds=abc&has=Smell&missing=y"
        ),
        team.project,
    )
    assert found.count == 30
    assert not found.chips


def test_the_address_cannot_carry_sql(frame: Frame, team: Any) -> None:
    nasty = QueryDict(mutable=True)
    nasty["q"] = "' OR 1=1 --"
    nasty["samples.label"] = "one') OR true --"
    nasty["sort"] = '"; DROP VIEW t0'
    assert browse(frame, nasty, team.project).count == 0
    assert browse(frame, QueryDict(), team.project).count == 30


@pytest.mark.parametrize(
    "path",
    [
        "",
        "handwriting/",
        "handwriting/?view=table",
        "readings/",
        "recordings/columns/",
        "recordings/check/",
        "clues/versions/",
        "clues/discussion/",
        "readings/agreement/",
    ],
)
def test_each_page_of_data_answers_in_few_queries(
    client: Client,
    team: Any,
    study: dict[str, Version],
    path: str,
    django_assert_max_num_queries: Any,
) -> None:
    client.force_login(team.viewer)
    with django_assert_max_num_queries(25):
        assert client.get(f"/p/digits/data/{path}").status_code == 200
    client.force_login(team.outsider)
    assert client.get(f"/p/digits/data/{path}").status_code == 404


def test_a_project_without_data_says_what_to_do_next(client: Client, team: Any) -> None:
    client.force_login(team.contributor)
    assert "No data set yet" in client.get("/p/digits/data/").content.decode()


def test_what_was_set_aside_is_told_with_file_and_row(
    client: Client, team: Any, study: dict[str, Version]
) -> None:
    client.force_login(team.viewer)
    page = client.get("/p/digits/data/recordings/check/").content.decode()
    assert "1 broken file" in page
    assert "ends in the middle of its data" in page
    assert "broken file" in client.get("/p/digits/data/recordings/").content.decode()


def test_a_damaged_table_is_told_not_a_fault(client: Client, team: Any) -> None:
    version = make_version(
        team.vision, "spoilt", {"sample_id": ("id", ["A"]), "note": ("text", ["x"])}
    )
    path = Path(blob_path(version.table.sha256))
    path.write_bytes(b"no parquet at all")
    client.force_login(team.viewer)
    page = client.get("/p/digits/data/spoilt/")
    path.unlink()
    assert page.status_code == 200
    assert "This version cannot be shown" in page.content.decode()


def test_an_older_version_keeps_its_address(client: Client, team: Any) -> None:
    for number, rows in ((1, ["A"]), (2, ["A", "B"])):
        make_version(
            team.vision,
            "growing",
            {"sample_id": ("id", rows), "note": ("text", rows)},
            number=number,
        )
    client.force_login(team.viewer)
    assert "1 of 1 " in client.get("/p/digits/data/growing/?v=1").content.decode()
    assert "2 of 2 " in client.get("/p/digits/data/growing/").content.decode()
    assert client.get("/p/digits/data/growing/?v=7").status_code == 404


def test_the_list_filters_by_discipline_and_input(
    client: Client, team: Any, study: dict[str, Version]
) -> None:
    client.force_login(team.viewer)
    page = client.get("/p/digits/data/?modality=audio&discipline=SP").content.decode()
    assert re.search(r"Recordings\s*</a>", page)
    assert not re.search(r"Handwriting\s*</a>", page)


def test_the_joined_file_is_a_cache_that_may_vanish(frame: Frame, team: Any) -> None:
    for path in (settings.HOME / "cache" / "joined").glob("*.parquet"):
        path.unlink()
    again = frame_of_versions(newest_versions(team.project))
    assert again.files == frame.files
    assert Path(again.files[0]).exists()


def test_one_table_is_shown_by_its_own_columns(team: Any, study: dict[str, Version]) -> None:
    frame = frame_of_version(study["handwriting"])
    assert [column.ref for column in frame.columns] == [
        "handwriting.file",
        "handwriting.legibility",
        "handwriting.writer",
    ]
    assert counts_of(browse(frame, QueryDict(), team.project)) == {"Handwriting": 24}
