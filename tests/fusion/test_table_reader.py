"""Facts about the one reader of tables: what people save is read rightly, or told with its line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from fusion.core.column_values import to_text, value_of
from fusion.data.child import read_in_child
from fusion.data.modalities import BrokenFile
from fusion.data.tables.findings import CODES, Findings
from fusion.data.tables.media_files import MediaFiles
from fusion.data.tables.reader import RawTable, read_table
from fusion.data.tables.typed import ColumnChoice, TypedTable, fill

Made = Callable[..., Path]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    def write(content: str | bytes, encoding: str = "utf-8") -> Path:
        path = tmp_path / "t.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


def typed(raw: RawTable, **choices: dict[str, Any]) -> tuple[TypedTable, dict[str, list[str]]]:
    """The table with its findings: code -> messages."""
    table, findings = TypedTable("t.csv", "id"), Findings()
    chosen = {name: ColumnChoice(**choice) for name, choice in choices.items()}
    fill(table, raw, chosen, lambda name: None, findings)
    messages: dict[str, list[str]] = {}
    for finding in findings:
        messages.setdefault(finding.code, []).append(str(finding))
    return table, messages


def values(path: Path, column: str, **choice: Any) -> tuple[Any, set[str]]:
    table, messages = typed(read_table(path), **({column: choice} if choice else {}))
    return table.columns[column].values, set(messages)


@pytest.mark.parametrize(
    ("content", "column", "expected", "codes"),
    [
        ("id;x\na;3,5\nb;-1,25\n", "x", [3.5, -1.25], {"decimal_comma"}),
        ("id\tx\na\t3,5\nb\t7\n", "x", [3.5, 7.0], {"decimal_comma"}),
        ("id;x\na;1.234,5\nb;7\n", "x", [1234.5, 7.0], {"decimal_comma"}),
        ('id,x\na,"1,234"\nb,"12,345,678"\n', "x", [1234.0, 12345678.0], {"thousands"}),
        ("id;x\na;1 234,5\nb;2\n", "x", [1234.5, 2.0], {"decimal_comma"}),
        ("id,x\na,1.234\nb,2.5\n", "x", [1.234, 2.5], set()),
        ("sep=;\nid;x\na;1\nb;2\n", "x", [1.0, 2.0], {"separator_line"}),
        ("id,x,,\na,1,,\nb,2,,\n,,,\n", "x", [1.0, 2.0], {"empty_columns"}),
        ("\n\nid,x\na,1\n\nb,2\n\n", "x", [1.0, 2.0], set()),
        ("id,x\na,3.11.2026\nb,28.12.2026\n", "x", ["2026-11-03T00:00:00", "2026-12-28T00:00:00"], {"dates"}),
        ("id,x\na,11/28/2026\nb,1/2/2026 9:30\n", "x", ["2026-11-28T00:00:00", "2026-01-02T09:30:00"], {"dates"}),
        ("id,x\na,3 Nov 2026\nb,4 Dec 2026\n", "x", ["2026-11-03T00:00:00", "2026-12-04T00:00:00"], {"dates"}),
        ("id,x\na,2026-01-02\nb,2026-01-02T10:00Z\n", "x", ["2026-01-02T00:00:00", "2026-01-02T10:00:00"], set()),
        ("id,x\na,red#blue\nb,red\n", "x", [["red", "blue"], ["red"]], {"tags_split"}),
        ('id,x\na,"[""red"", ""blue""]"\nb,"[""red""]"\n', "x", [["red", "blue"], ["red"]], set()),
        ("id,x\na,red;blue;red\nb,blue;red\n", "x", [["red", "blue"], ["blue", "red"]], set()),
    ],
)  # fmt: skip
def test_what_people_save_is_read_as_they_mean_it_and_told(
    made: Made, content: str, column: str, expected: list[Any], codes: set[str]
) -> None:
    assert values(made(content), column) == (expected, codes)


def test_the_mark_of_numbers_can_be_chosen(made: Made) -> None:
    path = made('id,x\na,"1,234"\nb,"2,5"\n')
    assert values(path, "x", kind="number")[0] == [1.234, 2.5]
    assert values(path, "x", kind="number", decimal=".")[0] == [1234.0, None]


def test_a_class_called_none_is_kept_and_told(made: Made) -> None:
    path = made("id,grade\na,None\nb,mild\nc,NA\nd,\ne,nan\n")
    table, messages = typed(read_table(path), grade={"kind": "label"})
    assert table.columns["grade"].values == ["None", "mild", "NA", None, None]
    assert messages["kept_words"] == [
        "t.csv, column grade: 1 cells say None, which is kept as a value; leave a cell empty "
        "where it is unknown",
        "t.csv, column grade: 1 cells say NA, which is kept as a value; leave a cell empty where "
        "it is unknown",
    ]
    assert messages["missing_words"] == [
        "t.csv, column grade: 1 cells say nan, which is read as missing"
    ]


def test_a_missing_word_in_a_number_or_a_group_is_told_with_its_count(made: Made) -> None:
    path = made("id,x,site\na,1,NA\nb,NA,S1\nc,NA,S2\n")
    _, messages = typed(read_table(path), x={"kind": "number"}, site={"kind": "group"})
    assert messages["missing_words"] == [
        "t.csv, column x: 2 cells say NA, which is read as missing",
        "t.csv, column site: 1 cells say NA, which is read as missing",
    ]


def test_labels_lose_stray_spaces_and_invisible_characters(made: Made) -> None:
    path = made("id,label\na,yes\nb,yes \nc,\u200byes\nd,ye\u0301s\ne,y\u00e9s\nf,a\u00a0 b\n")
    assert values(path, "label", kind="label")[0] == [
        "yes",
        "yes",
        "yes",
        "y\u00e9s",
        "y\u00e9s",
        "a b",
    ]


def test_labels_that_differ_by_capitals_are_told_and_joined_where_asked(made: Made) -> None:
    path = made("id,label\na,Mild\nb,mild\nc,mild\nd,severe\n")
    assert values(path, "label", kind="label") == (
        ["Mild", "mild", "mild", "severe"],
        {"similar_values"},
    )
    joined = values(path, "label", kind="label", join_capitals=True)
    assert joined == (["mild", "mild", "mild", "severe"], {"joined_values"})


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "\u00e9\u6c49"),
        ("utf-8-sig", "\u00e9\u6c49"),
        ("utf-16", "\u00e9\u6c49"),
        ("utf-16-le", "Orl\u00e9ans \u6c49"),
        ("gb18030", "\u80ba\u708e\u60a3\u8005\u7684\u5f71\u50cf"),
        ("cp1252", "Sch\u00e4del \u00fcber \u00f6l"),
    ],
)
def test_encodings_that_systems_save_in_are_read(made: Made, encoding: str, text: str) -> None:
    raw = read_table(made(f"id;note\r\na;{text}\r\n", encoding))
    assert raw.columns["note"] == [text]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('id,x\na,"one"two\n', "line 2 has a quotation mark inside a quoted cell"),
        ('id,x\na,1\nb,"two\nc,3\n', "the quotation mark that opens in line 3 is never closed"),
        ("Results of May\nid,x\na,1\n", "'Results of May' alone in line 1, which looks like a "
            "title"),
        ("id,,x\na,1,2\n", "has no name for column 2 in its heading"),
        ("id,x,\na,1,2\n", "has no name for column 3 in its heading .line 1., but a value in it "
            "in line 2"),
        ("k,k\n1,2\n", "names column k twice"),
        ("", "is empty"),
        ("\n\n", "has no heading"),
        ("id,x\na," + "y" * 1_100_000 + "\n", "line 2 has a cell of more than 1,000,000 "
            "characters"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_read_says_where_and_what_to_do(
    made: Made, content: str, message: str
) -> None:
    with pytest.raises(BrokenFile, match=message):
        read_table(made(content))


def test_rows_that_cannot_be_used_are_named_with_their_line(made: Made) -> None:
    raw = read_table(made('id;x\na;"one\ntwo"\nb;\nc;1;2\n;5\nb;6\n'))
    table, messages = typed(raw, x={"kind": "text"})
    assert (table.keys, table.lines) == (["a", "b"], [2, 4])
    assert table.columns["x"].values == ["one\ntwo", None]
    assert {code: len(found) for code, found in messages.items()} == {
        "ragged": 1,
        "missing_key": 1,
        "duplicate_key": 1,
    }
    assert messages["ragged"][0].startswith("t.csv, line 5: the row has 3 cells")
    assert "stands already in line 4" in messages["duplicate_key"][0]


def test_parquet_is_read_as_a_csv_of_it_would_be(tmp_path: Path) -> None:
    from datetime import date, timedelta
    from decimal import Decimal

    path = tmp_path / "t.parquet"
    columns = {
        "id": [1.0, 2.0],
        "flag": [True, None],
        "grade": [0.0, 1.0],
        "price": [Decimal("1.5"), Decimal("2")],
        "day": [date(2026, 1, 2), None],
        "lasted": [timedelta(seconds=1), None],
        "place": [{"x": 1}, {"x": 2}],
        "blob": [b"1", b"2"],
        "colour": pa.array(["red", "blue"]).dictionary_encode(),
        "gap": [float("nan"), 1.0],
    }
    parquet.write_table(pa.table(columns), path)
    table, messages = typed(read_in_child(path), grade={"kind": "label"}, flag={"kind": "label"})
    assert table.keys == ["1", "2"]
    assert {name: column.values for name, column in table.columns.items()} == {
        "flag": ["true", None],
        "grade": ["0", "1"],
        "price": [1.5, 2.0],
        "day": ["2026-01-02T00:00:00", None],
        "colour": ["red", "blue"],
        "gap": [None, 1.0],
    }
    assert len(messages["unusable_column"]) == 3
    assert "duration" in messages["unusable_column"][0]


def test_a_table_read_in_a_child_is_the_same(made: Made) -> None:
    path = made("id;x\na;3,5\nb;4;5\nc;1\n")
    assert read_in_child(path) == read_table(path)


def test_a_broken_table_says_the_same_in_a_child(made: Made) -> None:
    with pytest.raises(BrokenFile, match="names column k twice"):
        read_in_child(made("k,k\n1,2\n"))


@pytest.mark.parametrize(
    "name",
    [
        "a/S1.png",
        "a\\S1.png",
        "./a/S1.png",
        "A/s1.PNG",
        "S1.png",
        "top/a/S1.png",
        "a/S1",
        "caf\u00e9.png",
    ],
)
def test_a_file_is_found_by_what_people_do_to_paths(tmp_path: Path, name: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/S1.png").touch()
    (tmp_path / "cafe\u0301.png").touch()
    for files in (
        MediaFiles(folder=tmp_path),
        MediaFiles(
            {"a/S1.png": tmp_path / "a/S1.png", "cafe\u0301.png": tmp_path / "cafe\u0301.png"}
        ),
    ):
        found = files.find(name)
        assert found is not None
        assert found.exists()


@pytest.mark.parametrize("name", ["S2.png", "b/S1.png", "../t.csv", "/etc/passwd", "", "x/y"])
def test_a_file_that_is_not_there_is_not_guessed(tmp_path: Path, name: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "c").mkdir()
    (tmp_path / "a/S1.png").touch()
    (tmp_path / "c/S1.png").touch()
    assert MediaFiles(folder=tmp_path).find(name) is None


def test_an_underscore_makes_no_number() -> None:
    with pytest.raises(ValueError, match=r"no (finite )?number"):
        value_of("1_000", "number")


def test_whole_numbers_are_named_without_their_point() -> None:
    assert [to_text(value) for value in (2.0, 2, "2.0", True)] == ["2", "2", "2", "true"]


def test_every_sentence_of_a_finding_can_be_worded() -> None:
    findings = Findings()
    for code in CODES:
        assert "{" not in str(findings.add(code, "t.csv", 3, "k", "c", text="x", hint="y", n=2))
