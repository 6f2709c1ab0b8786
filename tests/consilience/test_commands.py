"""`consilience token` and `consilience password`."""

import io
import sys

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import ApiToken, User

pytestmark = pytest.mark.django_db
PASSWORD = "a long walk by the river"


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text + "\n"))


def test_a_token_is_printed_once_and_stored_as_a_digest(person: object) -> None:
    user, out = person("Ann Example"), io.StringIO()
    call_command("token", user.email.upper(), stdout=out)
    text = out.getvalue().strip()
    assert text.startswith("csl_")
    row = ApiToken.objects.get(user=user)
    assert text not in (row.digest, row.token_key)
    assert row.expiry is not None


def test_an_unknown_address_is_named(person: object) -> None:
    with pytest.raises(CommandError, match=r"nobody@example\.org"):
        call_command("token", "nobody@example.org")


def test_a_password_can_be_set_and_a_weak_one_changes_nothing(
    person: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = person("Ann Example")
    typed(monkeypatch, PASSWORD)
    call_command("password", user.email, stdout=io.StringIO())
    typed(monkeypatch, "short")
    with pytest.raises(CommandError):
        call_command("password", user.email, stdout=io.StringIO())
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_the_first_person_is_made_on_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, PASSWORD)
    call_command(
        "password",
        "first@example.org",
        "--create",
        "First Person",
        "--administrator",
        stdout=io.StringIO(),
    )
    user = User.objects.get(email="first@example.org")
    assert user.check_password(PASSWORD)
    assert user.is_staff
    typed(monkeypatch, PASSWORD)
    with pytest.raises(CommandError, match="already"):
        call_command(
            "password", "first@example.org", "--create", "Another Person", stdout=io.StringIO()
        )
