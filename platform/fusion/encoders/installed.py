"""The installed encoders: add, check and remove one, for an administrator on the command line.

An encoder is installed whole or not at all: its folder is copied to a temporary one, tested there,
and renamed into its place.
"""

import hashlib
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import yaml

from fusion.encoders import catalogue, load, named, record
from fusion.encoders.adapters.transformers_folder import (
    digest_of,
    family_of,
    load_folder,
    weights_of,
)
from fusion.encoders.base import Encoder, EncoderError, sha256_of
from fusion.encoders.catalogue import WEIGHTS, Entry
from fusion.encoders.record import Check, Record
from fusion.encoders.selftest import Tested, self_test

FILES = (
    "config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "vocab.txt",
    "sentencepiece.bpe.model",
    "spiece.model",
    "tokenizer.model",
    f"{WEIGHTS}.index.json",
    "README.md",
)
"""The files that are copied beside the weights: no code, no pickled weights."""
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")

Log = Callable[[str], None]


@dataclass(frozen=True)
class Origin:
    """The origin of an encoder's files. source and version are shown to everyone, so a path of
    this machine is not among them.
    """

    folder: Path
    source: str
    version: str
    licence: str


def add(path_or_name: str, name: str | None, licence: str | None, log: Log) -> Record:
    """Copy a transformers folder, or download a hub name, into `catalogue.home()`; raises
    EncoderError, and then nothing is left.
    """
    chosen = checked_name(name or Path(path_or_name).resolve().name.lower())
    with staging_folder(chosen) as staging:
        origin = origin_of(path_or_name, staging / "download", log)
        family_of(origin.folder)
        log("copying")
        folder = copied(origin.folder, staging / chosen)
        log("testing on two samples")
        test = self_test(lambda: load_folder(folder, chosen, named(chosen)))
        installed = described(folder, test, replace(origin, licence=licence or origin.licence))
        record.write(folder, installed)
        try:
            folder.rename(catalogue.home() / chosen)
        except OSError as error:
            raise EncoderError(
                f"there is an encoder {chosen} already; remove it first, or give another --name"
            ) from error
    return installed


def checked_name(name: str) -> str:
    """Return the name; raises EncoderError where it is malformed or taken."""
    if not NAME.fullmatch(name):
        raise EncoderError(
            f"{name!r} is no name for an encoder: give --name, lower-case letters, digits, dots "
            f"and hyphens, at most 64"
        )
    if any(entry.name == name for entry in catalogue.registered()):
        raise EncoderError(f"{name} is an encoder that comes with the product; give another --name")
    if (catalogue.home() / name).exists():
        raise EncoderError(
            f"there is an encoder {name} already; remove it first, or give another --name"
        )
    return name


@contextmanager
def staging_folder(name: str) -> Iterator[Path]:
    catalogue.home().mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".adding-{name}-", dir=catalogue.home()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def origin_of(path_or_name: str, download: Path, log: Log) -> Origin:
    folder = Path(path_or_name)
    if folder.is_dir():
        return Origin(folder, "", "", licence_of(folder))
    if not HUB_NAME.fullmatch(path_or_name):
        raise EncoderError(
            f"{path_or_name} is neither a folder on this machine "
            f"nor a hub name of the form owner/model"
        )
    return downloaded(path_or_name, download, log)


def downloaded(name: str, folder: Path, log: Log) -> Origin:
    """Download the small files first, so that a model that cannot be read is refused before its
    weights are fetched.
    """
    from httpx2 import HTTPError
    from huggingface_hub import HfApi, snapshot_download

    try:
        revision = HfApi().model_info(name).sha
        snapshot_download(name, revision=revision, local_dir=folder, allow_patterns=list(FILES))
        family_of(folder)
        log(f"downloading {name} at {revision}")
        snapshot_download(
            name, revision=revision, local_dir=folder, allow_patterns=["*.safetensors"]
        )
    except (OSError, ValueError, HTTPError) as error:
        raise EncoderError(
            f"{name} cannot be downloaded: {str(error).strip().splitlines()[0]}"
        ) from error
    return Origin(folder, f"huggingface.co/{name}", str(revision), licence_of(folder))


def licence_of(folder: Path) -> str:
    """Return the licence in the front matter of a folder's README; empty without one."""
    readme = folder / "README.md"
    parts = (
        readme.read_text(encoding="utf-8", errors="replace").split("---\n", 2)
        if readme.is_file()
        else []
    )
    if len(parts) < 3 or parts[0].strip():
        return ""
    try:
        front_matter = yaml.safe_load(parts[1])
    except yaml.YAMLError:
        # a README for people; --licence says what it does not
        return ""
    return str(front_matter.get("license") or "") if isinstance(front_matter, dict) else ""


def copied(source: Path, target: Path) -> Path:
    target.mkdir()
    for path in [
        *(source / name for name in FILES if (source / name).is_file()),
        *weights_of(source),
    ]:
        shutil.copyfile(path, target / path.name)
    return target


def described(folder: Path, test: Tested, origin: Origin) -> Record:
    family = family_of(folder)
    digests = [sha256_of(path) for path in weights_of(folder)]
    return Record(
        name=folder.name,
        family=family.title,
        kind=family.kind,
        dim=test.dim,
        layers=test.layers,
        parameters=test.parameters,
        sha256=digests[0]
        if len(digests) == 1
        else hashlib.sha256("".join(digests).encode()).hexdigest(),
        digest=digest_of(folder),
        source=origin.source,
        version=origin.version,
        licence=origin.licence,
        check=Check(now(), round(test.seconds, 4)),
    )


def check(entry: Entry) -> Record:
    """Test an installed encoder and record the outcome; a fault is in the record, not raised."""
    folder = catalogue.home() / entry.name
    local = entry.sort == "local"
    before = record.read(folder)

    def read() -> Encoder:
        return load_folder(folder, entry.name, named(entry.name)) if local else load(entry.name)

    try:
        test, fault = self_test(read), ""
    except EncoderError as error:
        test = Tested(entry.dim or 0, len(entry.layers), entry.parameters or 0, 0.0)
        fault = str(error)
    if local and not fault:
        origin = (
            Origin(folder, before.source, before.version, before.licence)
            if before
            else Origin(folder, "", "", licence_of(folder))
        )
        after = described(folder, test, origin)
    else:
        after = before or record_of(entry, test)
    after = replace(after, check=Check(now(), round(test.seconds, 4), fault))
    record.write(folder, after)
    return after


def record_of(entry: Entry, test: Tested) -> Record:
    """Return the record of an encoder that comes with the product."""
    return Record(
        entry.name,
        entry.family,
        entry.kind,
        test.dim,
        len(entry.layers) or test.layers,
        test.parameters,
        entry.sha256,
        "",
        entry.source,
        entry.version,
        entry.licence,
        Check("", 0.0),
    )


def remove(name: str) -> None:
    """Remove an encoder; raises EncoderError if no administrator added one of this name."""
    folder = catalogue.home() / name
    if catalogue.local_entry(folder) is None or Path(name).name != name:
        raise EncoderError(
            f"there is no encoder {name} that was added here; "
            f"consilience encoder list shows those that are"
        )
    with staging_folder(name) as staging:
        folder.rename(staging / name)  # gone at once for everyone; its files go after


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
