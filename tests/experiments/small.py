"""A small real alignment in the storage: pictures, texts and numbers of 72 samples, three groups,
three labels.
"""

import random
import tempfile
from pathlib import Path

from django.utils import timezone

from apps.accounts.models import User
from apps.datasets.alignments.job import summarise
from apps.datasets.blobs import blob_name, blob_path, digest_of, register_blobs, store_path
from apps.datasets.models import Alignment, Blob
from apps.projects.models import Project
from apps.projects.services import next_number
from fusion.data.alignment import Aligned, Cell, Modality, Split
from fusion.data.alignment_files import write_alignment
from fusion.schema.recipe import Recipe
from fusion.schema.task_names import TaskName
from tests.made import make_image

N = 72
LABELS = ["a", "b", "c"]
WORDS = {"a": "one apple", "b": "two boats", "c": "three chairs"}


SETS = {"a": ["flat"], "b": ["flat", "wide"], "c": ["tall"]}


def asked(labels: list[str], task: TaskName) -> list[object]:
    """The same knowledge as labels of another learning task."""
    if task == "regression":
        return [1990.0 + 10 * LABELS.index(label) + i % 5 for i, label in enumerate(labels)]
    return [SETS[label] for label in labels] if task == "multi-label" else list(labels)


def aligned(task: TaskName = "classification") -> Aligned:
    dice = random.Random(5)
    labels = [LABELS[i % 3] for i in range(N)]
    images = [None if i % 9 == 8 else Cell(make_image(i % 3 * 100 + i).sha256) for i in range(N)]
    texts = [
        None if i % 7 == 6 else Cell.text(f"{WORDS[dice.choice([label, label, *LABELS])]} {i}")
        for i, label in enumerate(labels)
    ]
    numbers = [
        Cell.numbers([LABELS.index(label) + dice.gauss(0, 0.9), dice.gauss(0, 1)])
        for label in labels
    ]
    return Aligned(
        keys=[f"S{i:03}" for i in range(N)],
        labels=asked(labels, task),
        task=task,
        label_order=LABELS if task == "ordinal" else [],
        modalities={
            "image": Modality("image", images, ["pictures.file"], media=blob_path),
            "text": Modality("text", texts, ["notes.text"]),
            "scale": Modality(
                "table", numbers, ["balance.r1", "balance.r2"], ["balance.r1", "balance.r2"]
            ),
        },
        groups={"samples.site": [f"site {i // 24}" for i in range(N)]},
        cluster="samples.person",
        split=Split(policy="leave-one-group-out"),
        extras={"samples.person": [f"P{i // 3}" for i in range(N)]},
        label="samples.label",
    )


def frozen(project: Project, user: User, task: TaskName = "classification") -> Alignment:
    """The alignment as the job that freezes leaves it."""
    joined = aligned(task)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "alignment.parquet"
        write_alignment(joined, path)
        blob = Blob(
            sha256=digest_of(path),
            size=path.stat().st_size,
            kind="table",
            media_type="application/vnd.apache.parquet",
        )
        store_path(path, blob_name(blob.sha256))
    table = register_blobs(project, [blob])[blob.sha256]
    spec = {
        "modalities": {
            name: {"kind": modality.kind, "columns": modality.columns}
            for name, modality in joined.modalities.items()
        },
        "label": {"source": "samples.label", "task": task},
        "groups": ["samples.site"],
        "cluster": "samples.person",
        "split": {"policy": "leave-one-group-out"},
        "extras": [],
    }
    return Alignment.objects.create(
        project=project,
        number=next_number(project, "alignment"),
        name="small",
        spec=spec,
        summary=summarise(joined),
        table=table,
        digest=joined.digest,
        state=Alignment.State.FROZEN,
        created_by=user,
        frozen_at=timezone.now(),
    )


def recipe(epochs: int = 4, seeds: int = 1, **training: object) -> Recipe:
    return Recipe.parse(
        {
            "encoders": {
                "image": [{"name": "pixels"}],
                "text": [{"name": "tiny-text"}],
                "scale": [{"name": "numbers"}],
            },
            "compare": ["gated"],
            "training": {
                "epochs": epochs,
                "patience": epochs,
                "seeds": list(range(seeds)),
                "inner_folds": 2,
                "hidden_dim": 16,
                "pca_dim": 16,
                **training,
            },
            "evaluation": {"draws": 60},
        }
    )
