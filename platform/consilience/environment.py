"""Settings that come from outside: three addresses choose how the product runs, a few more name the
place.
"""

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

HERE = Path(__file__).parent
ROOT = HERE if (HERE / "templates").is_dir() else HERE.parents[1]
HOME = Path(os.environ.get("CONSILIENCE_HOME") or ROOT / "var").resolve()
os.environ["CONSILIENCE_HOME"] = str(HOME)
"""Also for the engine, which keeps converted encoders there and knows no settings."""


def switch(name: str, default: bool = False) -> bool:
    value = os.environ.get(name)
    return default if value is None else value.strip().lower() in {"1", "true", "yes", "on"}


def words(name: str, default: str) -> list[str]:
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def is_local(names: list[str]) -> bool:
    """Return True where all of these hosts are this machine by a name that nobody else
    can reach.
    """
    return all(name in {"127.0.0.1", "localhost", "::1", "[::1]"} for name in names)


def secret_key() -> str:
    """The key of this installation: from the environment, else made once and kept in the home
    folder, readable by its owner alone.
    """
    if key := os.environ.get("CONSILIENCE_SECRET_KEY"):
        return key
    path = HOME / "secret-key"
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        HOME.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(50))
        return path.read_text().strip()


def sqlite(durable: bool) -> dict[str, Any]:
    """WAL with IMMEDIATE transactions: anything less loses writes to "database is locked"."""
    pragmas = [
        "journal_mode=WAL",
        f"synchronous={'FULL' if durable else 'NORMAL'}",
        "mmap_size=134217728",
        "cache_size=2000",
        "journal_size_limit=27103364",
    ]
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": HOME / "consilience.sqlite3",
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": ";".join(f"PRAGMA {pragma}" for pragma in pragmas),
        },
        "TEST": {"NAME": HOME / "test.sqlite3"},
    }


def database(url: str | None, durable: bool) -> dict[str, Any]:
    if not url:
        return sqlite(durable)
    parts = urlparse(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ValueError(
            f"DATABASE_URL begins with {parts.scheme}://; postgresql:// is what works, or leave "
            "it empty for SQLite."
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": parts.port or "",
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }


def broker(url: str | None) -> dict[str, Any]:
    """Redis where it is named, else a folder that only its owner can read."""
    if url:
        return {
            "CELERY_BROKER_URL": url,
            "CELERY_BROKER_TRANSPORT_OPTIONS": {"visibility_timeout": 86_400},
        }
    folder = HOME / "broker"
    for name in ("queue", "control"):
        (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    options = {
        "data_folder_in": str(folder / "queue"),
        "data_folder_out": str(folder / "queue"),
        "control_folder": str(folder / "control"),
        "polling_interval": 0.05,
    }
    return {
        "CELERY_BROKER_URL": "filesystem://",
        "CELERY_BROKER_TRANSPORT": "consilience.broker:Transport",
        "CELERY_BROKER_TRANSPORT_OPTIONS": options,
    }


def storage(url: str | None) -> dict[str, Any]:
    """Return the storage of blobs: a folder (default, or file:///path), or
    s3://bucket?endpoint=https://host.
    """
    if not url:
        return local_storage(HOME / "blobs")
    parts = urlparse(url)
    if parts.scheme == "file":
        return local_storage(Path(unquote(parts.path)))
    if parts.scheme != "s3":
        raise ValueError(
            f"STORAGE_URL begins with {parts.scheme}://; file:// and s3:// are what works."
        )
    endpoint = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair).get(
        "endpoint"
    )
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": parts.netloc,
            "endpoint_url": endpoint,
            "file_overwrite": True,
            "default_acl": None,
        },
    }


def local_storage(folder: Path) -> dict[str, Any]:
    return {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": folder,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    }
