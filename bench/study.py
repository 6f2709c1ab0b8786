"""The study that is measured: the real one where it lies on this machine, else a cut of
the demo's.
"""

import os
from pathlib import Path

from .rows import Place

ROOT = Path(__file__).parents[1]
SMALL = 240


def real_study() -> Path | None:
    """CONSILIENCE_STUDY, or the folder where the tests look for it."""
    folder = Path(
        os.environ.get("CONSILIENCE_STUDY") or ROOT / "../shared/data/spoken-digits"
    ).resolve()
    return folder if (folder / "study.yaml").exists() else None


def study_of(place: Place) -> Path:
    found = None if place.small else real_study()
    if found:
        return found
    from consilience.demo.ledger import ledger

    return ledger(place.folder, SMALL)
