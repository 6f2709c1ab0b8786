from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.projects import services
from apps.projects.models import Event, Project, Role

PAGES = ("", "members/", "disciplines/", "activity/")


@pytest.mark.parametrize("path", [*PAGES, "settings/"])
def test_an_outsider_finds_nothing(client: Client, team, path: str) -> None:
    client.force_login(team.outsider)
    assert client.get(f"/p/{team.project.slug}/{path}").status_code == 404


@pytest.mark.parametrize("path", PAGES)
def test_a_viewer_reads_every_page_in_few_queries(
    client: Client, team, path: str, django_assert_max_num_queries
) -> None:
    client.force_login(team.viewer)
    with django_assert_max_num_queries(25):
        assert client.get(f"/p/{team.project.slug}/{path}").status_code == 200


def test_a_viewer_cannot_change_the_project(client: Client, team) -> None:
    client.force_login(team.viewer)
    slug = team.project.slug
    assert client.get(f"/p/{slug}/settings/").status_code == 403
    assert (
        client.post(
            f"/p/{slug}/members/", {"email": "new@example.org", "role": "viewer"}
        ).status_code
        == 403
    )
    assert client.post(f"/p/{slug}/disciplines/", {"name": "Text", "code": "TX"}).status_code == 403
    assert client.post(f"/p/{slug}/members/{team.owner.pk}/remove/").status_code == 403


def test_a_project_is_created_with_goal_and_disciplines(client: Client, person) -> None:
    client.force_login(person("Ada"))
    rows = {
        "disciplines-TOTAL_FORMS": 2,
        "disciplines-INITIAL_FORMS": 0,
        "disciplines-0-name": "Vision",
        "disciplines-0-code": "vi",
        "disciplines-1-name": "",
    }
    response = client.post("/projects/new/", {"name": "Digits", "goal": "Read digits.", **rows})
    project = Project.objects.get()
    assert response.url == f"/p/{project.slug}/"
    assert [one.code for one in project.disciplines.all()] == ["VI"]
    assert project.members.get().role == Role.OWNER


def test_a_project_without_a_goal_is_refused_beside_the_field(client: Client, person) -> None:
    client.force_login(person("Ada"))
    rows = {"disciplines-TOTAL_FORMS": 0, "disciplines-INITIAL_FORMS": 0}
    response = client.post("/projects/new/", {"name": "Digits", "goal": "", **rows})
    assert response.status_code == 422
    assert "goal" in response.context["form"].errors


def test_an_invited_person_makes_an_account_and_joins_once(client: Client, team) -> None:
    invitation = services.invite(
        team.owner, team.project, "New@Example.org", Role.CONTRIBUTOR, [team.vision]
    )
    address = f"/invitations/{invitation.pk}/"
    assert client.get(address).status_code == 200
    response = client.post(address, {"name": "New Person", "password": "a long enough sentence"})
    assert response.url == f"/p/{team.project.slug}/"
    member = team.project.members.get(user__email="new@example.org")
    assert [one.code for one in member.disciplines.all()] == ["VI"]
    assert Client().post(address, {}).status_code in (302, 422)
    assert team.project.members.filter(user__email="new@example.org").count() == 1


def test_a_weak_password_makes_no_account(client: Client, team) -> None:
    invitation = services.invite(team.owner, team.project, "new@example.org", Role.VIEWER)
    response = client.post(f"/invitations/{invitation.pk}/", {"name": "New", "password": "short"})
    assert response.status_code == 422
    assert "password" in response.context["form"].errors
    assert not User.objects.filter(email="new@example.org").exists()


@pytest.mark.parametrize("field", ["revoked_at", "expires_at"])
def test_an_ended_invitation_lets_nobody_in(team, field: str) -> None:
    invitation = services.invite(team.owner, team.project, team.outsider.email, Role.VIEWER)
    type(invitation).objects.filter(pk=invitation.pk).update(
        **{field: timezone.now() - timedelta(days=1)}
    )
    with pytest.raises(ValidationError, match="Ask for a new one"):
        services.accept_invitation(invitation, team.outsider)


def test_an_invitation_of_somebody_else_lets_nobody_in(team) -> None:
    invitation = services.invite(team.owner, team.project, "other@example.org", Role.VIEWER)
    with pytest.raises(ValidationError, match="another e-mail address"):
        services.accept_invitation(invitation, team.outsider)


def test_a_project_keeps_an_owner(team) -> None:
    with pytest.raises(ValidationError, match="needs an owner"):
        services.set_member(team.owner, team.project, team.owner, Role.VIEWER)
    with pytest.raises(ValidationError, match="needs an owner"):
        services.remove_member(team.owner, team.project, team.owner)


def test_who_is_removed_sees_nothing_from_then_on(client: Client, team) -> None:
    client.force_login(team.viewer)
    services.remove_member(team.owner, team.project, team.viewer)
    assert client.get(f"/p/{team.project.slug}/").status_code == 404


def test_every_change_leaves_an_event_with_who_and_what(team) -> None:
    services.change_project(team.owner, team.project, "Figures", team.project.goal)
    event = Event.objects.order_by("-id").first()
    assert (event.verb, event.actor) == ("project.changed", team.owner)
    assert event.data["changes"] == {"name": ["Digits", "Figures"]}
