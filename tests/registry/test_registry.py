import io
import json
import zipfile

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from apps.jobs.models import Job
from apps.projects.models import Event
from apps.registry import services
from apps.registry.models import ModelVersion
from tests.registry import factory

pytestmark = pytest.mark.django_db


def page(version: ModelVersion, name: str = "version") -> str:
    return reverse(
        f"registry:{name}", args=[version.model.project.slug, version.model.slug, version.number]
    )


def test_a_run_becomes_version_1_and_the_next_run_version_2(team) -> None:
    first = factory.version(team.project, team.maintainer)
    second = factory.version(team.project, team.maintainer, first.model)
    assert (first.number, second.number) == (1, 2)
    assert second.bundle_digest == second.run.bundle_digest
    event = Event.objects.first()
    assert (event.verb, event.target_id) == ("model.registered", "digit-fusion/2")


def test_a_run_is_registered_once(team) -> None:
    version = factory.version(team.project, team.maintainer)
    with pytest.raises(ValidationError, match="registered already"):
        services.register_run(team.maintainer, version.run, "other", "", {})


def test_a_run_that_did_not_finish_cannot_be_registered(team) -> None:
    run = factory.run(team.project, team.maintainer)
    Job.objects.filter(pk=run.job_id).update(state=Job.State.FAILED)
    run.job.refresh_from_db()
    with pytest.raises(ValidationError, match="finished run"):
        services.register_run(team.maintainer, run, "digits", "", {})


def test_only_maintainers_register(team) -> None:
    run = factory.run(team.project, team.maintainer)
    for user in (team.contributor, team.reviewer, team.viewer):
        with pytest.raises(PermissionDenied):
            services.register_run(user, run, "digits", "", {})


def test_two_models_cannot_share_a_name(team) -> None:
    factory.version(team.project, team.maintainer)
    with pytest.raises(ValidationError, match="of this name exists"):
        factory.version(team.project, team.maintainer, name="Digit-Fusion")


def test_an_alias_moves_and_the_version_before_is_retired(team) -> None:
    first = factory.version(team.project, team.maintainer)
    second = factory.version(team.project, team.maintainer, first.model)
    assert services.move_alias(first, ModelVersion.Alias.STAGING) is None
    assert services.move_alias(second, ModelVersion.Alias.STAGING) == first
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.stage, second.stage) == ("retired", "staging")


def test_the_form_registers_the_run_in_the_address(team, client) -> None:
    run = factory.run(team.project, team.maintainer)
    client.force_login(team.maintainer)
    url = reverse("registry:new", args=[team.project.slug])
    form = client.get(url, {"run": run.number})
    assert form.context["form"].initial["run"] == run
    answer = client.post(
        url,
        {
            "run": run.pk,
            "name": "digit-fusion",
            "description": "Digits.",
            "limits": "Few speakers.",
        },
    )
    assert answer.url == page(ModelVersion.objects.get())


def test_a_form_without_a_name_is_answered_with_422(team, client) -> None:
    run = factory.run(team.project, team.maintainer)
    client.force_login(team.maintainer)
    answer = client.post(reverse("registry:new", args=[team.project.slug]), {"run": run.pk})
    assert answer.status_code == 422
    assert "Give the model a name" in answer.content.decode()


def test_the_pages_are_closed_to_outsiders_and_viewers_cannot_write(team, client) -> None:
    version = factory.version(team.project, team.maintainer)
    addresses = [
        page(version),
        page(version, "download"),
        page(version, "card_json"),
        reverse("registry:models", args=[team.project.slug]),
    ]
    client.force_login(team.outsider)
    assert {client.get(url).status_code for url in addresses} == {404}
    client.force_login(team.viewer)
    assert {client.get(url).status_code for url in addresses} == {200}
    assert client.get(page(version, "edit")).status_code == 403
    assert client.post(reverse("registry:new", args=[team.project.slug]), {}).status_code == 403


def test_the_card_tells_figures_words_data_and_licences(
    team, client, django_assert_max_num_queries
) -> None:
    version = factory.version(team.project, team.maintainer)
    version.run.alignment.versions.add(
        factory.dataset(team.project, team.vision, team.maintainer, "Handwriting")
    )
    client.force_login(team.viewer)
    with django_assert_max_num_queries(25):
        text = client.get(page(version)).content.decode()
    for words in (
        "Recognises a digit.",
        ".876",
        "Trying out fusion",
        "Cheques",
        "Four speakers are few.",
        "Handwriting v1",
        "CC-BY-4.0",
    ):
        assert words in text


def test_lists_cost_no_more_with_more_models(team, client, django_assert_max_num_queries) -> None:
    for n in range(6):
        model = factory.version(team.project, team.maintainer, name=f"model {n}").model
        factory.version(team.project, team.maintainer, model)
    client.force_login(team.maintainer)
    with django_assert_max_num_queries(25):
        client.get(reverse("registry:models", args=[team.project.slug]))
    with django_assert_max_num_queries(25):
        client.get(model.get_absolute_url())


def test_an_empty_registry_says_what_to_do(team, client) -> None:
    client.force_login(team.maintainer)
    assert (
        "No model yet"
        in client.get(reverse("registry:models", args=[team.project.slug])).content.decode()
    )


def test_the_card_can_be_taken_along(team, client) -> None:
    version = factory.version(team.project, team.maintainer)
    client.force_login(team.viewer)
    data = json.loads(client.get(page(version, "card_json")).content)
    assert data["bundle_digest"] == version.bundle_digest
    assert data["result"]["headline"]["score"]["value"] == pytest.approx(0.876)
    text = client.get(page(version, "card_markdown")).content.decode()
    assert text.startswith("---\n")
    assert "- Cheques" in text
    assert "&" not in text


def test_the_bundle_comes_as_a_zip_with_its_card(team, client) -> None:
    version = factory.version(team.project, team.maintainer)
    client.force_login(team.viewer)
    answer = client.get(page(version, "download"))
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        names = set(archive.namelist())
    assert names == {
        f"digit-fusion-1/{name}"
        for name in ("bundle.json", "model.safetensors", "recipe.yaml", "result.json", "README.md")
    }


@pytest.mark.parametrize("name", ["model.safetensors", "bundle.json"])
def test_a_bundle_that_was_changed_is_not_given_out(team, client, name: str) -> None:
    version = factory.version(team.project, team.maintainer)
    path = settings.HOME / version.run.bundle_path / name
    path.write_bytes(path.read_bytes().replace(b"1", b"2") + b" ")
    if name == "bundle.json":
        path.write_text(json.dumps({"format": 1, "files": {}, "digest": "0" * 64}))
    client.force_login(team.viewer)
    answer = client.get(page(version, "download"))
    assert answer.status_code == 409
    assert "changed after it was registered" in answer.content.decode()


def test_a_bundle_that_is_gone_says_so(team, client) -> None:
    version = factory.version(team.project, team.maintainer)
    (settings.HOME / version.run.bundle_path / "bundle.json").unlink()
    client.force_login(team.viewer)
    assert "not on this server any more" in client.get(page(version, "download")).content.decode()


def test_words_of_the_card_can_be_changed_and_the_event_tells_what(team, client) -> None:
    version = factory.version(team.project, team.maintainer)
    client.force_login(team.maintainer)
    assert client.get(page(version, "edit")).status_code == 200
    client.post(page(version, "edit"), {"description": "Hears digits.", "limits": "Five speakers."})
    assert Event.objects.first().data["changes"]["limits"] == [
        "Four speakers are few.",
        "Five speakers.",
    ]
