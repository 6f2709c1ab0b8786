"""What a repetition of a run needs to know about where it ran."""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = (
    "consilience",
    "torch",
    "transformers",
    "numpy",
    "scikit-learn",
    "scipy",
    "safetensors",
    "pyarrow",
)


def versions() -> dict[str, str]:
    """Of Python and of every package whose version may change a figure."""
    return {
        "python": platform.python_version(),
        **{name: versions for name in PACKAGES if (versions := installed(name))},
    }


def installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def environment() -> dict[str, Any]:
    return {"versions": versions(), "machine": platform.machine(), "system": platform.system()}
