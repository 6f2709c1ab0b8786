"""The two files of a finished run that its map and its nearest samples are read from, as the engine
writes them.
"""

from pathlib import Path

import numpy as np
from django.conf import settings

from apps.experiments.models import Run
from fusion.evaluation.embedding_map import places
from fusion.features.representation import Space
from fusion.pipeline import predictions_file, representation_file
from fusion.tasks.predictions import Scored
from tests.made import DIGITS

N, D = 30, 4
NAMES = ["image", "speech", "text"]


def keep_space(run: Run, method: str = "late") -> Path:
    """Write both files for the samples of tests.made.make_study, in two folds; the speech of a
    sample is exactly as its image. S001 is answered wrong.
    """
    rng = np.random.default_rng(0)
    y, numbers = np.arange(N) % 3, np.arange(N)
    mask = np.stack([numbers % 5 < 4, numbers % 7 < 6, numbers % 9 < 8], 1)
    hidden = (np.eye(3, D)[y] + 0.3 * rng.normal(size=(N, D))).astype(np.float32)
    alone = {
        name: np.where(mask[:, [i]], hidden if name != "text" else hidden[::-1], 0)
        for i, name in enumerate(NAMES)
    }
    scored = Scored(
        [f"S{i:03}" for i in numbers],
        y,
        mask,
        np.full((N, 3), np.log(1 / 3)),
        np.array([""] * N),
        np.array(["S1", "S2"])[numbers % 2],
        list(DIGITS),
        NAMES,
    )
    p = np.eye(3)[np.where(numbers == 1, 2, y)][None]
    folder = settings.HOME / run.bundle_path
    space = Space(method, method == "late", hidden, alone)
    columns = {"samples.speaker": [f"P{i % 4}" for i in numbers]}
    representation_file.write(
        folder / "representation.parquet", space, scored, columns, places(space, scored)
    )
    predictions_file.write(folder / "predictions.parquet", scored, p, dict.fromkeys(NAMES, p), [0])
    return folder
