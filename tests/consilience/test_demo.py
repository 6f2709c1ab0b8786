"""The demo's people and project, and the homes in which it refuses to be."""

import sys
from pathlib import Path

import pytest

from apps.accounts.models import User
from apps.projects.models import Project
from consilience.demo import seed as demo
from consilience.demo import start
from consilience.demo.people import PEOPLE, account

pytestmark = pytest.mark.django_db


def test_every_demo_person_is_tagged_and_has_a_demo_address() -> None:
    assert PEOPLE
    for person in PEOPLE:
        user = account(person)
        assert user.is_demo
        assert user.email.endswith("@demo.example")
        assert user.email.isascii()


def test_seeding_twice_makes_one_project_with_four_disciplines() -> None:
    owner = account(PEOPLE[0])
    first, second = demo.demo_project(owner), demo.demo_project(owner)
    assert first == second
    assert Project.objects.count() == 1
    assert set(first.disciplines.values_list("code", flat=True)) == {"VI", "SP", "LI", "IN"}
    assert first.members.count() == len(PEOPLE) == User.objects.count()


def test_a_home_that_somebody_uses_never_becomes_a_demo(tmp_path: Path) -> None:
    User.objects.create_user("real@example.org", "correct horse battery", name="Real Person")
    with pytest.raises(demo.NotADemo, match="CONSILIENCE_HOME"):
        demo.mark(tmp_path)
    assert not (tmp_path / "demo.json").exists()


def test_a_database_server_never_becomes_a_demo(tmp_path: Path, settings: object) -> None:
    settings.DATABASE_URL = "postgresql://somewhere/consilience"
    with pytest.raises(demo.NotADemo, match="DATABASE_URL"):
        demo.mark(tmp_path)


def test_a_step_is_done_again_only_when_its_sources_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(start, "STAMP", tmp_path / "stamp")
    check = start.unless_done(lambda: done.append("again"))
    check()
    start.STAMP.write_text(start.sources())
    assert check() == "up to date"
    monkeypatch.setattr(start, "fingerprint", lambda: "other packages")
    check()
    assert done == ["again", "again"]


def test_the_start_needs_nothing_but_the_standard_library() -> None:
    source = Path(start.__file__).read_text(encoding="utf-8")
    names = {
        line.split()[1].split(".")[0]
        for line in source.splitlines()
        if line.startswith(("import ", "from "))
    }
    assert names <= set(sys.stdlib_module_names)
