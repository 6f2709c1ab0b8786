"""The content of the demo: people, a project of four disciplines, their data, and what they have
done with it. Every step looks first whether it is done.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from apps.accounts.models import User
from apps.projects.models import Project
from apps.projects.services import create_project, set_member
from consilience.environment import HOME

from .ledger import ledger
from .people import PEOPLE, account
from .prepare import FOLDER, turn
from .story import tell
from .study import study
from .voices import can_speak

Say = Callable[[str], None]


class NotADemo(Exception):
    """The home folder holds an installation that is in use."""


def seed(say: Say, samples: int) -> None:
    """Safe to repeat: what is there is left as it is."""
    mark(HOME)
    people = {person.discipline: account(person) for person in reversed(PEOPLE)}
    project = demo_project(people["IN"])
    say(f"{project.name}: {project.members.count()} people")
    with turn("files"):
        folder = ledger(FOLDER, samples)
    say(f"study folder {folder.name}")
    tell(project, people, folder, say)


def mark(home: Path) -> None:
    """Make this home a demo, where sign-in by tile is allowed; never one that somebody uses
    already, nor one on a server.
    """
    marker = home / "demo.json"
    if marker.exists():
        return
    if settings.DATABASE_URL:
        raise NotADemo("The demo is for the embedded database alone; DATABASE_URL is set.")
    if User.objects.exists():
        raise NotADemo(
            f"{home} holds an installation that is in use. Name another folder: "
            "CONSILIENCE_HOME=/some/folder make demo"
        )
    marker.write_text(
        json.dumps({"made": datetime.now(UTC).isoformat(timespec="seconds")}), encoding="utf-8"
    )


def demo_project(owner: User) -> Project:
    content = study(can_speak())
    project = Project.objects.filter(slug=content["name"]).first()
    if project:
        return project
    disciplines = [{"code": item["code"], "name": item["name"]} for item in content["disciplines"]]
    project = create_project(owner, content["title"], content["goal"], disciplines)
    places = {discipline.code: discipline for discipline in project.disciplines.all()}
    for person in PEOPLE:
        set_member(
            owner,
            project,
            account(person),
            person.role,
            [places[person.discipline]] if person.discipline in places else [],
        )
    return project
