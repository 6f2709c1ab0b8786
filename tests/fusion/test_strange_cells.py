"""Cells and files that people really bring: none ends in a traceback, none is lost without a word."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from fusion.core.column_values import BadCell, Writing, to_number, to_tags, to_time
from fusion.data.leaks import find_leaks
from fusion.data.modalities import BrokenFile, series
from fusion.data.tables.findings import Findings
from fusion.data.tables.kinds import guess_kind
from fusion.data.tables.media_files import MediaFiles
from fusion.data.tables.reader import encoding_of, read_table
from fusion.data.tables.typed import ColumnChoice, TypedTable, fill, key_text


def read(
    tmp_path: Path, content: str | bytes, **kinds: str | ColumnChoice
) -> tuple[TypedTable, Findings]:
    path = tmp_path / "t.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    table, findings = TypedTable("t.csv", "key"), Findings()
    choices = {n: k if isinstance(k, ColumnChoice) else ColumnChoice(k) for n, k in kinds.items()}
    fill(table, read_table(path), choices, lambda value: None, findings)
    return table, findings


def told(findings: Findings, code: str) -> list[Any]:
    return [finding for finding in findings if finding.code == code]


def test_rows_inside_quotation_marks_are_told(tmp_path: Path) -> None:
    table, findings = read(tmp_path, 'key,label,x\nA,a,"7\nB,b,x\nC,a,y\nD,b,8"\nE,a,z\n', x="text")
    assert table.keys == ["A", "E"]
    assert [finding.line for finding in told(findings, "rows_in_quotes")] == [2]


def test_a_text_of_several_lines_is_no_such_case(tmp_path: Path) -> None:
    _, findings = read(tmp_path, 'key,x\nA,"One.\nTwo three four.\nFive."\n', x="text")
    assert not told(findings, "rows_in_quotes")


def test_a_long_text_is_no_file(tmp_path: Path) -> None:
    assert MediaFiles(folder=tmp_path).find("word " * 100) is None
    assert MediaFiles(folder=tmp_path).find("w/" * 6000) is None


def test_files_that_differ_by_capitals_alone_are_not_taken_for_each_other(tmp_path: Path) -> None:
    files = MediaFiles({"p/S1.png": tmp_path / "a", "p/s1.png": tmp_path / "b"})
    assert files.find("p/S1.png") == tmp_path / "a"
    assert files.find("p/S1.PNG") is None


def test_labels_are_no_pictures_of_the_same_name() -> None:
    assert guess_kind(["cat", "dog", "cat", "dog"], "label", lambda value: "image") == "label"
    assert guess_kind(["cat", "dog", "owl"], "picture", lambda value: "image") == "image"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("key,label\n" + "".join(f"K{i},dog\n" for i in range(9000)) + "Z,café\n", "cp1252"),
        ("key,temp\nA,20°C\nB,21°C\n", "cp1252"),
        ("key,dose µg\nA,5\n", "cp1252"),
        ("key,label\nA,咳嗽\nB,发烧\nC,正常\n", "gb18030"),
    ],
)
def test_the_encoding_is_that_of_the_lines_that_show_it(
    tmp_path: Path, content: str, encoding: str
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content.encode(encoding))
    assert encoding_of(path) == encoding


def test_a_number_is_read_as_its_column_is_written_or_not_at_all(tmp_path: Path) -> None:
    table, findings = read(tmp_path, 'key,x\nA,"1,234.5"\nB,"1.234,5"\nC,1 5\nD,3\n', x="number")
    assert table.columns["x"].values == [1234.5, None, None, 3.0]
    assert [finding.line for finding in told(findings, "bad_value")] == [3, 4]


def test_nothing_is_thousands_after_a_leading_zero(tmp_path: Path) -> None:
    table, findings = read(tmp_path, 'key,x\nA,"0,123"\nB,"-0,987"\n', x="number")
    assert table.columns["x"].values == [0.123, -0.987]
    assert told(findings, "decimal_comma")


def test_a_chosen_comma_makes_no_other_number_of_a_point(tmp_path: Path) -> None:
    comma = ColumnChoice("number", decimal=",")
    table, findings = read(tmp_path, "key;x\nA;1.5\nB;1 234,5\n", x=comma)
    assert table.columns["x"].values == [None, 1234.5]
    assert [finding.line for finding in told(findings, "bad_value")] == [2]
    with pytest.raises(BadCell):
        to_number("12,34", Writing(thousands=","))


def test_one_impossible_date_leaves_the_others(tmp_path: Path) -> None:
    content = "key,x\nA,03.11.2026\nB,31.02.2026\nC,14.11.2026\n"
    table, findings = read(tmp_path, content, x="time")
    assert table.columns["x"].values == ["2026-11-03T00:00:00", None, "2026-11-14T00:00:00"]
    assert [finding.line for finding in told(findings, "bad_value")] == [3]


@pytest.mark.parametrize("text", ["0001-01-01T00:00+01:00", "9999-12-31T23:00-14:00"])
def test_a_time_beyond_the_calendar_is_a_bad_cell(text: str) -> None:
    with pytest.raises(BadCell):
        to_time(text)


def test_lists_of_tags() -> None:
    assert to_tags("[]") == []
    assert to_tags('[null, "a"]') == ["a"]
    assert len(to_tags("[" * 100_000)) == 1
    for text in ('["\\ud800"]', '["a\\u0000b"]'):
        with pytest.raises(BadCell):
            to_tags(text)


def test_series_keep_empty_places_and_refuse_what_may_be_decimal_commas() -> None:
    assert series.parse("1,2,3") == series.parse("1; 2; 3") == series.parse("1 2 3") == [1, 2, 3]
    assert str(series.parse("1,,2")) == "[1.0, nan, 2.0]"
    for text in ("1,5 2,5", "1,5;2,5;3", "1_000 2", "[" * 20_000, f"[1{'0' * 400}]"):
        with pytest.raises(BrokenFile):
            series.parse(text)


def test_leaks_of_a_label_of_tags() -> None:
    labels = [["a"], ["b"], ["a"], ["b"]]
    assert find_leaks({"x": ("category", ["u", "v", "u", "v"])}, labels)


def test_a_label_is_the_same_by_csv_and_parquet(tmp_path: Path) -> None:
    columns = {
        "number": pa.array([0.0, 1.0, 2.0]),
        "truth": pa.array([True, False, True]),
        "small": pa.array([0.1, 0.25, 3.0], pa.float32()),
    }
    parquet.write_table(pa.table({"key": ["a", "b", "c"], **columns}), tmp_path / "t.parquet")
    kinds = {name: ColumnChoice("label") for name in columns}
    by_parquet = TypedTable("t.parquet", "key")
    fill(by_parquet, read_table(tmp_path / "t.parquet"), kinds, lambda value: None, Findings())
    content = "key,number,truth,small\na,0.0,True,0.1\nb,1,FALSE,0.25\nc,2.0,true,3\n"
    by_csv, _ = read(tmp_path, content, **kinds)
    for name in columns:
        assert by_csv.columns[name].values == by_parquet.columns[name].values
    assert by_csv.columns["number"].values == ["0", "1", "2"]


def test_a_time_in_nanoseconds_is_read(tmp_path: Path) -> None:
    table = pa.table(
        {"key": ["a"], "when": pa.array([1_700_000_000_000_000_001], pa.timestamp("ns"))}
    )
    parquet.write_table(table, tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").columns["when"] == ["2023-11-14T22:13:20"]


def test_keys_written_as_numbers_meet() -> None:
    assert key_text("1.0") == key_text("1") == key_text(1.0) == "1"
    assert key_text("1.10") == "1.10"


def test_every_row_that_is_lost_is_counted(tmp_path: Path) -> None:
    _, findings = read(tmp_path, "key,x\n" + "a,1,5\n" * 3000)
    assert findings.count("ragged") == 3000
    assert findings.count("no_rows") == 1


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_unmarked_utf16_is_read_in_any_script(tmp_path: Path, encoding: str) -> None:
    content = "key,说明\n" + "".join(
        f"{i},这是一段很长的中文说明文字没有拉丁字母\n" for i in range(40)
    )
    table, _ = read(tmp_path, content.encode(encoding))
    assert list(table.columns) == ["说明"]
    assert len(table.keys) == 40


def test_what_is_no_text_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(bytes(range(256)) * 20)
    with pytest.raises(BrokenFile, match="save it as CSV UTF-8"):
        read_table(path)
