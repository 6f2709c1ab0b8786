"""What a question to a Parquet file can reach."""

from pathlib import Path

import duckdb
import pyarrow
import pytest
from pyarrow import parquet

from apps.datasets.browsing import duck


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("mine", "other"):
        parquet.write_table(
            pyarrow.table({"a": [1, 2, 3], 'odd "name"': ["x", "y", None]}),
            tmp_path / f"{name}.parquet",
        )
    return tmp_path / "mine.parquet", tmp_path / "other.parquet"


def test_a_question_reads_its_file(files: tuple[Path, Path]) -> None:
    assert duck.ask_one((str(files[0]),), "SELECT a FROM t0 WHERE a > ?", [1]) == [
        {"a": 2},
        {"a": 3},
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_parquet('{other}')",
        "SELECT * FROM glob('{folder}/*')",
        "SELECT * FROM read_text('/etc/passwd')",
        "COPY t0 TO '{folder}/new.parquet'",
        "COPY t0 TO '{mine}'",
        "ATTACH '{folder}/new.db'",
        "EXPORT DATABASE '{folder}/dump'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET memory_limit = '100GB'",
        "RESET allowed_paths",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
    ],
)
def test_nothing_but_its_file_can_be_reached(files: tuple[Path, Path], sql: str) -> None:
    mine, other = files
    connection = duck.reader((str(mine),))
    with pytest.raises((duckdb.PermissionException, duckdb.InvalidInputException)):
        connection.execute(sql.format(mine=mine, other=other, folder=mine.parent))
    assert sorted(path.name for path in mine.parent.iterdir()) == ["mine.parquet", "other.parquet"]
    assert parquet.read_table(mine).num_rows == 3


def test_names_are_quoted(files: tuple[Path, Path]) -> None:
    column = duck.identifier('odd "name"')
    assert duck.ask_one((str(files[0]),), f"SELECT count({column}) AS n FROM t0") == [{"n": 2}]


def test_a_missing_file_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(duck.CannotRead):
        duck.ask_one((str(tmp_path / "gone.parquet"),), "SELECT 1 FROM t0")


def test_a_connection_is_kept_and_renewed(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duck, "THREADS", 1)
    monkeypatch.setattr(duck, "_pool", None)
    monkeypatch.setattr(duck, "RENEW_AFTER", 3)
    opened: list[duck.Files] = []
    real = duck.reader
    monkeypatch.setattr(duck, "reader", lambda paths: opened.append(paths) or real(paths))
    for _time in range(7):
        duck.ask_one((str(files[0]),), "SELECT count(*) FROM t0")
    assert len(opened) == 3
