"""Versions joined on the sample key, as one cached Parquet file a set of versions.

A full outer join of several files on every request costs seconds at 1,000,000 rows; the joined file
is written once and then read like any other. It can be deleted at any time: the next reader writes
it again.
"""

import hashlib
import os
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings

from apps.datasets.browsing.duck import UNREADABLE, CannotRead, identifier, literal, locked
from apps.datasets.models import Version

FORM = "join-3"
"""Changes with what the file holds, so that older files are left alone."""
MAJORITY = "majority"
INPUTS = ("image", "audio", "text", "series")
KEEP_BYTES = 20 * 2**30
MEMORY = "400MB"


def table_file(version: Version) -> str:
    from apps.datasets.blobs import blob_path

    return str(blob_path(version.table.sha256))


def join_digest(data: Sequence[Version], votes: Sequence[Version]) -> str:
    parts = [FORM, *(f"{version.dataset.slug}:{version.digest}" for version in (*data, *votes))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def joined_file(data: Sequence[Version], votes: Sequence[Version]) -> tuple[str, str]:
    """The path of the joined file, written if it is not there yet, and its digest."""
    digest = join_digest(data, votes)
    folder = settings.HOME / "cache" / "joined"
    path = folder / f"{digest}.parquet"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(path, data, votes)
        _trim(folder, path)
    return str(path), digest


def _write(path: Path, data: Sequence[Version], votes: Sequence[Version]) -> None:
    """Into a file of its own, then moved: a reader never meets half a file."""
    partial = path.with_name(f"{path.stem}.{uuid.uuid4().hex}.part")
    sources = [table_file(version) for version in (*data, *votes)]
    spill = partial.with_suffix(".spill")
    connection = locked([*sources, str(partial)], memory=MEMORY, spill=str(spill))
    try:
        copy = (
            f"COPY ({join_sql(data, votes)}) TO {literal(str(partial))} (FORMAT parquet, "
            "COMPRESSION zstd, USE_TMP_FILE false)"
        )
        connection.execute(copy)
        os.replace(partial, path)
    except UNREADABLE as error:
        raise CannotRead(str(error).splitlines()[0]) from error
    finally:
        connection.close()
        partial.unlink(missing_ok=True)
        shutil.rmtree(spill, ignore_errors=True)


def join_sql(data: Sequence[Version], votes: Sequence[Version]) -> str:
    """One row a sample key that any data set has; what only annotators know of is no sample."""
    names = [f"d{number}" for number in range(len(data))]
    sources = [f"{literal_table(version)} AS {name}" for name, version in zip(names, data)]
    if not sources:
        return "SELECT NULL::VARCHAR AS key WHERE false"
    picked = [
        f"{name}.{identifier(spec['name'])} AS "
        f"{identifier(version.dataset.slug + '.' + spec['name'])}"
        for name, version in zip(names, data)
        for spec in version.columns
        if spec["name"] != version.key_column
    ]
    keys = [f"{name}.{identifier(version.key_column)}" for name, version in zip(names, data)]
    joins = [
        f"FULL JOIN {source} ON {_coalesce(keys[:number])} = {keys[number]}"
        for number, source in enumerate(sources)
        if number
    ]
    voted = [f"v{number}.* EXCLUDE (key)" for number in range(len(votes))]
    left = [
        f"LEFT JOIN ({vote_sql(version)}) v{number} ON v{number}.key = {_coalesce(keys)}"
        for number, version in enumerate(votes)
    ]
    return (
        "SELECT "
        f"{', '.join([f'{_coalesce(keys)} AS key', *picked, *_presences(names, data), *voted])} "
        f"FROM {sources[0]} {' '.join(joins + left)} ORDER BY key"
    )


def presence(ref: str) -> str:
    """The name of the column that says whether a sample has this input."""
    return f"has:{ref}"


def _presences(names: Sequence[str], data: Sequence[Version]) -> list[str]:
    return [
        f"{name}.{identifier(spec['name'])} IS NOT NULL AS "
        f"{identifier(presence(version.dataset.slug + '.' + spec['name']))}"
        for name, version in zip(names, data)
        for spec in version.columns
        if spec["kind"] in INPUTS
    ]


def literal_table(version: Version) -> str:
    return f"read_parquet({literal(table_file(version))})"


def _coalesce(keys: Sequence[str]) -> str:
    return f"coalesce({', '.join(keys)})" if len(keys) > 1 else keys[0]


def vote_sql(version: Version) -> str:
    """Majority (none where two labels have most votes), agreement, votes and most votes of each
    sample.
    """
    slug, key = version.dataset.slug, identifier(version.key_column)

    def name(part: str) -> str:
        return identifier(f"{slug}.{part}")

    counted = (
        f"SELECT {key} AS key, label, count(*) AS n FROM {literal_table(version)} WHERE label IS "
        "NOT NULL GROUP BY ALL"
    )
    ranked = (
        "SELECT key, sum(n) AS votes, max(n) AS most, arg_max(label, n) AS top, count(*) AS "
        f"labels, list(n) AS counts FROM ({counted}) GROUP BY key"
    )
    return (
        "SELECT key, CASE WHEN len(list_filter(counts, lambda x: x = most)) = 1 THEN top END AS "
        f"{name(MAJORITY)}, "
        "CASE WHEN votes = 1 THEN 'one' WHEN labels = 1 THEN 'agree' ELSE 'disagree' END AS "
        f"{name('agreement')}, "
        f"votes::INTEGER AS {name('votes')}, most::INTEGER AS {name('most')} FROM ({ranked})"
    )


def _trim(folder: Path, newest: Path) -> None:
    """The cache keeps within its bound; what was not read for longest goes first."""
    files = sorted(
        (path for path in folder.glob("*.parquet") if path != newest),
        key=lambda path: path.stat().st_atime,
    )
    total = sum(path.stat().st_size for path in files) + newest.stat().st_size
    for path in files:
        if total <= KEEP_BYTES:
            return
        total -= path.stat().st_size
        path.unlink(missing_ok=True)
