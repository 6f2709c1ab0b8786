"""Questions to Parquet files. Rows are never copied into the database; DuckDB reads them where they
lie.

A connection sees the files that it was opened for and nothing else: no other file, no network, no
extension, no setting can be reached through a query. Connections are kept, one a set of files, in
two threads of their own, and renewed, since DuckDB's memory grows.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass
from typing import Any

import duckdb

THREADS = 2
KEPT = 2
"""Connections kept in each thread; each holds some ten megabytes."""
LARGE_BYTES = 16 * 2**20
"""From here on a question is worth two cores; below, a second thread only costs memory."""
RENEW_AFTER = 200
KEPT_ANSWERS = 64
MEMORY = "192MB"
SECONDS = 20.0

UNREADABLE = (
    duckdb.IOException,
    duckdb.PermissionException,
    duckdb.InvalidInputException,
    duckdb.OutOfMemoryException,
    duckdb.InterruptException,
)
"""A file that is gone, damaged or no Parquet; too little memory; too slow. A wrong question is a
fault of ours and is raised as it is.
"""

Files = tuple[str, ...]
Row = dict[str, Any]
Question = tuple[str, Sequence[Any]]


class CannotRead(Exception):
    """The file is gone, damaged, or the question took too long: the page says so."""


def identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def pattern(text: str) -> str:
    """Return the pattern for `ILIKE ? ESCAPE '!'` that finds the text anywhere, its own % and _
    literal.
    """
    escaped = text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{escaped}%"


def locked(
    files: Iterable[str], threads: int = 2, memory: str = MEMORY, spill: str = ""
) -> duckdb.DuckDBPyConnection:
    """A connection that can reach these files and nothing else; `spill` is a folder for what does
    not fit into memory.
    """
    connection = duckdb.connect(":memory:", config={"threads": threads, "async_threads": 0})
    paths = ", ".join(literal(path) for path in files)
    for setting in (
        f"SET memory_limit = '{memory}'",
        "SET preserve_insertion_order = true",
        "SET allocator_flush_threshold = '64KB'",
        "SET allocator_bulk_deallocation_flush_threshold = '64KB'",
        f"SET temp_directory = {literal(spill)}",
        "SET autoinstall_known_extensions = false",
        "SET autoload_known_extensions = false",
        f"SET allowed_paths = [{paths}]",
        "SET enable_external_access = false",
    ):
        connection.execute(setting)
    return connection


def size_of(files: Files) -> int:
    return sum(os.path.getsize(path) for path in files if os.path.exists(path))


def reader(files: Files) -> duckdb.DuckDBPyConnection:
    """Views t0, t1, ... over the files, in their order."""
    connection = locked(files, threads=2 if size_of(files) >= LARGE_BYTES else 1)
    for number, path in enumerate(files):
        connection.execute(
            f"CREATE VIEW t{number} AS SELECT * FROM read_parquet({literal(path)}, "
            "file_row_number=true)"
        )
    connection.execute("SET lock_configuration = true")
    return connection


@dataclass
class PooledConnection:
    connection: duckdb.DuckDBPyConnection
    uses: int = 0


_pool: ThreadPoolExecutor | None = None
_pool_owner = 0
_guard = threading.Lock()
_mine = threading.local()


def _threads() -> ThreadPoolExecutor:
    """Made in the process that uses it: threads do not survive the supervisor's fork."""
    global _pool, _pool_owner
    with _guard:
        if _pool is None or _pool_owner != os.getpid():
            _pool, _pool_owner = ThreadPoolExecutor(THREADS, thread_name_prefix="duck"), os.getpid()
        return _pool


def _kept(files: Files) -> PooledConnection:
    cache: OrderedDict[Files, PooledConnection] = _mine.__dict__.setdefault("cache", OrderedDict())
    known = cache.pop(files, None)
    if known and known.uses >= RENEW_AFTER:
        known.connection.close()
        known = None
    cache[files] = known or PooledConnection(reader(files))
    while len(cache) > KEPT:
        cache.popitem(last=False)[1].connection.close()
    return cache[files]


def _answer(files: Files, questions: Sequence[Question]) -> list[list[Row]]:
    pooled = _kept(files)
    pooled.uses += len(questions)
    timer = threading.Timer(SECONDS, pooled.connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        return [_rows(pooled.connection, sql, parameters) for sql, parameters in questions]
    finally:
        timer.cancel()


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any]) -> list[Row]:
    cursor = connection.execute(sql, list(parameters))
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row)) for row in cursor.fetchall()]


def ask(files: Files, questions: Sequence[Question]) -> list[list[Row]]:
    """The rows of each question, in their order; views t0, t1, ... stand for the files. Raises
    CannotRead.
    """
    try:
        return _threads().submit(_answer, files, questions).result(SECONDS * 2)
    except (*UNREADABLE, Late) as error:
        raise CannotRead(str(error).splitlines()[0]) from error


def ask_one(files: Files, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
    return ask(files, [(sql, parameters)])[0]


_answers: OrderedDict[tuple[Any, ...], list[list[Row]]] = OrderedDict()


def ask_once(files: Files, questions: Sequence[Question]) -> list[list[Row]]:
    """Answer as `ask` does; the answers are kept in this process, since what a file holds never
    changes.
    """
    key = (files, *((sql, *values) for sql, values in questions))
    if key not in _answers:
        _answers[key] = ask(files, questions) if questions else []
        while len(_answers) > KEPT_ANSWERS:
            _answers.popitem(last=False)
    return _answers[key]
