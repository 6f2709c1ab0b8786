"""Bring an installation up to date: database, cache table, translations, static files. Does nothing
where nothing changed.
"""

import hashlib
import time
from pathlib import Path
from typing import Any

import polib
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import BaseCommand, CommandParser, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


def migrate() -> str:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not plan:
        return "up to date"
    call_command("migrate", verbosity=0, interactive=False)
    return f"{len(plan)} migrations applied"


def make_cache_table() -> str:
    call_command("createcachetable", verbosity=0)
    return "ready"


def compile_messages() -> str:
    compiled = 0
    for folder in settings.LOCALE_PATHS:
        for source in Path(folder).glob("*/LC_MESSAGES/*.po"):
            target = source.with_suffix(".mo")
            if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
                polib.pofile(str(source)).save_as_mofile(str(target))
                compiled += 1
    return f"{compiled} files compiled" if compiled else "up to date"


def static_digest() -> str:
    """Changes with every file that would be collected: its name, size and time."""
    digest = hashlib.sha256(settings.STORAGES["staticfiles"]["BACKEND"].encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            state = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def collect_static() -> str:
    stamp, digest = Path(settings.STATIC_ROOT) / ".stamp", static_digest()
    if stamp.exists() and stamp.read_text() == digest:
        return "up to date"
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    stamp.write_text(digest)
    return "collected"


STEPS = {
    "database": migrate,
    "cache table": make_cache_table,
    "translations": compile_messages,
    "static files": collect_static,
}


class Command(BaseCommand):
    help = "Bring database, cache table, translations and static files up to date."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--only", choices=STEPS, help="this step alone")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        for name in [options["only"]] if options["only"] else STEPS:
            step = STEPS[name]
            started = time.monotonic()
            result = step()
            self.stdout.write(f"  {name}: {result} ({time.monotonic() - started:.1f} s)")
