"""How an estimate keeps: a fresh home is measured, then each run is told in advance, done, and held
against what was told. The same recipe is then run by command, which is what the platform's share is
held against.
"""

import json
import os
import subprocess
import sys
import tempfile
from math import sqrt
from pathlib import Path
from typing import Any

from fusion.schema.recipe import Recipe, presets

from .rows import Place, Row
from .servers import consilience, environment, fusion
from .study import ROOT, study_of

FACTOR = 2.0
SHARE = 1.05
STANDARD = "standard, from a warm cache"
LORA = {
    "encoders": {"text": [{"name": "minilm-l6-v2", "tune": "lora", "tuning": {"epochs": 2}}]},
    "modalities": ["image", "text"],
}
RUNS: dict[str, tuple[str, dict[str, Any]]] = {
    "quick, with nothing in the cache": ("quick", {}),
    STANDARD: ("standard", {}),
    "search": ("search", {}),
    "quick, with graded noise": ("quick", {"evaluation": {"noise": True}}),
    "quick, an encoder tuned by LoRA": ("quick", LORA),
}
"""Preset, and what is changed of it."""


def measure(place: Place) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="consilience-estimate-") as folder:
        home = Path(folder)
        consilience(home, "setup")
        more = environment(home, CONSILIENCE_WORKER="1")
        subprocess.run(
            [sys.executable, "-m", "fusion", "measure", "--home", folder],
            cwd=ROOT,
            env=more,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        answer = home / "estimate.json"
        subprocess.run(
            [sys.executable, "-m", "bench.estimate", str(study_of(place)), str(answer)],
            cwd=ROOT,
            env=more,
            check=True,
        )
        told = json.loads(answer.read_text())
        recipe, out = home / "recipe.yaml", str(home / "out")
        recipe.write_text(recipe_of(STANDARD).to_yaml())
        alone = fusion(
            home,
            "train",
            str(study_of(place)),
            "--recipe",
            str(recipe),
            "--out",
            out,
            "--cache",
            str(home / "embeddings"),
        )
    standard = next(one for one in told if one["name"] == STANDARD)
    return [*(row for one in told for row in rows(one)), beside(standard, alone.wall)]


def recipe_of(name: str) -> Recipe:
    preset, changes = RUNS[name]
    return Recipe.parse(presets()[preset].model_dump(mode="json") | changes)


def beside(one: dict[str, Any], alone: float) -> Row:
    """The run of the platform from its start in a worker to its end, the command with
    all it loads.
    """
    took, most = one["seconds"], SHARE * alone + 1
    return Row(
        f"{one['name']}, through the platform",
        f"{took:.1f} s, {alone:.1f} s by command",
        f"at most {SHARE:g} times + 1 s",
        took <= most,
    )


def rows(one: dict[str, Any]) -> list[Row]:
    found = [held(f"{one['name']}, seconds", one["seconds"], *one["told_seconds"])]
    return [*found, held(f"{one['name']}, MB of memory", one["mb"], *one["told_mb"])]


def held(what: str, took: float, low: float, high: float) -> Row:
    """The middle of a range is its geometric mean: it reaches as many times down as up."""
    ratio = took / sqrt(low * high)
    measured = f"{took:,.0f}, told {low:,.0f} to {high:,.0f}, {ratio:.2f} times the middle"
    return Row(what, measured, f"within a factor of {FACTOR:g}", 1 / FACTOR <= ratio <= FACTOR)


def main(study: Path, answer: Path) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilience.settings")
    import django

    django.setup()
    from apps.accounts.services import create_user
    from apps.datasets.ingest.folder import import_folder
    from apps.experiments import queries, services
    from apps.experiments.recipe import estimates
    from apps.jobs.work import perform
    from apps.projects.services import create_project
    from fusion.core.progress import Progress
    from fusion.estimates.machine import peak_mb

    owner = create_user("bench@example.org", "Bench Owner", "a long password of no use")
    project = create_project(owner, "Bench", "Recognise a digit.")
    import_folder(project, owner, study, Progress())
    alignment = project.alignments.get()
    perform(str(alignment.job_id))
    alignment.refresh_from_db()
    found = []
    for name in RUNS:
        recipe = recipe_of(name)
        told = estimates.estimate(alignment, recipe, queries.past(project))
        run = services.start_run(owner, project, alignment, recipe, "How long?")
        perform(str(run.job_id))
        run.job.refresh_from_db()
        seconds = (run.job.finished_at - run.job.started_at).total_seconds()
        figures = {
            "told_seconds": (told.low, told.high),
            "told_mb": (told.memory_low, told.memory_high),
        }
        found.append({"name": name, "seconds": seconds, "mb": peak_mb(), **figures})
    answer.write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
