"""The learning engine of Consilience: a library of its own, without Django.

    from fusion.data.study import Study               # reads and writes a study folder
    from fusion.data.study_columns import align       # samples joined on their key
    from fusion.data.splits import folds, inner_split # splits that do not leak
    from fusion.encoders.embedding import embed       # cells -> vectors of foundation models
    from fusion.encoders.cache import Cache           # encoder fingerprint x content -> vector

    aligned = align(Study.load("spoken-digits"), print)
    features = embed(aligned, {}, Cache("embeddings"), Progress())
    features.x["image"]       # float32 (n, dim), one row a sample, zeros where it is missing
    features.mask             # bool (n, M), columns in the order of features.names
    for fold in folds(aligned):
        fold.name, fold.train, fold.test      # int rows; duplicates and unlabelled rows in none
        fit, validation = inner_split(aligned, fold.train, share=0.2, seed=0)

    model = fusion.load("bundle")             # a trained model as a folder
    model.predict({"image": "scan.png", "clue": "a pair"})      # fusion.pipeline.raw_inputs
    model.represent({"clue": "a pair"})       # the fused representation

The folders, from whole jobs down to the groundwork, each of which imports only those below it:
pipeline, evaluation, estimates, training, methods, features, tasks, encoders, data, schema,
knowledge, core. Read `schema.recipe`, `pipeline.run` and `schema.result` first.

Importing `fusion` loads nothing. Light, also for a web process: core, knowledge, schema,
`data.study`, `encoders.catalogue`. torch: the encoders, and everything from training on.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fusion.pipeline.bundle import Bundle


def load(folder: str | Path) -> "Bundle":
    """A checked bundle; see `fusion.pipeline.bundle_files.load`."""
    from fusion.pipeline import bundle_files

    return bundle_files.load(folder)
