"""The history of the demo before the reader comes: data imported, a run finished, a review under
way, comments where they belong.
"""

from collections.abc import Callable
from pathlib import Path

from apps.accounts.models import User
from apps.datasets.ingest.folder import import_folder
from apps.datasets.models import Alignment
from apps.discussions.anchors import find
from apps.discussions.models import Thread
from apps.discussions.services import open_thread, reply
from apps.experiments.models import Run
from apps.experiments.services import start_run
from apps.jobs.work import perform
from apps.projects.models import Project
from apps.registry.services import register_run
from apps.reviews.models import Decision
from apps.reviews.services import decide, propose
from fusion.core.progress import Progress
from fusion.schema.recipe import Recipe, Training, presets

from .prepare import turn

Say = Callable[[str], None]
People = dict[str, User]
"""By the code of their discipline."""

CARD = {
    "meant_for": "Reading single digits of this ledger when some of the four readings are missing.",
    "not_for": "Other ledgers, other clerks' languages, or any decision about a person.",
    "limits": (
        "The voices are synthetic and the pairing of the readings is made up: the score says "
        "nothing about real dictation."
    ),
}


def tell(project: Project, people: People, folder: Path, say: Say) -> None:
    """Each part looks first whether it has happened; the last one leaves a run for the worker to
    train.
    """
    if not project.datasets.exists():
        imported = import_folder(project, people["IN"], folder, Progress())
        say(
            f"{len(imported.versions)} data sets, "
            f"{sum(version.n_rows for version in imported.versions):,} rows"
        )
    alignment = frozen(project)
    run = project.runs.filter(number=1).first() or first_run(project, people, alignment)
    say(f"run {run.number}: {run.job.get_state_display()}")
    if run.score is not None and not project.models.exists():
        review(project, people, run)
        talk(project, people, run)
        say("a review and a discussion")
    if project.runs.count() < 2:
        second_run(project, people, alignment, run)
        say("a second run, waiting for the worker")


def frozen(project: Project) -> Alignment:
    alignment = project.alignments.get(number=1)
    if alignment.state != Alignment.State.FROZEN:
        perform(str(alignment.job_id))
        alignment.refresh_from_db()
    return alignment


def first_run(project: Project, people: People, alignment: Alignment) -> Run:
    question = "Does joining the four readings beat the best one alone?"
    run = start_run(people["IN"], project, alignment, presets()["quick"], question)
    with turn("vectors"):
        perform(str(run.job_id))
    return Run.objects.select_related("job", "project").get(pk=run.pk)


def second_run(project: Project, people: People, alignment: Alignment, parent: Run) -> Run:
    recipe = Recipe(title="Gated, one seed", method="gated", training=Training(seeds=[0]))
    return start_run(
        people["VI"],
        project,
        alignment,
        recipe,
        "Does a gate weigh the readings better than a product?",
        parent=parent,
    )


def review(project: Project, people: People, run: Run) -> None:
    """Everybody but Speech has decided."""
    version = register_run(
        people["IN"],
        run,
        "Ledger reader",
        "Tells which digit was entered, from what is there of four readings.",
        CARD,
    )
    disciplines = {discipline: people[discipline.code] for discipline in project.disciplines.all()}
    reason = (
        "It is clearly better than the best single reading, and it answers also where one reading "
        "is missing."
    )
    review = propose(people["IN"], version, reason, disciplines)
    waits_for = "SP" if "SP" in people and any(row.code == "SP" for row in disciplines) else "LI"
    for discipline, reviewer in disciplines.items():
        if discipline.code != waits_for:
            decide(
                reviewer, review, discipline, Decision.Verdict.APPROVE, SUMMARIES[discipline.code]
            )


SUMMARIES = {
    "VI": (
        "Stained images pull it down less than I feared: look at the subgroup of quality. Good "
        "enough to try out."
    ),
    "LI": "The remarks only ever narrow the digit down; the model uses them that way.",
    "IN": (
        "My readings drift, and it knows: the balance alone is weak, in the product it still helps."
    ),
    "SP": "Under babble the dictation is hard for people as well.",
}


def talk(project: Project, people: People, run: Run) -> None:
    result = run.evaluation
    if result is None or not result.disagreements:
        return
    worst = result.disagreements[0]
    sample = find(project, Thread.Anchor.SAMPLE, worst.key)
    comment = open_thread(
        people["VI"],
        project,
        Thread.Anchor.SAMPLE,
        worst.key,
        sample.label,
        f"Run {run.number} says {worst.answer}, the ledger says {worst.truth}. I would have read "
        f"{worst.answer} as well: is the entry right?",
    )
    reply(
        people["IN"], comment.thread, f"@{people['LI'].name} what does the clerk's remark point to?"
    )
    about = find(project, Thread.Anchor.RUN, str(run.number))
    open_thread(
        people["SP"] if "SP" in people else people["LI"],
        project,
        Thread.Anchor.RUN,
        str(run.number),
        about.label,
        f"The gain is largest where the dictation is noisy. Sample {worst.key} shows why one "
        "reading is not enough.",
    )
