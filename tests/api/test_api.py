import io
import json
import zipfile

import pytest
from django.test import Client

from apps.accounts import services as accounts
from apps.accounts.models import ApiToken
from apps.datasets.models import Upload
from apps.discussions.models import Comment
from apps.projects.models import Event, Project

BASE = "/api/v1/projects/"
LISTS = ("datasets", "uploads", "alignments", "runs", "threads")


@pytest.fixture
def caller(team):
    """A client with a token of one of the team's people."""

    def make(name: str, **fields: object) -> Client:
        _row, text = accounts.create_token(team.people()[name], "test", **fields)
        return Client(headers={"Authorization": f"Bearer {text}"})

    return make


def post(client: Client, path: str, data: dict) -> object:
    return client.post(path, json.dumps(data), content_type="application/json")


def test_without_a_token_it_says_how_to_sign_in(client: Client, db: None) -> None:
    response = client.get(BASE)
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("part", LISTS)
def test_an_outsider_finds_nothing(caller, team, part: str) -> None:
    client = caller("outsider")
    assert client.get(BASE).json()["results"] == []
    assert client.get(f"{BASE}{team.project.slug}/{part}/").status_code == 404
    assert post(client, f"{BASE}{team.project.slug}/{part}/", {}).status_code in (404, 405)


@pytest.mark.parametrize("part", LISTS)
def test_a_viewer_reads_in_few_queries(
    caller, team, part: str, django_assert_max_num_queries
) -> None:
    client = caller("viewer")
    with django_assert_max_num_queries(12):
        assert client.get(f"{BASE}{team.project.slug}/{part}/").status_code == 200


def test_a_viewer_cannot_write(caller, team) -> None:
    client, home = caller("viewer"), f"{BASE}{team.project.slug}"
    assert post(client, f"{home}/uploads/", {"source": "study"}).status_code == 403
    assert post(client, f"{home}/alignments/", {"name": "a", "spec": {}}).status_code == 403
    assert not Upload.objects.exists()


def test_a_token_that_may_only_read_changes_nothing(caller, team) -> None:
    client = caller("owner", scope=ApiToken.Scope.READ)
    assert client.get(BASE).status_code == 200
    response = post(client, BASE, {"name": "New", "goal": "A goal."})
    assert response.status_code == 403
    assert "may only read" in response.json()["detail"]


def test_a_token_of_one_project_opens_no_other(caller, team) -> None:
    from apps.projects.services import create_project

    other = create_project(team.owner, "Other", "Another goal.")
    client = caller("owner", project_id=team.project.pk)
    assert [one["slug"] for one in client.get(BASE).json()["results"]] == [team.project.slug]
    assert client.get(f"{BASE}{other.slug}/").status_code == 404
    assert post(client, BASE, {"name": "Third", "goal": "A goal."}).status_code == 403


def test_a_project_is_made_with_its_disciplines(caller) -> None:
    response = post(
        caller("owner"),
        BASE,
        {
            "name": "By program",
            "goal": "A goal.",
            "disciplines": [{"code": "VI", "name": "Vision"}],
        },
    )
    assert response.status_code == 201
    assert response.json()["page"].endswith("/p/by-program/")
    assert Project.objects.get(slug="by-program").disciplines.get().code == "VI"


def test_a_refusal_names_the_field(caller) -> None:
    response = post(caller("owner"), BASE, {"name": "By program"})
    assert (response.status_code, list(response.json())) == (400, ["goal"])


def test_only_what_may_be_set_is_set(caller, team) -> None:
    client = caller("owner")
    made = post(
        client, BASE, {"name": "A", "goal": "G", "slug": "stolen", "created_by": team.viewer.pk}
    ).json()
    assert made["slug"] != "stolen"
    assert Project.objects.get(slug=made["slug"]).created_by == team.owner


def test_a_file_arrives_whole(caller, team) -> None:
    client, home = caller("contributor"), f"{BASE}{team.project.slug}/uploads/"
    made = post(client, home, {"source": "study"}).json()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("study.yaml", "name: x\n")
    response = client.put(
        f"{home}{made['id']}/files/?name=x.zip",
        content.getvalue(),
        content_type="application/octet-stream",
        headers={"Content-Disposition": 'attachment; filename="x.zip"'},
    )
    assert response.status_code == 200, response.content
    assert [(one["name"], one["size"]) for one in response.json()["files"]] == [
        ("x.zip", len(content.getvalue()))
    ]


def test_an_unknown_recipe_setting_is_named(caller, team) -> None:
    from apps.datasets.models import Alignment

    Alignment.objects.create(project=team.project, number=1, name="a", created_by=team.owner)
    response = post(
        caller("contributor"),
        f"{BASE}{team.project.slug}/runs/",
        {"alignment": 1, "recipe": {"methud": "late"}},
    )
    assert response.status_code == 400
    assert "methud" in str(response.json())


def test_a_discussion_stands_on_what_exists(caller, team) -> None:
    response = post(
        caller("reviewer"),
        f"{BASE}{team.project.slug}/threads/",
        {"anchor_type": "run", "anchor_id": "99", "body": "Hello"},
    )
    assert response.status_code == 404
    assert not Comment.objects.exists()


def test_what_a_program_does_is_in_the_activity(caller, team) -> None:
    post(caller("owner"), BASE, {"name": "By program", "goal": "A goal."})
    assert Event.objects.filter(
        verb="project.created", actor=team.owner, label="By program"
    ).exists()


def test_the_schema_describes_every_route_without_complaint(team) -> None:
    from drf_spectacular.drainage import GENERATOR_STATS
    from drf_spectacular.generators import SchemaGenerator

    GENERATOR_STATS.reset()
    schema = SchemaGenerator().get_schema(request=None, public=True)
    assert len(schema["paths"]) > 15
    assert not GENERATOR_STATS._error_cache
