"""What every test may ask for: a team with one person a role, and the real study where this machine
has it.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from apps.accounts.models import User
from apps.projects import services
from apps.projects.models import Discipline, Project, Role

ROOT = Path(__file__).parents[1]
settings.register_profile("no clock", deadline=None)
settings.load_profile("no clock")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Two processes share the tests file by file; what needs a browser and an installation stays in
    one.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::", 1)[0]
            return "browser" if file.startswith("tests/browser/") else file

    return ByFile(config, log)


@pytest.fixture(scope="session")
def spoken_digits() -> Path:
    """The study folder spoken-digits: 1,215 real samples, broken files among them."""
    folder = Path(
        os.environ.get("CONSILIENCE_STUDY") or ROOT / "../shared/data/spoken-digits"
    ).resolve()
    if not (folder / "study.yaml").exists():
        pytest.skip(
            "The study spoken-digits is not on this machine; name its folder in CONSILIENCE_STUDY."
        )
    return folder


@pytest.fixture
def person(db: None) -> Callable[..., User]:
    def make(name: str, **fields: object) -> User:
        return User.objects.create_user(
            f"{name.split()[0].lower()}@example.org", "correct horse battery", name=name, **fields
        )

    return make


@dataclass
class Team:
    project: Project
    owner: User
    maintainer: User
    contributor: User
    reviewer: User
    viewer: User
    outsider: User
    vision: Discipline
    speech: Discipline

    def people(self) -> dict[str, User]:
        names = ("owner", "maintainer", "contributor", "reviewer", "viewer", "outsider")
        return {name: getattr(self, name) for name in names}


@pytest.fixture
def team(person: Callable[..., User]) -> Team:
    """A project with two disciplines and one person a role, and somebody who is no member."""
    owner = person("Olga Owner")
    disciplines = [{"code": "VI", "name": "Vision"}, {"code": "SP", "name": "Speech"}]
    project = services.create_project(
        owner, "Digits", "Recognise a digit from picture and voice.", disciplines
    )
    vision, speech = project.disciplines.get(code="VI"), project.disciplines.get(code="SP")
    made = {role.value: person(f"{role.label} Person") for role in Role if role != Role.OWNER}
    for name, user in made.items():
        services.set_member(
            owner, project, user, Role(name), [vision] if name != "reviewer" else [speech]
        )
    return Team(
        project, owner, **made, outsider=person("Otto Outsider"), vision=vision, speech=speech
    )
