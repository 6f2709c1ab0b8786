"""A registered version on a real, checkable bundle: small files with the digests that
fusion.pipeline.bundle would give them.
"""

import hashlib
import json
import uuid
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.accounts.models import User
from apps.datasets.models import Alignment, Blob, DataSet, Version
from apps.experiments.models import Run
from apps.projects.models import Discipline, Project
from apps.registry import services
from apps.registry.models import Model, ModelVersion
from tests.experiments import factory as runs


def dataset(project: Project, discipline: Discipline, user: User, name: str) -> Version:
    table = Blob.objects.create(
        sha256=uuid.uuid4().hex * 2,
        size=1,
        kind="table",
        media_type="application/vnd.apache.parquet",
    )
    made = DataSet.objects.create(
        project=project,
        discipline=discipline,
        slug=name.lower(),
        name=name,
        licence="CC-BY-4.0",
        created_by=user,
    )
    return Version.objects.create(
        dataset=made,
        number=1,
        table=table,
        digest="0" * 64,
        key_column="key",
        n_rows=1200,
        created_by=user,
    )


def bundle(folder: Path) -> str:
    """Three files and their manifest; returns the digest."""
    folder.mkdir(parents=True)
    for name in ("model.safetensors", "recipe.yaml", "result.json"):
        (folder / name).write_bytes(name.encode() * 20)
    files = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
    }
    facts: dict[str, Any] = {"format": 1, "files": files}
    digest = hashlib.sha256(
        json.dumps(facts, sort_keys=True, ensure_ascii=False).encode()
    ).hexdigest()
    (folder / "bundle.json").write_text(json.dumps(facts | {"digest": digest}))
    return digest


def run(
    project: Project,
    user: User,
    aligned: Alignment | None = None,
    score: float = 0.876,
    **fields: Any,
) -> Run:
    path = f"runs/{uuid.uuid4().hex}/1"
    digest = bundle(settings.HOME / path)
    return runs.finished_run(
        project, user, aligned, score, bundle_path=path, bundle_digest=digest, **fields
    )


CARD = {
    "meant_for": "- Trying out fusion\nTeaching",
    "not_for": "Cheques",
    "limits": "Four speakers are few.",
}


def version(
    project: Project,
    user: User,
    model: Model | None = None,
    score: float = 0.876,
    aligned: Alignment | None = None,
    name: str = "digit-fusion",
) -> ModelVersion:
    return services.register_run(
        user, run(project, user, aligned, score), name, "Recognises a digit.", CARD, model
    )
