import json

import pytest
from django.test import Client

from apps.accounts import demo, services
from apps.accounts.models import ApiToken, User


def test_a_person_signs_in_by_mail_and_password(client: Client, team) -> None:
    response = client.post(
        "/accounts/login/", {"login": "olga@example.org", "password": "correct horse battery"}
    )
    assert response.status_code == 302
    assert client.get("/").status_code == 200


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(client: Client, team) -> None:
    texts = []
    for login in ("olga@example.org", "nobody@example.org"):
        response = client.post("/accounts/login/", {"login": login, "password": "wrong"})
        texts.append(response.context["form"].errors)
    assert texts[0] == texts[1] != {}


@pytest.mark.parametrize("part", ["signup", "password/reset", "inactive", "email", "password/set"])
def test_nobody_signs_up_or_asks_for_mail_from_outside(client: Client, db: None, part: str) -> None:
    assert client.get(f"/accounts/{part}/").status_code == 404
    assert (
        client.post(
            f"/accounts/{part}/", {"email": "me@example.org", "password1": "correct horse battery"}
        ).status_code
        == 404
    )
    assert not User.objects.exists()


def test_a_token_is_shown_once_and_stored_as_a_digest(client: Client, team) -> None:
    client.force_login(team.owner)
    response = client.post("/me/tokens/", {"name": "notebook", "scope": "read", "days": 30})
    text = response.context["text"]
    assert text.startswith("csl_")
    assert text in response.content.decode()
    assert text not in client.get("/me/tokens/").content.decode()
    assert text not in json.dumps(list(ApiToken.objects.values()), default=str)


def test_a_revoked_token_opens_nothing(team) -> None:
    row, text = services.create_token(team.owner, "script")
    client = Client(headers={"Authorization": f"Bearer {text}"})
    assert client.get("/api/v1/projects/").status_code == 200
    services.revoke_token(team.owner, row.digest)
    assert client.get("/api/v1/projects/").status_code == 401


def test_the_language_of_the_profile_wins(client: Client, team) -> None:
    client.force_login(team.owner)
    client.post("/me/", {"name": "Olga Owner", "language": "zh-hans", "theme": "dark"})
    page = client.get("/").content.decode()
    assert 'lang="zh-hans"' in page
    assert 'data-theme="dark"' in page


@pytest.mark.parametrize(
    "change",
    [
        {"DEMO": False},
        {"HTTPS": True},
        {"DATABASE_URL": "postgresql://x"},
        {"ALLOWED_HOSTS": ["127.0.0.1", "lab.example.org"]},
    ],
)
def test_tiles_disappear_as_soon_as_others_can_come_here(
    client: Client, team, settings, rf, change
) -> None:
    User.objects.filter(pk=team.owner.pk).update(is_demo=True)
    settings.DEMO, settings.HTTPS, settings.DATABASE_URL, settings.ALLOWED_HOSTS = (
        True,
        False,
        "",
        ["127.0.0.1", "localhost", "[::1]"],
    )
    assert demo.is_open(rf.get("/"))
    for name, value in change.items():
        setattr(settings, name, value)
    assert not demo.is_open(rf.get("/"))


def test_a_tile_signs_a_demo_person_in_and_nobody_else(client: Client, team, settings) -> None:
    settings.DEMO, settings.HTTPS, settings.DATABASE_URL, settings.ALLOWED_HOSTS = (
        True,
        False,
        "",
        ["127.0.0.1", "localhost", "testserver"],
    )
    assert client.post("/demo/sign-in/", {"person": team.owner.pk}).status_code == 404
    User.objects.filter(pk=team.owner.pk).update(is_demo=True)
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
    response = client.post(
        "/demo/sign-in/", {"person": team.owner.pk}, headers={"host": "127.0.0.1"}
    )
    assert response.status_code == 302
