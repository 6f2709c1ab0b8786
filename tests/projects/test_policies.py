import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from apps.accounts.models import User
from apps.projects.models import Project
from apps.projects.policies import can, require
from apps.projects.roles import GRANTS

MATRIX = {role.value: set(actions) for role, actions in GRANTS.items()} | {"outsider": set()}
ACTIONS = ("view", "comment", "contribute", "review", "maintain", "own")


@pytest.mark.parametrize("role", MATRIX)
def test_a_role_may_do_exactly_what_the_matrix_says(team, role: str) -> None:
    user = team.people()[role]
    assert {action for action in ACTIONS if can(user, action, team.project)} == MATRIX[role]


def test_an_outsider_is_told_that_nothing_is_there(team) -> None:
    with pytest.raises(Http404):
        require(team.outsider, "view", team.project)


def test_a_viewer_is_told_what_is_missing(team) -> None:
    with pytest.raises(PermissionDenied, match="Viewers can read but not comment"):
        require(team.viewer, "comment", team.project)


def test_a_project_is_visible_to_its_members_alone(team) -> None:
    assert team.project in Project.objects.visible_to(team.viewer)
    assert not Project.objects.visible_to(team.outsider).exists()


def test_a_superuser_who_is_no_member_sees_nothing(team) -> None:
    boss = User.objects.create_user("boss@example.org", name="Boss", is_superuser=True)
    assert not Project.objects.visible_to(boss).exists()
    assert not can(boss, "view", team.project)


def test_the_right_to_every_project_in_the_model_opens_none(team) -> None:
    from django.contrib.auth.models import Permission

    team.outsider.user_permissions.add(Permission.objects.get(codename="view_project"))
    assert not Project.objects.visible_to(User.objects.get(pk=team.outsider.pk)).exists()
