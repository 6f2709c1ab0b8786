"""The learning engine of Consilience: a library of its own, without Django.

    from fusion.data.study import Study                      # the only reader and writer of a study folder
    from fusion.data.alignment import Aligned, folds         # samples joined on their key, splits that do not leak
    from fusion.encoders import catalogue, load         # foundation models: what there is; load(choice) -> Encoder
    from fusion.encoders.embedding import embed                      # embed(aligned, {modality: choice}, cache, progress) -> Features
    from fusion.encoders.cache import Cache                      # encoder fingerprint x content digest -> vector

    aligned = align(Study.load("spoken-digits"), print)
    features = embed(aligned, {}, Cache("embeddings"), Progress())
    features.x["image"]       # float32 (n, dim), one row a sample, zeros where it is missing
    features.mask             # bool (n, M), columns in the order of features.names
    for fold in folds(aligned):
        fold.name, fold.train, fold.test                # int rows; duplicates and unlabelled rows are in no fold
        fit, validation = inner_split(aligned, fold.train, share=0.2, seed=0)

    model = fusion.load("bundle")                       # a trained model as a folder
    model.predict({"image": "scan.png", "clue": "a pair"})      # any of its modalities, one sample or many: fusion.pipeline.raw_inputs
    model.represent({"clue": "a pair"})                 # the fused representation: fusion.methods.representation

Importing `fusion` loads nothing. Light, also for a web process: `study`, `columns`, `modalities`
(not its modules), `encoders.catalogue`, `result`, `progress`. numpy, pyarrow and scikit-learn:
`alignment`, `splits`, the modules of `modalities`. torch: `embed` and the encoders.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fusion.pipeline.bundle import Bundle


def load(folder: str | Path) -> "Bundle":
    """A checked bundle; see `fusion.pipeline.bundle.load`."""
    from fusion.pipeline import bundle

    return bundle.load(folder)
