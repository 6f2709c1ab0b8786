import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def spoken_digits() -> Path:
    """The real study of acceptance: CONSILIENCE_STUDY, or the folder beside the repository."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data" / "spoken-digits"
    folder = Path(os.environ.get("CONSILIENCE_STUDY", beside))
    if not (folder / "study.yaml").is_file():
        pytest.skip("the spoken-digits study is not here: set CONSILIENCE_STUDY to its folder")
    return folder
