"""Foundation models as encoders. `catalogue` is light; `load` imports torch when the encoder needs
it.

encoder = load("minilm-l6-v2")
vectors = encoder.encode([encoder.prepare(text) for text in texts])     # float32 (n, 384)
"""

from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from fusion.encoders import catalogue

if TYPE_CHECKING:
    from fusion.encoders.base import Choice, Encoder

__all__ = ["catalogue", "load"]

SORTS = {"packaged": "packaged", "plain": "plain", "tiny": "tiny", "local": "transformers_folder"}
ADAPTERS = "fusion.encoders.adapters"


def load(choice: "str | Choice", folders: bool = False) -> "Encoder":
    """Return the encoder that a recipe chose, by name or with options
    (`fusion.schema.recipe.EncoderChoice`); raises EncoderError in plain words.

    folders: whether the name may also be a path to a transformers folder or a hub name in this
    person's own cache. Only the command line says yes: a recipe from a web page must not make a
    server read folders.
    """
    from fusion.encoders.base import EncoderError

    wanted = named(choice) if isinstance(choice, str) else choice
    entry = catalogue.get(wanted.name)
    if entry is not None:
        if not entry.installed:
            raise EncoderError(f"encoder {entry.title} is not installed: {entry.how_to_install}")
        return import_module(f"{ADAPTERS}.{SORTS[entry.sort]}").load(entry, wanted)
    if folders:
        return import_module(f"{ADAPTERS}.transformers_folder").load_path(wanted)
    raise EncoderError(
        f"there is no encoder {wanted.name} here. Known are {', '.join(catalogue.names())}; "
        f"an administrator adds one: consilience encoder add FOLDER_OR_HUB_NAME"
    )


def named(name: str | Path) -> "Choice":
    """Return an encoder's name as a choice with its default options."""
    return SimpleNamespace(  # type: ignore[return-value]
        name=str(name), layers=None, pooling=None, grid=None, resolution=None
    )
